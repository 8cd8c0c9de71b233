"""The WebSocket upgrade: who may ask for it, and the answer."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.utilities import RemoteProtocolError

from rexec.errors import InvalidInput

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_own_origin(origin: str | None, *, scheme: str, host: str, app_url: str | None) -> bool:
    """Say whether a page of ours asks.

    Args:
        origin: The Origin header. Every browser sends one with a WebSocket; where there is none, no browser
            lends its cookies to a foreign page.
        scheme: How the request came, as far as the proxy in front says.
        host: The Host header, with its port where it is not the usual one.
        app_url: The public address, where the operator gave one.
    """
    if origin is None:
        return True
    asked = _address(origin)
    if asked is None:
        return False
    if app_url is not None and asked == _address(app_url):
        return True
    # A proxy that ends TLS without saying so makes our own page look like https from http.
    schemes = {"https"} if scheme == "https" else {"http", "https"}
    return any(asked == _address(f"{possible}://{host}") for possible in schemes)


def _address(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname.lower(), port) if parts.hostname else None


def accept(headers: Iterable[tuple[str, str]], target: str) -> bytes:
    """The answer to an upgrade request.

    Args:
        headers: The request's.
        target: Its path and query.

    Raises:
        InvalidInput: It is not a WebSocket's handshake.
    """
    websocket = WSConnection(ConnectionType.SERVER)
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    try:
        websocket.initiate_upgrade_connection(raw, target)
        if not any(isinstance(event, Request) for event in websocket.events()):
            raise InvalidInput("The handshake of the WebSocket is not complete.")
        # No compression: it costs 85 to 100 KB of memory a terminal.
        return websocket.send(AcceptConnection())
    except RemoteProtocolError as error:
        raise InvalidInput(f"The handshake of the WebSocket is not valid: {error}.") from error
