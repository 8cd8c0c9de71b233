"""A connection that is lost comes back by itself, and says so meanwhile; one that is over says why."""

import contextlib
import re

import pytest
from playwright.sync_api import Error, expect

from tests.support.processes import children, frozen


@pytest.fixture
def owner(own_server, new_user):
    """Somebody on a server of its own."""
    return new_user(own_server)


@pytest.fixture
def lonely(owner, new_window, page_errors):
    """A terminal on a server of its own, which the test may stop."""
    page_errors.allow("WebSocket connection to|ERR_CONNECTION_REFUSED")
    public_id = owner.new_container()
    owner.wait_for(public_id)
    return new_window(owner, public_id)


def wait_long_before_the_next_try(window):
    """Waits grow to many seconds while the server is away; here to the longest of them."""
    window.page.evaluate("Math.random = () => 1")
    window.page.evaluate("document.querySelector('rexec-terminal').shell.connection.failures = 10")
    window.page.evaluate("document.querySelector('rexec-terminal').shell.connection.connect()")
    window.note.get_by_text(re.compile(r"Reconnecting in 1\d s")).wait_for()


def test_nothing_is_said_while_the_terminal_is_connected(terminal):
    assert terminal.note.is_hidden()


def test_a_lost_connection_is_said_in_words_with_a_way_to_hurry(lonely, own_server):
    own_server.stop()
    lonely.note.get_by_text(re.compile(r"^Reconnecting in \d+ s$")).wait_for()
    wait_long_before_the_next_try(lonely)
    own_server.start()
    lonely.note.get_by_role("button", name="Now").click()
    lonely.wait_live()
    assert lonely.note.is_hidden()
    lonely.asks("echo $((20 + 3))-back", "23-back")


def test_a_vm_that_cannot_be_reached_is_said_with_the_time_of_the_next_try(terminal):
    terminal.page.evaluate(
        """document.querySelector('rexec-terminal').shell.connection.handlers.frame(
          {type: 'status', state: 'unreachable', message: 'The VM is away.', retry_in: 9})"""
    )
    terminal.note.get_by_text(re.compile(r"^The VM is away\. Trying again in [1-9] s$")).wait_for()
    terminal.note.get_by_text("The VM is away. Trying again", exact=True).wait_for()


def test_a_network_that_comes_back_is_used_at_once(lonely, own_server):
    own_server.stop()
    lonely.note.get_by_text("Reconnecting").wait_for()
    wait_long_before_the_next_try(lonely)
    own_server.start()
    lonely.page.evaluate("window.dispatchEvent(new Event('online'))")
    lonely.wait_live(timeout=4)


def test_what_is_typed_without_a_connection_is_not_typed_later(lonely, own_server):
    own_server.stop()
    lonely.note.get_by_text("Reconnecting").wait_for()
    lonely.run("echo $((5 * 5))-ghost")
    own_server.start()
    lonely.wait_live()
    lonely.asks("echo $((6 * 6))-live", "36-live")
    assert "25-ghost" not in lonely.text


def test_after_logging_out_the_terminal_offers_to_log_in_again(terminal, user, page_errors, container):
    page_errors.allow("WebSocket connection to")
    user.log_out()
    terminal.page.evaluate("document.querySelector('rexec-terminal').shell.connection.connect()")
    link = terminal.note.get_by_role("link", name="Log in")
    link.wait_for()
    assert link.get_attribute("href").endswith(f"?next=/containers/{container}")


def test_a_container_stopped_while_the_browser_was_away_is_said_to_be(lonely, own_server, engine):
    own_server.stop()
    lonely.note.get_by_text("Reconnecting").wait_for()
    engine.docker("stop", "-t", "1", f"rexec-{lonely.public_id}")
    own_server.start()
    lonely.note.get_by_role("button", name="Start").wait_for(timeout=30_000)


def test_a_deleted_container_leads_to_the_list(terminal, user, container, page_errors):
    page_errors.allow("status of 404|WebSocket connection to")
    user.act(container, "delete")
    terminal.page.wait_for_url("**/containers", timeout=20_000)


def test_a_container_that_takes_long_to_delete_leads_to_the_list_in_the_end(
    lonely, owner, own_server, engine, page_errors
):
    page_errors.allow("status of 404")
    with frozen(children(own_server.pid)["rexec-worker"]):
        owner.act(lonely.public_id, "delete")
        engine.docker("rm", "--force", f"rexec-{lonely.public_id}")
        expect(lonely.page.locator("#container-head .state")).to_have_text("deleting")
    lonely.page.wait_for_url("**/containers", timeout=20_000)


def test_a_container_deleted_while_the_browser_was_away_leads_to_the_list(
    lonely, owner, own_server, page_errors
):
    page_errors.allow("status of 404")
    own_server.stop()
    lonely.note.get_by_text("Reconnecting").wait_for()
    wait_long_before_the_next_try(lonely)
    own_server.start()
    owner.act(lonely.public_id, "delete")
    owner.wait_for(lonely.public_id, None)
    # On a slow machine it has tried again by itself meanwhile, and is about to leave or has left.
    with contextlib.suppress(Error):
        lonely.page.evaluate("window.dispatchEvent(new Event('online'))")
    lonely.page.wait_for_url("**/containers", timeout=20_000)


def test_the_time_to_the_server_and_back_is_shown(terminal):
    badge = terminal.page.locator("[data-latency]")
    badge.get_by_text(re.compile(r"^\d+ ms$")).or_(badge.filter(has_text=re.compile(r"^\d+ ms$"))).wait_for()


def test_waits_between_attempts_double_within_bounds_and_are_spread(terminal):
    waits = terminal.page.evaluate(
        """async () => {
          const { backOff } = await import('/static/js/terminal/connection.js');
          return [0, 1, 2, 3, 30].map((attempt) => Array.from({ length: 50 }, () => backOff(attempt)));
        }"""
    )
    for attempt, drawn in zip((500, 1000, 2000, 4000, 15_000), waits, strict=True):
        assert all(attempt / 2 <= wait <= attempt for wait in drawn)
        assert len(set(drawn)) > 1
