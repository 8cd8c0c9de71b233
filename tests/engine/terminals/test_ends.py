"""Containers and daemons that go away, and come back, below an open terminal."""

from __future__ import annotations

import pytest

from tests.support.server import RexecServer
from tests.support.stacks import on_postgres, on_sqlite
from tests.support.terminal_window import Refused


def test_a_stopped_container_says_so_and_its_terminal_opens_again_after_a_start(user, container, open_window):
    window = open_window(user, container).ready()
    user.act(container, "stop")
    assert window.wait_closed() == (1000, "stopped")
    assert window.exit_message() == {
        "type": "exit",
        "reason": "stopped",
        "message": "The container is stopped.",
    }
    user.wait_for(container, "stopped")
    with pytest.raises(Refused) as refusal:
        open_window(user, container)
    assert refusal.value.status == 409
    user.act(container, "start")
    user.wait_for(container)
    assert open_window(user, container).ready().run("echo a''gain").endswith("again")


@on_postgres
def test_a_deleted_container_ends_its_terminal(user, container, open_window):
    window = open_window(user, container).ready()
    user.act(container, "delete")
    code, reason = window.wait_closed()
    assert (code, reason) in {(1000, "deleted"), (1000, "stopped")}
    user.wait_for(container, None)
    with pytest.raises(Refused) as refusal:
        open_window(user, container)
    assert refusal.value.status == 404


@on_postgres
def test_a_container_that_the_engine_restarts_keeps_its_windows(user, container, open_window, engine):
    window = open_window(user, container).ready()
    window.run("echo before-the-re''start")
    engine.docker("restart", "-t", "1", f"rexec-{container}")
    window.wait(lambda: window.count("live") == 2, "live again")
    assert window.run("echo a''fter").endswith("after")
    assert b"before-the-restart" in window.replayed


@on_postgres
def test_a_main_process_that_dies_is_started_again_by_the_engine(user, container, open_window, engine):
    window = open_window(user, container).ready()
    engine.docker("kill", f"rexec-{container}", check=False)
    code, _ = window.wait_closed()
    assert code == 1000


@pytest.fixture
def frail(stack, own_engine, database_url, tmp_path):
    """`rexec serve` on a daemon of this test's own."""
    server = RexecServer(
        tmp_path / "server", {**stack.server_environment(database_url), **own_engine.environment()}
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def windows(frail, new_user, open_window):
    """The main terminal of a container, with a variable in its shell, and a tab."""
    user = new_user(frail)
    public_id = user.new_container()
    user.wait_for(public_id)
    main, tab = open_window(user, public_id).ready(), open_window(user, public_id, tab=2).ready()
    main.run("kept=still''here")
    return main, tab


def come_back(main, tab):
    main.wait(lambda: main.count("live") == 2, "live again", 30)
    assert main.run("echo $kept") == "stillhere"
    tab.wait(lambda: tab.count("live") == 2, "live again", 30)
    assert tab.run("echo n''ew").endswith("new")


@on_sqlite
def test_a_daemon_that_dies_and_comes_back_keeps_shell_and_windows(own_engine, windows):
    own_engine.kill()
    for window in windows:
        window.wait(lambda window=window: window.count("unreachable"), "the outage")
        assert window.last("unreachable")["retry_in"] > 0
        assert window.last("unreachable")["message"]
    own_engine.start()
    come_back(*windows)


@on_sqlite
def test_a_daemon_that_is_restarted_keeps_shell_and_windows(own_engine, windows):
    own_engine.restart_politely()
    come_back(*windows)
