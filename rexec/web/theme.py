"""The colours that a person chose, kept in a cookie so that a page is painted right from its first byte."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

COOKIE = "theme"
CHOICES = ("light", "dark")
YEAR_S = 365 * 24 * 3600

theme = Blueprint("theme", __name__)


@theme.post("/theme")
def choose() -> ResponseReturnValue:
    """Remember light or dark; forget either for anything else, so that the system decides."""
    came_from = request.referrer or ""
    home = url_for("home.index")
    response = redirect(came_from if urlsplit(came_from).netloc == request.host else home, 303)
    chosen = request.form.get("theme", "")
    if chosen in CHOICES:
        response.set_cookie(COOKIE, chosen, max_age=YEAR_S, secure=request.is_secure, samesite="Lax")
    else:
        response.delete_cookie(COOKIE)
    return response
