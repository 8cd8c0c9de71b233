"""Stripe's servers for tests, as far as a shop of subscriptions sees them.

The official library talks to it when its client is made with `base_addresses={"api": fake.url}`. What it
takes is read from the library's own types, what it answers has all of their fields, and browsers can click
through its checkout and its portal. It keeps to what https://docs.stripe.com/api documents.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from tests.fakes.stripe_api import Api, Request
from tests.fakes.stripe_dashboard import Dashboard
from tests.fakes.stripe_faults import Fault
from tests.fakes.stripe_http import Desk, Listener
from tests.fakes.stripe_state import State
from tests.fakes.stripe_webhooks import Attempt, Endpoint, Webhooks, post, signed

FOREVER = float("inf")
SECRET = "whsec_fake"

__all__ = ["FakeStripe", "signed"]


class FakeStripe(Dashboard):
    """A Stripe account behind an HTTP server on a free port of 127.0.0.1.

    Attributes:
        url: The base address, for the API and for the pages.
        key: The secret key that it takes.
    """

    def __init__(self) -> None:
        self.state = State()
        self.key = self.state.identifier("sk_test_")
        self._api = Api(self.state, self.key)
        self._desk = Desk(self.state, self._api)
        self._webhooks = Webhooks()
        self.state.publish = self._webhooks.publish
        self._listener = Listener(self._desk)
        self.url = self.state.url = f"http://127.0.0.1:{self._listener.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and the deliveries."""
        self.release()
        self._webhooks.close()
        self._listener.down()

    # Its keys

    def revoke_key(self, key: str | None = None, *, expired: bool = True) -> None:
        """Take a key no more: as one that expired, or as one that never was."""
        key = key or self.key
        self._api.keys.discard(key)
        if expired:
            self._api.expired.add(key)

    def add_key(self) -> str:
        """A further key of the account."""
        key = self.state.identifier("sk_test_")
        self._api.keys.add(key)
        return key

    # Its settings

    def after_retries(self, status: str) -> None:
        """What the last failed retry makes of a subscription: `canceled`, `unpaid` or `past_due`."""
        self.state.after_retries = status

    def retry_after(self, *days: int) -> None:
        """Days between one failed attempt and the next."""
        self.state.retry_days = days

    # What it saw

    @property
    def requests(self) -> list[Request]:
        """All API requests so far."""
        return list(self._desk.requests)

    def calls(self, method: str | None = None, path_prefix: str = "/") -> list[Request]:
        """The API requests of a method below a path."""
        return [
            each
            for each in self.requests
            if method in {None, each.method} and each.path.startswith(path_prefix)
        ]

    @property
    def crashes(self) -> list[str]:
        """Tracebacks of mistakes in the fake itself."""
        return self._api.crashes

    @property
    def events(self) -> list[dict]:
        """All events so far, oldest first, as they go over the wire."""
        with self.state.lock:
            return [self.state.view(event) for event in self.state.events]

    def events_of(self, *types: str) -> list[dict]:
        """Those of some types."""
        return [event for event in self.events if event["type"] in types]

    def types_since(self, number: int) -> list[str]:
        """The types of the events after the first so many."""
        return [event["type"] for event in self.events[number:]]

    def now(self) -> int:
        """The account's clock: seconds since the epoch."""
        return self.state.now()

    # Faults

    @property
    def latency_s(self) -> float:
        """Seconds before each answer."""
        return self._desk.latency_s

    @latency_s.setter
    def latency_s(self, seconds: float) -> None:
        self._desk.latency_s = seconds

    def fail_next(
        self, status: int = 500, times: float = 1, path: str | None = None, *, executed: bool = False
    ) -> None:
        """Let requests fail.

        Args:
            status: 429 and 409 refuse at the door; 500 and more strike when the endpoint has begun, and are
                stored for the request's idempotency key.
            times: How many requests.
            path: The beginning of their paths; None for all.
            executed: Whether the work is done all the same; its own answer is then what the key stores.
        """
        self._desk.faults.add(Fault("fail", path, times, status, executed))

    def drop_next(self, times: float = 1, path: str | None = None, *, executed: bool = False) -> None:
        """Let connections end without an answer, before or after the work is done."""
        self._desk.faults.add(Fault("drop", path, times, executed=executed))

    def hang(
        self,
        seconds: float | None = None,
        path: str | None = None,
        *,
        times: float = FOREVER,
        executed: bool = False,
    ) -> Callable[[], None]:
        """Accept requests and do not answer them; the function that is handed back lets them go.

        Args:
            seconds: Afterwards the request is carried out and answered; None waits for `release`, which ends
                the connection, with nothing done.
            path: The beginning of the paths; None for all.
            times: How many requests.
            executed: Whether the work is done at once, and only the answer is missing.
        """
        self._desk.faults.add(Fault("hang", path, times, executed=executed, seconds=seconds))
        return self.release

    def release(self) -> None:
        """End all faults, and the connections that hang."""
        self._desk.faults.release()

    def down(self) -> None:
        """Refuse connections, and cut those that are open."""
        self._listener.down()

    def up(self) -> None:
        """Be there again, on the same port with the same account."""
        self._listener.up()

    def restart(self) -> None:
        """Go down and come up."""
        self.down()
        self.up()

    # Webhooks

    def add_webhook(self, url: str, secret: str = SECRET, types: tuple[str, ...] = ("*",)) -> Endpoint:
        """Deliver what happens from now on to an address."""
        endpoint = Endpoint(url, secret, types)
        self._webhooks.add(endpoint)
        return endpoint

    def hold_webhooks(self) -> None:
        """Keep deliveries back."""
        self._webhooks.hold(held=True)

    def release_webhooks(self) -> None:
        """Let them go, in the order of their events."""
        self._webhooks.hold(held=False)

    def lose_webhooks(self, lost: bool = True) -> None:  # noqa: FBT001, FBT002
        """Never deliver what happens from now on, or do again."""
        self._webhooks.losing = lost

    def wait_delivered(self, timeout: float = 20.0) -> None:
        """Wait until every event was taken or given up.

        Raises:
            AssertionError: It was not in time.
        """
        if not self._webhooks.wait(timeout):
            raise AssertionError(f"webhooks not delivered within {timeout} s")

    @property
    def deliveries(self) -> list[Attempt]:
        """All attempts so far."""
        return list(self._webhooks.attempts)

    def deliver(
        self, event: dict | str, times: int = 1, secret: str | None = None, timestamp: int | None = None
    ) -> list[int]:
        """Deliver an event now, to every address, and hand back the statuses.

        Args:
            event: One of `events`, or its id, or one made up.
            times: How often, one after the other.
            secret: To sign with, instead of the endpoint's own.
            timestamp: Of the signature, in seconds since the epoch; now, if it is left out.
        """
        if isinstance(event, str):
            event = next(each for each in self.events if each["id"] == event)
        return [
            self._post(each, event, secret, timestamp)
            for _ in range(times)
            for each in self._webhooks.endpoints
        ]

    def deliver_together(self, event: dict, times: int) -> list[int]:
        """Deliver an event several times at once, to every address."""
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.extend(self.deliver(event))) for _ in range(times)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def _post(self, endpoint: Endpoint, event: dict, secret: str | None, timestamp: int | None) -> int:
        status = post(Endpoint(endpoint.url, secret or endpoint.secret), event, timestamp)
        kept = next((each for each in self.state.events if each["id"] == event["id"]), event)
        self._webhooks.record(kept, endpoint, status)
        return status
