"""`/health` and `/metrics` for people and monitors, `/health/live` for the platform; all from memory."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, request

from rexec.health import access, live, metrics, monitor

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """How everything is, as of at most some seconds ago."""
    reply = monitor.last(current_app).reply
    response = Response(reply.data, reply.status, mimetype="application/json")
    response.headers["Age"] = str(reply.age_s)
    return response


@blueprint.get("/health/live")
def alive() -> tuple[Response, int]:
    """Whether this process serves; a dead Docker host or database does not count."""
    stuck = live.stuck(current_app)
    return jsonify(status="stuck" if stuck else "live", stuck=stuck), 503 if stuck else 200


@blueprint.get("/metrics")
def scrape() -> Response:
    """What Prometheus reads; for this machine, and for whoever has the token."""
    if not access.may_read(request.environ, request.headers.get("Authorization", "")):
        words = "Send the token that `rexec metrics-token` prints: Authorization: Bearer TOKEN\n"
        return Response(words, 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    data, content_type = metrics.render(current_app, request.headers.get("Accept", ""))
    return Response(data, content_type=content_type)


@blueprint.after_request
def forbid_caching(response: Response) -> Response:
    """An old answer is worse than none."""
    response.headers["Cache-Control"] = "no-store"
    return response
