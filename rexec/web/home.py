"""The start page."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from rexec.web.access import current_user

home = Blueprint("home", __name__)


@home.get("/")
def index() -> ResponseReturnValue:
    """Say what this is to a stranger; lead everybody else to their containers."""
    if current_user.is_authenticated:
        return redirect(url_for("containers.index"))
    return render_template("home.html")
