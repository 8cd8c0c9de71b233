"""A page whose scripts or styles did not arrive is neither a blank rectangle nor one that stands still."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.terminal.conftest import WINDOW
from tests.browser.terminal.terminal_page import TerminalPage


@pytest.fixture
def broken(new_context, log_in_as, user, container, page_errors):
    """Opens a container's page, one part of which fails to arrive the first times that it is loaded."""
    page_errors.allow("ERR_FAILED")

    def open_page(loads: int, part: str = "js/terminal/element.js") -> TerminalPage:
        context = new_context(**WINDOW)
        log_in_as(context, user)
        page = context.new_page()
        # Once before: Chromium drops what it loads while a container that starts changes the network.
        window = TerminalPage(page, f"{user.url}/containers/{container}").open()
        loaded: list[str] = []
        page.on("request", lambda asked: asked.is_navigation_request() and loaded.append(asked.url))
        # Within one load the browser may ask for a script twice: ahead of its need, and then.
        page.route(
            f"**/{part}",
            lambda route: route.abort() if len(loaded) <= loads else route.continue_(),
        )
        page.reload()
        return window

    return open_page


def test_scripts_that_were_lost_on_the_way_are_fetched_again(broken):
    broken(loads=1).wait_live().asks("echo $((40 + 2))-here", "42-here")


def test_scripts_that_never_arrive_are_spoken_of_with_a_way_out(broken):
    window = broken(loads=3)
    window.page.get_by_text("The terminal could not be loaded").wait_for()
    window.page.get_by_role("link", name="Reload the page").click()
    window.wait_live()


def test_what_brings_news_is_fetched_again_too(broken):
    window = broken(loads=1, part="htmx.min.js")
    window.page.wait_for_function("() => 'htmx' in window")
    window.wait_live()
    assert window.page.evaluate("sessionStorage.getItem('rexec-reloads')") == "0"
    expect(window.page.locator("#not-whole")).to_be_hidden()


def test_a_page_that_never_gets_news_says_so_with_a_way_out(broken):
    window = broken(loads=3, part="htmx.min.js")
    window.page.get_by_text("A part of this page did not arrive").wait_for()
    window.wait_live()
    window.page.locator("#not-whole").get_by_role("link", name="Reload the page").click()
    window.page.wait_for_function("() => 'htmx' in window")
    expect(window.page.locator("#not-whole")).to_be_hidden()


def test_what_every_page_does_is_fetched_again_too(broken):
    window = broken(loads=1, part="js/app.js")
    window.page.wait_for_function("() => sessionStorage.getItem('rexec-reloads') === '0'")
    window.wait_live()
    expect(window.page.locator("#not-whole")).to_be_hidden()


def test_a_style_sheet_that_was_lost_on_the_way_is_fetched_again(broken):
    window = broken(loads=1, part="css/layout.css")
    window.page.wait_for_function("() => sessionStorage.getItem('rexec-reloads') === '0'")
    window.wait_live()
    expect(window.page.locator("#not-whole")).to_be_hidden()


def test_a_page_that_never_gets_its_styles_says_so_with_a_way_out(broken):
    window = broken(loads=3, part="css/layout.css")
    window.page.locator("#not-whole").get_by_role("link", name="Reload the page").click()
    window.wait_live()
    expect(window.page.locator("#not-whole")).to_be_hidden()


def test_a_page_that_lost_what_watches_over_it_says_so_after_a_while(broken):
    window = broken(loads=1, part="js/reload.js")
    notice = window.page.locator("#not-whole")
    expect(notice).to_be_hidden()
    notice.get_by_role("link", name="Reload the page").click()
    window.page.wait_for_function("() => 'watched' in document.documentElement.dataset")
    window.wait_live()
    expect(notice).to_be_hidden()
