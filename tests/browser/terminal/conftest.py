"""Terminals in real browsers: a running container, its owner, and windows on its shell."""

from __future__ import annotations

import pytest

from tests.browser.terminal.terminal_page import TerminalPage

WINDOW = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


@pytest.fixture
def container(user):
    """The public id of a running container of `user` with the built-in image."""
    public_id = user.new_container()
    user.wait_for(public_id)
    return public_id


@pytest.fixture
def new_window(new_context, log_in_as):
    """Opens a terminal in a browser of its own: `new_window(user, container, **options of the browser)`."""

    def open_window(user, container, **options) -> TerminalPage:
        context = new_context(**{**WINDOW, **options})
        log_in_as(context, user)
        return TerminalPage(context.new_page(), f"{user.url}/containers/{container}").open()

    return open_window


@pytest.fixture
def terminal(new_window, user, container):
    """The terminal of `container` in a window of 1280 by 800."""
    return new_window(user, container)


@pytest.fixture
def phone(new_window, user, container):
    """The terminal of `container` on a phone of 390 by 780."""
    return new_window(user, container, **PHONE)
