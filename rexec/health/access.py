"""Who may read `/metrics`: see docs/decisions/0005-who-reads-metrics.md."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rexec.config import is_loopback
from rexec.extensions import settings

if TYPE_CHECKING:
    from rexec.config import Settings

PREFIX = "Bearer "
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST")


def token_of(of: Settings) -> str:
    """What a scraper sends; it changes with JWT_SECRET and opens nothing else.

    Args:
        of: The settings of the service.
    """
    return of.derived_key("metrics").hex()


def may_read(environ: Mapping[str, Any], authorization: str) -> bool:
    """Whether a request may have the figures: it comes from this machine, or brings the token.

    Args:
        environ: The WSGI environment.
        authorization: The header, empty where there is none.
    """
    if authorization.startswith(PREFIX):
        given = authorization.removeprefix(PREFIX).strip().encode()
        return hmac.compare_digest(given, token_of(settings()).encode())
    return is_local(environ)


def is_local(environ: Mapping[str, Any]) -> bool:
    """Whether a request was made on this machine, and not passed on by a proxy here.

    Args:
        environ: The WSGI environment.
    """
    passed_on = any(environ.get(name) for name in FORWARDED)
    return not passed_on and is_loopback(str(environ.get("REMOTE_ADDR", "")))
