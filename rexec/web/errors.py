"""Error pages, and the only place where an error meets an HTTP status."""

from __future__ import annotations

import logging
import math
import time
from http import HTTPStatus

from flask import Flask, g, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from rexec import errors
from rexec.extensions import limiter
from rexec.web.security import request_id

log = logging.getLogger(__name__)

A_MINUTE_S = 60

_STATUS: tuple[tuple[type[errors.RexecError], int], ...] = (
    (errors.InvalidInput, 422),
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Forbidden, 403),
    (errors.TooManyRequests, 429),
    (errors.Unavailable, 503),
)

_WORDS = {
    403: ("Not allowed", "You are not allowed to do that.", ""),
    404: ("Not found", "There is nothing here.", "It may have been deleted, or the address is wrong."),
    405: ("Not possible", "This address does not take that kind of request.", ""),
    413: ("Too large", "What was sent is larger than this page takes.", "Send less at once."),
    429: ("Too many attempts", "Too many attempts in a short time.", "Wait a minute, then try again."),
    500: (
        "Something broke",
        "Rexec made a mistake and has noted it.",
        "Try again, or tell the operator this id.",
    ),
    503: ("Not available", "A part of Rexec does not answer.", "Try again in a minute."),
}


def status_of(error: errors.RexecError) -> int:
    """The HTTP status for an error of ours; 500 where none is meant for people."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 503 if not error.permanent else 500


def error_page(
    status: int, *, message: str = "", hint: str = "", code: str = "", bare: bool = False
) -> ResponseReturnValue:
    """Render an error in the frame of every page.

    Args:
        status: HTTP status.
        message: What happened; the status's own sentence where empty.
        hint: What to do.
        code: A word to search for.
        bare: Leave out everything that needs the database.
    """
    title, words, advice = _WORDS.get(status, (HTTPStatus(status).phrase, "That did not work.", ""))
    if bare:
        g._login_user = AnonymousUserMixin()  # noqa: SLF001 - keeps Flask-Login from asking the database
    facts = {
        "status": status,
        "title": title,
        "message": message or words,
        "hint": hint or ("" if message else advice),
        "code": code or f"http_{status}",
        "request_id": request_id(),
    }
    if request.accept_mimetypes.best == "application/json":
        return jsonify(error=facts), status
    action = {"action_url": url_for("home.index"), "action_label": "Go to the start page"}
    return render_template("error.html", **facts, **action, bare=bare), status


def _on_rexec_error(error: errors.RexecError) -> ResponseReturnValue:
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request %s: %s: %s (%s)", request_id(), error.code, error.message, error.hint)
    return error_page(status, message=error.message, hint=error.hint, code=error.code)


def _on_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    response = error_page(error.code)
    if isinstance(response, tuple) and error.code in {405, 429}:
        kept = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
        return response[0], error.code, kept
    return response


def _on_rate_limit(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Say when to try again: when the first of the counted requests falls out of the window."""
    breached = limiter.current_limit
    wait_s = max(1, breached.reset_at - int(time.time())) if breached else 60
    words = f"{wait_s} s" if wait_s < A_MINUTE_S else f"{math.ceil(wait_s / A_MINUTE_S)} min"
    page = error_page(
        429,
        message="Too many attempts in a short time.",
        hint=f"Try again in {words}.",
        code="too_many_requests",
    )
    response = make_response(page)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _on_csrf_error(error: CSRFError) -> ResponseReturnValue:
    log.info("request %s: form refused: %s", request_id(), error.description)
    return error_page(
        400,
        message="This form is too old or did not come from this site.",
        hint="Go back, reload the page and send it again.",
        code="csrf",
    )


def _on_database_error(error: Exception) -> ResponseReturnValue:
    log.error("request %s: database: %s", request_id(), type(error).__name__, exc_info=error)
    return error_page(
        503,
        message="The database does not answer, so this page cannot be shown.",
        hint="Containers go on running. Try again in a minute.",
        code="database_unavailable",
        bare=True,
    )


def _on_bug(error: Exception) -> ResponseReturnValue:
    # Not the path: links that set a password are in it.
    log.error("request %s: %s %s failed", request_id(), request.method, request.url_rule, exc_info=error)
    return error_page(500, bare=True)


def init_app(app: Flask) -> None:
    """Register the error pages."""
    app.register_error_handler(errors.RexecError, _on_rexec_error)
    app.register_error_handler(RateLimitExceeded, _on_rate_limit)
    app.register_error_handler(CSRFError, _on_csrf_error)
    app.register_error_handler(HTTPException, _on_http_error)
    for kind in (OperationalError, InternalError, InterfaceError, PoolTimeout):
        app.register_error_handler(kind, _on_database_error)
    app.register_error_handler(Exception, _on_bug)
