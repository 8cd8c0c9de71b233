"""`/health` for people and monitors, `/health/live` for the platform; both answer from memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, jsonify

from rexec.health import live, monitor
from rexec.health.verdict import http_status

if TYPE_CHECKING:
    from flask import Response

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """How everything is, as of at most some seconds ago."""
    body = monitor.answer(current_app)
    return jsonify(body), http_status(body)


@blueprint.get("/health/live")
def alive() -> tuple[Response, int]:
    """Whether this process serves; a dead Docker host or database does not count."""
    stuck = live.stuck(current_app)
    return jsonify(status="stuck" if stuck else "live", stuck=stuck), 503 if stuck else 200


@blueprint.after_request
def forbid_caching(response: Response) -> Response:
    """An old answer is worse than none."""
    response.headers["Cache-Control"] = "no-store"
    return response
