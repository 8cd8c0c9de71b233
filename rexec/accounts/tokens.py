"""Random tokens that are handed out once, and the keyed hash that is kept of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Literal

from rexec.extensions import settings

Purpose = Literal["login-session", "one-time-link", "rate-limit"]


def new() -> str:
    """A token of 256 random bits, fit for a URL."""
    return secrets.token_urlsafe(32)


def keyed_hash(purpose: Purpose, value: str) -> str:
    """What is kept in place of a value: 64 hexadecimal digits.

    Keyed, so that a copy of the database alone can neither be used nor searched for a known value, and a
    changed `JWT_SECRET` ends every session and link.

    Args:
        purpose: What the value is for; the same value hashes differently for another.
        value: The token, or an e-mail address to be counted.
    """
    return hmac.new(settings().derived_key(purpose), value.encode(), hashlib.sha256).hexdigest()
