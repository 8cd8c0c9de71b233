"""Between Flask-Login and the sessions kept in the database; where a person is sent after logging in."""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from flask import Flask, Response, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError

from rexec.accounts import sessions
from rexec.extensions import db, login_manager
from rexec.web.access import current_user

log = logging.getLogger(__name__)

HOME = "/containers"
SERVER_ERROR = 500
_CONTROL_OR_BACKSLASH = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def enter(token: str) -> None:
    """Make this browser the one that holds a new session; what an earlier person left in its cookie goes.

    Args:
        token: As `sessions.start` returned it.
    """
    earlier = current_session_id()
    if earlier is not None:
        sessions.end(earlier)
    session.clear()
    session.permanent = True
    login_user(sessions.load(token))


def leave() -> None:
    """End this browser's session, in the database and in its cookie."""
    session_id = current_session_id()
    if session_id is not None:
        sessions.end(session_id)
    logout_user()
    session.clear()


def current_session_id() -> int | None:
    """The id of this request's log-in session; None for a stranger."""
    return current_user.session_id if current_user.is_authenticated else None


def safe_next(target: str | None) -> str | None:
    """An address within this site, or None where it could lead anywhere else.

    Browsers drop control characters, take a backslash for a slash, and read `//host` as another site; what
    is encoded is judged as it reads decoded too.

    Args:
        target: What the query string brought.
    """
    if not target:
        return None
    for form in (target, unquote(target), unquote(unquote(target))):
        if (
            not form.startswith("/")
            or form.startswith("//")
            or _CONTROL_OR_BACKSLASH.search(form.partition("?")[0])
        ):
            return None
        try:
            parts = urlsplit(form)
        except ValueError:
            return None
        if parts.scheme or parts.netloc:
            return None
    return None if _CONTROL_OR_BACKSLASH.search(target) else target


def after_login() -> str:
    """Where to go now: the page that asked for the log-in, else the containers."""
    return safe_next(request.args.get("next")) or HOME


def _ask_to_log_in() -> ResponseReturnValue:
    """Send a stranger to the log-in page, which remembers the page that was asked for.

    A page that asks for a part of itself is sent there as a whole: a redirect, which the browser follows by
    itself, would put the log-in page into that part (HX-Redirect of https://htmx.org/reference).
    """
    if request.headers.get("HX-Request") == "true":
        address = url_for("accounts.log_in", next=_page_of_part())
        flash("Your session is over. Log in to go on.", "warn")
        return Response(status=401, headers={"HX-Redirect": address})
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    address = url_for("accounts.log_in", next=safe_next(target))
    flash("Log in to see this page.", "warn")
    return redirect(address, 303)


def _page_of_part() -> str | None:
    """The page that asks for a part of itself, without what would lead elsewhere."""
    try:
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        return None
    return safe_next(urlunsplit(("", "", page.path, page.query, "")))


def _note_seen(response: Response) -> Response:
    """Write now and then that the session is in use, and lengthen the life of its cookie with it."""
    user = g.get("_login_user")  # only where the page asked who it is: static files do not
    if isinstance(user, sessions.CurrentUser) and user.is_stale and response.status_code < SERVER_ERROR:
        try:
            db.session.rollback()
            sessions.note_seen(user.session_id)
        except SQLAlchemyError:
            db.session.rollback()
            log.warning("session %s could not be noted as seen", user.session_id)
        else:
            session.modified = True
    return response


def init_app(app: Flask) -> None:
    """Tell Flask-Login how to find who a cookie belongs to."""
    app.config["SESSION_PROTECTION"] = None  # rows on the server do what it tries to
    login_manager.user_loader(sessions.load)
    login_manager.unauthorized_handler(_ask_to_log_in)
    app.after_request(_note_seen)
