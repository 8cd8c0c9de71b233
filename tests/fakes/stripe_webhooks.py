"""Webhook endpoints: signed deliveries with retries; https://docs.stripe.com/webhooks."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 10.0
PAUSES_S = (0.1, 0.3, 1.0)
"""Between one attempt and the next; Stripe's own are hours."""


@dataclass(frozen=True)
class Endpoint:
    """Where events go: an address, its secret, and the types it asked for."""

    url: str
    secret: str
    types: tuple[str, ...] = ("*",)

    def wants(self, event: dict) -> bool:
        """Whether it asked for events of this type."""
        return "*" in self.types or event["type"] in self.types


@dataclass
class Attempt:
    """One delivery and what came of it; status 0 where nobody answered."""

    event: dict
    endpoint: Endpoint
    status: int
    at: float = field(default_factory=time.time)


def signed(event: dict, secret: str, timestamp: int | None = None) -> tuple[bytes, str]:
    """The body of a delivery, and its `Stripe-Signature`.

    https://docs.stripe.com/webhooks#verify-manually

    Args:
        event: As it goes over the wire.
        secret: Of the endpoint, `whsec_...`.
        timestamp: Seconds since the epoch, by real time; now, if it is left out.
    """
    moment = int(time.time()) if timestamp is None else timestamp
    public = {key: value for key, value in event.items() if not key.startswith("_")}
    body = json.dumps(public, indent=2).encode()
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={moment},v1={digest}"


def post(endpoint: Endpoint, event: dict, timestamp: int | None = None) -> int:
    """Deliver once, straight to the address, and hand back the status; 0 where nobody answered."""
    body, signature = signed(event, endpoint.secret, timestamp)
    parts = urlsplit(endpoint.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    target = parts.path or "/"
    with contextlib.closing(connection):
        try:
            connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return 0
        return answer.status


class Webhooks:
    """Delivers in a thread of its own, one after the other, in the order of the events.

    A delivery that fails is tried again while later ones go on, so that the order is as loose as Stripe's.
    """

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []
        self.attempts: list[Attempt] = []
        self.held = False
        self.losing = False
        self._due: list[tuple[float, int, int, dict, Endpoint]] = []
        self._numbers = itertools.count()
        self._busy = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, endpoint: Endpoint) -> None:
        """Register an address; it gets what happens from now on."""
        with self._changed:
            self.endpoints.append(endpoint)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="stripe-webhooks", daemon=True)
                self._thread.start()

    def publish(self, events: Iterable[dict]) -> None:
        """Queue events for every address that wants them."""
        with self._changed:
            for event in events:
                receivers = [each for each in self.endpoints if each.wants(event)]
                event["pending_webhooks"] = len(receivers)
                event["_delivered"] = not receivers
                if self.losing:
                    continue
                for endpoint in receivers:
                    heapq.heappush(self._due, (time.monotonic(), next(self._numbers), 0, event, endpoint))
            self._changed.notify_all()

    def hold(self, *, held: bool) -> None:
        """Keep deliveries back, or let them go."""
        with self._changed:
            self.held = held
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait until nothing is to be delivered, and say whether that came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, timeout)

    def record(self, event: dict, endpoint: Endpoint, status: int) -> bool:
        """Note an attempt, and say whether it was taken."""
        taken = 200 <= status < 300
        with self._changed:
            self.attempts.append(Attempt(event, endpoint, status))
            if taken and event.get("pending_webhooks"):
                event["pending_webhooks"] -= 1
                event["_delivered"] = not event["pending_webhooks"]
        return taken

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(TIMEOUT_S)

    def _run(self) -> None:
        while (task := self._next()) is not None:
            attempt, event, endpoint = task
            taken = self.record(event, endpoint, post(endpoint, event))
            with self._changed:
                self._busy = False
                if not taken and attempt < len(PAUSES_S):
                    due = time.monotonic() + PAUSES_S[attempt]
                    heapq.heappush(self._due, (due, next(self._numbers), attempt + 1, event, endpoint))
                self._changed.notify_all()

    def _next(self) -> tuple[int, dict[str, Any], Endpoint] | None:
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                if self._due and not self.held and self._due[0][0] <= now:
                    self._busy = True
                    _, _, attempt, event, endpoint = heapq.heappop(self._due)
                    return attempt, event, endpoint
                ahead = self._due[0][0] - now if self._due and not self.held else None
                self._changed.wait(ahead)
            return None
