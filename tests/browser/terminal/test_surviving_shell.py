"""The shell survives whatever happens to the browser, to the connection and to Rexec."""

import pytest


@pytest.mark.smoke
def test_a_variable_is_there_after_a_reload_and_from_a_second_browser(terminal, new_window, user, container):
    terminal.asks("KEPT=$((40 + 2)); echo set-$KEPT", "set-42")
    terminal.reload()
    terminal.asks("echo first-$KEPT", "first-42")
    second = new_window(user, container)
    second.asks("echo second-$KEPT", "second-42")
    terminal.wait_for("second-42")


def test_a_reload_shows_what_was_there(terminal):
    terminal.asks("for i in 1 2 3 4 5; do echo line-$((i * i)); done", "line-25")
    before = terminal.text
    after = terminal.reload().wait_for("line-25").text
    assert after.splitlines()[: len(before.splitlines()) - 1] == before.splitlines()[:-1]


@pytest.mark.smoke
def test_a_variable_and_the_scrollback_are_there_after_a_restart_of_rexec(
    own_server, new_user, new_window, page_errors
):
    page_errors.allow("WebSocket connection to|ERR_CONNECTION_REFUSED")
    person = new_user(own_server)
    public_id = person.new_container()
    person.wait_for(public_id)
    terminal = new_window(person, public_id)
    terminal.asks("KEPT=$((40 + 2)); echo set-$KEPT", "set-42")
    own_server.stop()
    terminal.note.get_by_text("Reconnecting").wait_for()
    own_server.start()
    terminal.wait_live()
    terminal.asks("echo after-$KEPT", "after-42")
    assert terminal.text.splitlines().count("set-42") == 1
    terminal.reload()
    assert "set-42" in terminal.text.splitlines()
    terminal.asks("echo later-$KEPT", "later-42")
