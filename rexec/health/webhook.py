"""Posting to a chat: the JSON that Slack's incoming webhooks take, and many others with them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

import requests

log = logging.getLogger(__name__)

CONNECT_S = 3.0
ANSWER_S = 5.0


def sender(url: str | None, app_url: str | None) -> Callable[[str], bool] | None:
    """What posts a text to a webhook; None where there is none.

    Args:
        url: Of the webhook; a secret.
        app_url: Names this deployment in the text, where it is known.
    """
    return None if url is None else partial(post, url, app_url)


def post(url: str, app_url: str | None, text: str) -> bool:
    """Post a text; whether it arrived. A failure is logged without the address, which is a secret.

    Args:
        url: Of the webhook.
        app_url: Named in front of the text.
        text: Plain words.
    """
    where = f"Rexec ({app_url})" if app_url else "Rexec"
    try:
        # Unread and closed: an answer that never ends holds nobody.
        with requests.post(
            url,
            json={"text": f"{where}: {_escaped(text)}"},
            timeout=(CONNECT_S, ANSWER_S),
            allow_redirects=False,
            stream=True,
        ) as answer:
            if answer.ok and not answer.is_redirect:
                return True
            log.warning("the alert webhook answered %d", answer.status_code)
    except requests.RequestException as error:
        log.warning("the alert webhook cannot be reached: %s", type(error).__name__)
    return False


def _escaped(text: str) -> str:
    """Slack's three special characters, as its documentation on formatting text has them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
