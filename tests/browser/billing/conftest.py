"""People who buy plans in a browser, at a Rexec that sells them by a server that plays Stripe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.shop import fake, hooked, shop_server
from tests.support.waiting import eventually

__all__ = ["fake", "hooked", "shop_server"]


class Shopper:
    """Somebody on the billing page, and at Stripe.

    Args:
        page: Of a browser that is logged in.
        url: Of the server.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, query: str = "") -> Shopper:
        """Go to the billing page."""
        self.page.goto(f"{self.url}/billing{query}")
        return self

    def press(self, name: str) -> Shopper:
        """Press a button, on whichever site."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def pay(self, card: str = "4242424242424242") -> Shopper:
        """Type a card at Stripe and subscribe."""
        self.page.get_by_label("Card number").fill(card)
        return self.press("Subscribe")

    def buy(self, plan: str = "Pro") -> Shopper:
        """Choose, pay, and be back."""
        self.open().press(f"Choose {plan}").pay()
        self.sees(f"Plan now: {plan}")
        return self

    def comes_to_see(self, path: str, text: str) -> None:
        """Reload a page until it says what Stripe tells of meanwhile."""

        def shown() -> bool:
            self.page.goto(self.url + path)
            return self.page.get_by_text(text).first.is_visible()

        eventually(shown, 30, interval=0.3, message=text)

    def sees(self, text: str) -> None:
        """Wait until the page says something."""
        expect(self.page.get_by_text(text).first).to_be_visible()


@pytest.fixture
def shopper(page, hooked, new_user, log_in_as):
    """Somebody who has no plan yet."""
    user = new_user(hooked)
    log_in_as(page.context, user)
    shopper = Shopper(page, hooked.url)
    shopper.user = user
    return shopper
