"""Faults that a test puts between a client and the fake."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.fakes.stripe_errors import ApiError


@dataclass
class Fault:
    """What happens to some requests.

    Args:
        kind: `fail`, `drop` or `hang`.
        path: The beginning of the paths it is for; None for all.
        times: How often it happens.
        status: Of a failure.
        executed: Whether the request is carried out before.
        seconds: How long it hangs; None until it is released.
    """

    kind: str
    path: str | None = None
    times: float = 1
    status: int = 500
    executed: bool = False
    seconds: float | None = None
    released: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._hanging: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put one in force."""
        with self._lock:
            self._faults.append(fault)
        return fault

    def take(self, path: str) -> Fault | None:
        """The fault that this request meets, used up by it."""
        with self._lock:
            for fault in self._faults:
                if fault.path is None or path.startswith(fault.path):
                    fault.times -= 1
                    if fault.times < 1:
                        self._faults.remove(fault)
                    if fault.kind == "hang":
                        self._hanging.append(fault)
                    return fault
        return None

    def release(self) -> None:
        """Let go whatever hangs, and end all faults."""
        with self._lock:
            for fault in [*self._faults, *self._hanging]:
                fault.released.set()
            self._faults, self._hanging = [], []


def failure(status: int) -> ApiError:
    """The error of a status; https://docs.stripe.com/error-low-level."""
    if status == 429:
        message = "Too many requests hit the API too quickly. We recommend an exponential backoff."
        return ApiError(429, "invalid_request_error", message, code="rate_limit")
    if status == 409:
        message = "There is currently another in-progress request using this Idempotent Key."
        return ApiError(409, "idempotency_error", message, code="idempotency_key_in_use")
    return ApiError(status, "api_error", "An unknown error occurred.")
