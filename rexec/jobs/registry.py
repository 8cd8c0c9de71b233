"""Which function does the work of which kind of operation, and with how much patience."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rexec.errors import RexecError

if TYPE_CHECKING:
    from rexec.jobs.context import OperationContext

Lane = Literal["quick", "slow", "billing"]
LANES: tuple[Lane, ...] = ("quick", "slow", "billing")
THREADS: dict[Lane, int] = {"quick": 4, "slow": 2, "billing": 1}
"""Of each process that runs operations. What waits for Stripe holds no thread that a launch needs, and asking
it one question after the other stays below its rate limit."""

Work = Callable[["OperationContext"], None]
OnFailed = Callable[[int, RexecError], None]

RETRY_BACKOFF_S = (1.0, 4.0, 10.0, 30.0)
OUTAGE_RETRY_S = 5.0


@dataclass(frozen=True)
class Handler:
    """The work behind one kind of operation; see `handler` for the fields."""

    kind: str
    work: Work
    lane: Lane
    timeout_s: float
    max_attempts: int
    outage_s: float
    on_failed: OnFailed | None


_handlers: dict[str, Handler] = {}


def handler(  # noqa: PLR0913 - keywords, each with a default
    kind: str,
    *,
    lane: Lane = "quick",
    timeout_s: float = 120.0,
    max_attempts: int = 3,
    outage_s: float = 0.0,
    on_failed: OnFailed | None = None,
) -> Callable[[Work], Work]:
    """Declare the function that works operations of one kind.

    The function may run more than once for one operation, so its effects are idempotent and its state changes
    are conditional. It raises a RexecError: permanent ones fail the operation at once, others are retried.

    Args:
        kind: Name of the work, "domain.verb".
        lane: Workers that take it first; `MoveTo` changes it for one operation.
        timeout_s: Seconds that one attempt may take before it is failed.
        max_attempts: Attempts that end without a result before the operation fails.
        outage_s: Seconds since the first attempt during which an `Unavailable` error costs no attempt.
        on_failed: Called with the subject's id and the error, in an application context, when the operation
            has failed for good. It may be called twice, so it is idempotent too.
    """

    def register(work: Work) -> Work:
        if kind in _handlers and _handlers[kind].work.__qualname__ != work.__qualname__:
            raise ValueError(f"{kind} has a handler already")
        _handlers[kind] = Handler(kind, work, lane, timeout_s, max_attempts, outage_s, on_failed)
        return work

    return register


def find(kind: str) -> Handler | None:
    """The handler of a kind, or None where this release has none (a row of a newer or older one)."""
    return _handlers.get(kind)


def backoff_s(attempt: int) -> float:
    """Seconds to wait after the given attempt, counted from 1, failed."""
    return RETRY_BACKOFF_S[min(max(attempt, 1), len(RETRY_BACKOFF_S)) - 1]
