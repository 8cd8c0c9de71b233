"""How often somebody may try: per address and, against many addresses, per account.

Counted in Redis where there is one, so that two instances count together, else in the process. The limit
per account counts by what was typed, whether or not such an account exists.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import request

from rexec.accounts import tokens
from rexec.extensions import limiter
from rexec.web.access import current_user

P = ParamSpec("P")
R = TypeVar("R")

PER_ADDRESS = "20 per minute; 200 per hour"
PER_ACCOUNT = "10 per 5 minutes; 40 per hour"
LINKS_PER_ADDRESS = "30 per minute"

IPV6_PREFIX = 64
LONGEST_EMAIL = 320


def address_key() -> str:
    """Who asks: the address, or for IPv6 its /64, since one household has all of that."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if address.version == 6:  # noqa: PLR2004 - the protocol's name
        return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


def account_key() -> str:
    """Which account is tried, by a hash: the counters hold no address of a person."""
    typed = request.form.get("email", "").strip().lower()[:LONGEST_EMAIL]
    return tokens.keyed_hash("rate-limit", typed)


def own_account_key() -> str:
    """The account of whoever is logged in."""
    return f"user-{current_user.id}" if current_user.is_authenticated else address_key()


def limit_tries(view: Callable[P, R]) -> Callable[P, R]:
    """Limit posts of a form that asks for an e-mail address and a password."""
    per_account = limiter.limit(PER_ACCOUNT, key_func=account_key, methods=["POST"])
    return limiter.limit(PER_ADDRESS, key_func=address_key, methods=["POST"])(per_account(view))


def limit_links(view: Callable[P, R]) -> Callable[P, R]:
    """Limit how many one-time links an address can try."""
    return limiter.limit(LINKS_PER_ADDRESS, key_func=address_key)(view)


limit_own_password = limiter.shared_limit(
    PER_ACCOUNT, scope="own-password", key_func=own_account_key, methods=["POST"]
)
"""Limit the pages that ask for the present password, together: a session left open is no way to guess it."""
