"""One API request: key, idempotency, parameters, the endpoint's work, expansion.

https://docs.stripe.com/api/authentication, https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import json
import threading
import traceback
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes import (
    stripe_account,
    stripe_checkout,
    stripe_customers,
    stripe_invoices,
    stripe_portal,
    stripe_routes,
    stripe_subscriptions,
)
from tests.fakes.stripe_errors import ApiError, RefusedParameter
from tests.fakes.stripe_forms import decode
from tests.fakes.stripe_lifecycle import view_subscription
from tests.fakes.stripe_lists import expand
from tests.fakes.stripe_schema import check, parameters
from tests.fakes.stripe_state import State

MODULES = (
    stripe_account,
    stripe_checkout,
    stripe_customers,
    stripe_invoices,
    stripe_portal,
    stripe_subscriptions,
)
"""Their endpoints register themselves when they are imported."""


@dataclass
class Request:
    """A request as it came, for tests that count."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]
    id: str
    params: dict = field(default_factory=dict)
    status: int = 0

    @property
    def idempotency_key(self) -> str | None:
        """Of a POST; elsewhere it has no meaning."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None

    @property
    def version(self) -> str | None:
        """The API version the client speaks."""
        return self.headers.get("stripe-version")


@dataclass
class Answer:
    """Status, JSON and headers."""

    status: int
    body: dict
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Stored:
    """The outcome of the first request with a key."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    fingerprint: tuple = ()
    answer: Answer | None = None
    request_id: str = ""


class Api:
    """Answers requests.

    Args:
        state: The account.
        key: Its secret key.
    """

    def __init__(self, state: State, key: str) -> None:
        self.state = state
        self.keys = {key}
        self.expired: set[str] = set()
        self.crashes: list[str] = []
        self._stored: dict[str, Stored] = {}
        state.extra_views["subscription"] = view_subscription

    def answer(self, request: Request, failure: ApiError | None = None) -> Answer:
        """The answer to a request.

        Args:
            request: What came.
            failure: A fault of the server that strikes when the endpoint has begun.
        """
        try:
            self._authenticate(request)
            return self._once(request, failure)
        except ApiError as error:
            return Answer(error.status, error.body())
        except Exception:  # noqa: BLE001 - whatever it is, the test should read it
            # A mistake in the fake must not look like a network that broke.
            self.crashes.append(traceback.format_exc())
            return Answer(500, ApiError(500, "api_error", traceback.format_exc()).body())

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            raise ApiError(401, "invalid_request_error", "You did not provide an API key.")
        shown = f"{key[:8]}{'*' * 8}{key[-4:]}"
        if key in self.expired:
            message = f"Expired API Key provided: {shown}"
            raise ApiError(401, "invalid_request_error", message, code="api_key_expired")
        if key not in self.keys:
            raise ApiError(401, "invalid_request_error", f"Invalid API Key provided: {shown}")

    def _once(self, request: Request, failure: ApiError | None) -> Answer:
        request.params = decode(request.body) | decode(request.query)
        key = request.idempotency_key
        if key is None:
            return self._run(request, failure)
        with self.state.lock:
            stored = self._stored.setdefault(key, Stored())
        with stored.lock:
            fingerprint = (request.path, json.dumps(request.params, sort_keys=True))
            if stored.answer is None:
                answer = self._run(request, failure)
                stored.fingerprint, stored.answer, stored.request_id = fingerprint, answer, request.id
                return answer
            if stored.fingerprint != fingerprint:
                raise ApiError(
                    400,
                    "idempotency_error",
                    "Keys for idempotent requests can only be used with the same parameters they were first "
                    f"used with. Try using a key other than '{key}' if you meant to execute a different "
                    "request.",
                )
            headers = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
            return Answer(stored.answer.status, stored.answer.body, headers)

    def _run(self, request: Request, failure: ApiError | None) -> Answer:
        """Carry out a request that is no repetition; what is raised is not stored for its key."""
        found = stripe_routes.find(request.method, request.path)
        if found is None:
            raise ApiError(
                404,
                "invalid_request_error",
                f"Unrecognized request URL ({request.method}: {request.path}). Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/.",
            )
        endpoint, names = found
        given = check(parameters(endpoint.parameters), request.params)
        if failure is not None:
            return Answer(failure.status, failure.body())
        cause = {"id": request.id, "idempotency_key": request.idempotency_key}
        with self.state.change(cause):
            try:
                body = endpoint.run(self.state, given, *names, **endpoint.defaults)
                return Answer(200, expand(self.state, body, given.get("expand", [])))
            except RefusedParameter:
                raise
            except ApiError as error:
                return Answer(error.status, error.body())


def parse(method: str, target: str, headers: dict[str, str], body: str, name: str) -> Request:
    """A request from its parts."""
    parts = urlsplit(target)
    return Request(method, parts.path, parts.query, body, headers, name)
