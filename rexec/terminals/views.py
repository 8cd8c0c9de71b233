"""The WebSocket of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, request

from rexec.errors import Forbidden, InvalidInput
from rexec.extensions import settings
from rexec.terminals import handshake, service
from rexec.terminals.admission import Admission, Identity
from rexec.web import handover
from rexec.web.access import current_user, login_required

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("terminals", __name__)


@blueprint.get("/containers/<public_id>/terminal")
@login_required
def plain(public_id: str) -> ResponseReturnValue:
    """Say that this address speaks WebSocket."""
    service.find(current_user.id, public_id)
    words = "This address speaks WebSocket; open the container's page instead.\n"
    return Response(words, 426, {"Upgrade": "websocket", "Connection": "Upgrade"}, mimetype="text/plain")


@blueprint.route("/containers/<public_id>/terminal", websocket=True)
def terminal(public_id: str) -> ResponseReturnValue:
    """Check who asks, answer the upgrade, and hand the connection to the hub."""
    _check_browser()
    tab = _tab()
    hand_over = request.environ.get(handover.KEY)
    if hand_over is None:
        abort(501)
    docker_name = service.docker_name_for_viewer(current_user.id, public_id)
    target = request.full_path if request.query_string else request.path
    greeting = handshake.accept(request.headers.items(), target)
    identity = Identity(current_user.id, current_user.session_id)
    admission = Admission(public_id, docker_name, tab, identity, greeting)
    hub = service.hub_of(current_app._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001 - Flask's documented way
    hand_over(lambda sock, leftover: hub.admit(sock, leftover, admission))
    return Response(status=101)


def _check_browser() -> None:
    own = handshake.is_own_origin(
        request.headers.get("Origin"),
        scheme=request.scheme,
        host=request.host,
        app_url=settings().app_url,
    )
    if not own:
        raise Forbidden("The terminal opens only from Rexec's own pages.", code="foreign_origin")
    if not current_user.is_authenticated:
        raise Forbidden(
            "You are logged out.", hint="Log in, then open the terminal again.", code="logged_out"
        )


def _tab() -> int:
    text = request.args.get("tab", "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= service.MAX_TABS):
        raise InvalidInput(f"A tab is a number from 1 to {service.MAX_TABS}.", field="tab")
    return int(text)
