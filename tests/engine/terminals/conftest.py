"""A running container, its owner, and windows on its terminals through a real server."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.terminal_window import TerminalWindow


@pytest.fixture
def open_window():
    """Opens a window: `open_window(user, container, tab=2, ...)`."""
    windows: list[TerminalWindow] = []

    def make(user, public_id, **options):
        windows.append(TerminalWindow(user.url, user.cookie_header, public_id, **options))
        return windows[-1]

    yield make
    for window in windows:
        with contextlib.suppress(OSError):
            window.close()


@pytest.fixture
def container(user):
    """The public id of a running container of `user`."""
    public_id = user.new_container()
    user.wait_for(public_id)
    return public_id


@pytest.fixture
def inside(engine):
    """Runs a command line in a container, past Rexec."""

    def run(public_id, line):
        return engine.docker("exec", f"rexec-{public_id}", "/bin/sh", "-c", line)

    return run
