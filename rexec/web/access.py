"""Who may see what."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask_login import current_user, login_required

from rexec.errors import NotFound

P = ParamSpec("P")
R = TypeVar("R")


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Let admins through; for anybody else who is logged in the page does not exist."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_user.is_admin:
            raise NotFound
        return view(*args, **kwargs)

    return login_required(guarded)  # type: ignore[no-any-return]
