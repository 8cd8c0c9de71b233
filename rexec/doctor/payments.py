"""Looks at the Stripe key: one small request with a deadline."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import requests

from rexec.doctor.checks import Finding, blocked, failed, ok, skipped
from rexec.doctor.errors import Unwell

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment

STRIPE = "https://api.stripe.com"
DEADLINES_S = (3.0, 4.0)


def stripe_key(deployment: Deployment) -> Finding:
    """Whether Stripe accepts the key.

    Source: https://docs.stripe.com/api/prices/list, https://docs.stripe.com/api/errors
    """
    if deployment.reading.wrong("STRIPE_SECRET_KEY", "STRIPE_API_BASE"):
        return blocked("settings")
    key = deployment.settings.stripe_secret_key
    if key is None:
        return skipped("STRIPE_SECRET_KEY is not set: there is no billing.")
    base = (deployment.settings.stripe_api_base or STRIPE).rstrip("/")
    try:
        answer = requests.get(
            f"{base}/v1/prices",
            params={"limit": 1},
            headers={"Authorization": f"Bearer {key}"},
            timeout=DEADLINES_S,
            allow_redirects=False,
        )
    except (requests.RequestException, ValueError):
        return failed(Unwell("stripe_unreachable"))
    return verdict(answer.status_code, live="_live_" in key)


def verdict(status: int, *, live: bool) -> Finding:
    """What an answer of Stripe means.

    Args:
        status: Of the HTTP answer.
        live: Whether the key is for real money.
    """
    if status == HTTPStatus.UNAUTHORIZED:
        return failed(Unwell("stripe_key"))
    if status == HTTPStatus.FORBIDDEN:
        return failed(Unwell("stripe_permission"))
    if status != HTTPStatus.OK:
        return failed(Unwell("stripe_unreachable", f"Stripe answered with status {status}."))
    return ok(f"Stripe accepts the key, {'for real money' if live else 'in test mode'}.")
