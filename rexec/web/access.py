"""Who may see what."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import flask_login

from rexec.errors import NotFound

P = ParamSpec("P")
R = TypeVar("R")

current_user: Any = flask_login.current_user
"""Who asks: Flask-Login's user, whose own package says nothing about its type."""


def login_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let those through who are logged in; others are led to the log-in page."""
    return cast("Callable[P, R]", flask_login.login_required(view))


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let admins through; for anybody else who is logged in the page does not exist."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_user.is_admin:
            raise NotFound
        return view(*args, **kwargs)

    return login_required(guarded)
