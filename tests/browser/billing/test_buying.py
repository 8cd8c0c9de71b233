"""A plan is bought, changed and cancelled by a person with a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.billing.conftest import Shopper


@pytest.mark.smoke
def test_three_clicks_buy_a_plan(shopper, fake):
    shopper.open().press("Choose Pro")
    shopper.page.wait_for_url(f"{fake.url}/c/pay/**")
    shopper.pay()
    shopper.page.wait_for_url(f"{shopper.url}/billing")
    shopper.sees("Your plan is Pro.")
    shopper.sees("Plan now: Pro")
    shopper.sees("You pay US$9 a month.")
    expect(shopper.page.locator('[data-plan="pro"]')).to_have_attribute("aria-current", "true")


def test_a_declined_card_buys_nothing_and_another_one_does(shopper):
    shopper.open().press("Choose Team").pay("4000000000000002")
    shopper.sees("Your card was declined.")
    shopper.pay()
    shopper.sees("Plan now: Team")


def test_who_goes_back_is_told_that_nothing_was_charged(shopper):
    shopper.open().press("Choose Pro").press("Back")
    shopper.sees("You left the checkout. Nothing was charged.")
    shopper.sees("Plan now: Free")


def test_prices_by_the_year_are_shown_and_bought(shopper):
    shopper.open()
    shopper.page.get_by_role("link", name="Yearly").click()
    shopper.sees("a year")
    shopper.press("Choose Pro").pay()
    shopper.sees("You pay US$90 a year.")


def test_a_change_of_plan_is_confirmed_at_stripe_and_had_at_once(shopper, fake):
    shopper.buy("Pro").press("Change to Team")
    shopper.page.wait_for_url(f"{fake.url}/p/session/**")
    shopper.press("Confirm")
    shopper.page.wait_for_url(f"{shopper.url}/billing")
    shopper.sees("Plan now: Team")


def test_cancelling_is_the_portals_page_and_the_plan_stays_until_the_end(shopper, fake):
    shopper.buy("Pro").press("Cancel the subscription")
    shopper.press("Cancel subscription")
    shopper.page.wait_for_url(f"{shopper.url}/billing")
    shopper.sees("It is cancelled and ends on")
    shopper.sees("Plan now: Pro")
    [subscription] = fake.all("subscription")
    fake.renew(subscription["id"])
    shopper.comes_to_see("/billing", "Plan now: Free")


def test_a_failed_payment_is_said_on_every_page_and_mended_at_stripe(shopper, fake):
    shopper.buy("Pro")
    [subscription] = fake.all("subscription")
    fake.fail_card(subscription["customer"])
    fake.renew(subscription["id"])
    shopper.comes_to_see("/containers", "The last payment failed. Your plan stays until")
    shopper.page.get_by_role("link", name="Mend the payment").click()
    shopper.press("Mend the payment")
    shopper.page.wait_for_url(f"{fake.url}/p/session/**")
    expect(shopper.page.get_by_label("Card number")).to_be_visible()


def test_invoices_lead_to_stripe(shopper, fake):
    shopper.buy("Pro")
    shopper.comes_to_see("/billing", "Last invoices")
    shopper.page.get_by_role("link", name=re.compile("^View invoice")).click()
    shopper.page.wait_for_url(f"{fake.url}/i/**")


def test_a_stripe_that_is_away_is_said_and_the_page_goes_on(shopper, fake, page_errors):
    page_errors.allow("status of 503")
    fake.down()
    shopper.open().press("Choose Pro")
    shopper.sees("The payment service does not answer.")
    shopper.sees("Plan now: Free")


def test_without_scripts_it_is_the_same(new_context, hooked, new_user, log_in_as, fake):
    context = new_context(java_script_enabled=False)
    log_in_as(context, new_user(hooked))
    Shopper(context.new_page(), hooked.url).buy("Pro")
