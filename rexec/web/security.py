"""Security headers, the request id, and what the proxy in front may tell us."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, g, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from rexec.extensions import settings

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")


def csp_nonce() -> str:
    """The nonce for style elements of this response (xterm.js makes some)."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def request_id() -> str:
    """An id for this request, taken from the router in front where it gives a sound one."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
    return str(g.request_id)


def allow_forms_to(*origins: str) -> None:
    """Let forms of this page lead to other sites, too: browsers check where a form's answer redirects.

    Args:
        origins: Scheme and host of each.
    """
    g.form_action = " ".join(("", *origins))


def _policy() -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{csp_nonce()}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            f"form-action 'self'{g.get('form_action', '')}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    headers["X-Request-Id"] = request_id()
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        headers.setdefault("Cache-Control", "no-store")
    return response


class _SessionInterface(SecureCookieSessionInterface):
    """Marks the session cookie Secure also when this request came by https, as the proxy in front says."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or request.is_secure


def init_app(app: Flask) -> None:
    """Trust the configured number of proxies, and send the headers with every response."""
    with app.app_context():
        hops = settings().trusted_proxy_hops
    if hops:
        # Each proxy adds the address it saw, but only one of them sets the scheme and the host.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=1, x_host=1)  # type: ignore[method-assign]
    app.session_interface = _SessionInterface()
    app.after_request(_add_headers)
    app.jinja_env.globals.update(csp_nonce=csp_nonce, request_id=request_id)
