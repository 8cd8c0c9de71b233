"""When the container stops, the terminal says so and offers to start it."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def stopped(terminal, engine, container, user):
    """A terminal whose container was stopped behind Rexec's back."""
    terminal.asks("echo $((4 * 4))-kept > /root/note; cat /root/note", "16-kept")
    engine.docker("stop", "-t", "1", f"rexec-{container}")
    terminal.note.get_by_role("button", name="Start").wait_for(timeout=20_000)
    user.wait_for(container, "stopped")
    return terminal


def test_start_brings_the_terminal_back_with_the_home_directory(stopped):
    stopped.note.get_by_role("button", name="Start").click()
    stopped.wait_live(timeout=30)
    stopped.asks("tr a b < /root/note", "16-kept")


def test_the_head_of_the_page_follows_without_a_reload(stopped):
    expect(stopped.page.locator("#container-head .state")).to_have_text("stopped", timeout=15_000)


def test_a_container_that_is_gone_from_the_vm_says_why_and_offers_retry_without_a_reload(
    terminal, engine, container
):
    page = terminal.page
    engine.docker("rm", "-f", f"rexec-{container}")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.get_by_role("button", name="Delete with home directory")).to_be_visible()
    expect(page.locator("#container-head .state")).to_have_text("failed")
    expect(page.locator("rexec-terminal")).to_have_count(0)
    page.get_by_role("button", name="Retry").click()
    terminal.wait_live(timeout=30)


def test_a_stopped_container_that_then_goes_says_so_too(stopped, engine, container):
    engine.docker("rm", f"rexec-{container}")
    expect(stopped.page.get_by_role("button", name="Retry")).to_be_visible()


def test_a_terminal_comes_back_when_its_container_was_started_elsewhere(stopped, user, container):
    user.act(container, "start")
    stopped.wait_live(timeout=30)
    expect(stopped.page.locator("#container-head .state")).to_have_text("running", timeout=15_000)
    stopped.asks("tr a b < /root/note", "16-kept")


def test_what_was_on_the_screen_stays_after_the_stop(stopped):
    assert "16-kept" in stopped.text


def test_the_terminal_takes_its_place_without_a_reload_and_focused(new_context, log_in_as, user):
    from tests.browser.terminal.terminal_page import TerminalPage

    context = new_context(viewport={"width": 1280, "height": 800})
    log_in_as(context, user)
    page = context.new_page()
    page.goto(f"{user.url}/containers/new")
    page.get_by_role("button", name="Create").click()
    page.evaluate("window.sameDocument = true")
    terminal = TerminalPage(page, page.url).wait_live(timeout=30)
    assert page.evaluate("window.sameDocument") is True
    terminal.asks("echo $((7 * 7))-typed", "49-typed")
