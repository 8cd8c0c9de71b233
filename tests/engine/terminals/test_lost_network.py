"""The network to the daemon is lost below an open terminal, and comes back."""

from __future__ import annotations

import pytest

from tests.support.server import HurriedServer


@pytest.fixture
def far_server(stack, way, database_url, tmp_path):
    """`rexec serve` that reaches the daemon by that way."""
    address = {"DOCKER_HOST": f"tcp://127.0.0.1:{way.port}"}
    server = HurriedServer(tmp_path / "server", {**stack.server_environment(database_url), **address})
    try:
        server.start()
        yield server
    finally:
        server.stop()


def hears_of_the_outage(window):
    window.wait(lambda: window.count("unreachable"), "the outage")
    assert window.last("unreachable")["message"]
    assert window.last("unreachable")["retry_in"] > 0


def test_a_lost_network_is_said_in_the_terminal_and_the_same_shell_comes_back(
    far_server, loss, new_user, open_window
):
    user = new_user(far_server)
    public_id = user.new_container()
    user.wait_for(public_id)
    typing, idle = open_window(user, public_id).ready(), open_window(user, public_id, tab=2).ready()
    typing.run("kept=still''here")
    loss.begin()
    typing.type(b"echo l''ost\n")
    hears_of_the_outage(typing)
    hears_of_the_outage(idle)
    assert user.status(public_id) == "running"
    loss.end()
    typing.wait(lambda: typing.count("live") == 2, "live again")
    # A line typed as soon as it is live may be drawn again in its middle: the window has just been sized.
    typing.type(b"echo $kept\n")
    typing.until(b"stillhere")
    idle.wait(lambda: idle.count("live") == 2, "live again")
    idle.type(b"echo n''ew\n")
    idle.until(b"new")
    assert user.status(public_id) == "running"
