"""What a handler sees of its operation: who it works for, how far it is, and whether it should go on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from rexec.errors import RexecError
from rexec.jobs import rows

if TYPE_CHECKING:
    from rexec.jobs.registry import Handler, Lane
    from rexec.jobs.rows import Claim

PROGRESS_INTERVAL_S = 0.5


class LeaseLost(Exception):
    """Somebody else works on this operation now, or it is finished: stop without a trace."""


class Cancelled(Exception):
    """The person asked to stop; raised by `check` and by handlers that have cleaned up."""


class MoveTo(Exception):
    """Go on in another lane, from the start of the handler, without losing an attempt.

    Args:
        lane: "quick" or "slow".
    """

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        super().__init__(lane)


class JobTimeout(RexecError):
    """One attempt took longer than its handler allows."""

    code = "job_timeout"
    message = "The work took too long and was stopped."
    hint = "Try again; if it happens again, look at the Docker host's load."


class OperationContext:
    """One attempt at one operation, as its handler sees it.

    Attributes:
        operation_id: The row's id.
        subject: What it is about, for example "container:12".
        attempt: Which attempt this is, from 1.
        lane: The lane this attempt runs in.
    """

    def __init__(self, claim: Claim, handler: Handler) -> None:
        self.claim = claim
        self.handler = handler
        self.operation_id = claim.operation_id
        self.kind = claim.kind
        self.subject = claim.subject
        self.attempt = claim.attempts
        self.lane: Lane = claim.lane
        self.deadline = time.monotonic() + handler.timeout_s
        self.holder = claim.holder
        self._lease_ends = claim.lease_ends
        self._lost = threading.Event()
        self._cancelled = threading.Event()
        self._settling = threading.Lock()
        self._next_look = time.monotonic() + PROGRESS_INTERVAL_S
        self._next_write = 0.0
        self._unwritten: dict[str, Any] | None = None
        if claim.cancel_requested:
            self._cancelled.set()

    @property
    def subject_id(self) -> int:
        """The number behind the colon of the subject."""
        return int(self.subject.rpartition(":")[2])

    @property
    def remaining_s(self) -> float:
        """Seconds left for this attempt; never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def progress(self, values: dict[str, Any]) -> None:
        """Store how far the work is, at most twice a second; what is too soon is kept for the next call.

        It writes in a short transaction of its own, so commit yours first.

        Args:
            values: JSON object that replaces the stored one.

        Raises:
            LeaseLost: Somebody else works on this operation now.
            JobTimeout: The attempt's time is over.
        """
        self._unwritten = values
        self._guard()
        if time.monotonic() < self._next_write:
            return
        self._next_write = time.monotonic() + PROGRESS_INTERVAL_S
        self._unwritten = None
        self._take(rows.save_progress(self.operation_id, self.holder, values))

    def cancelled(self) -> bool:
        """Whether the person asked to stop; asks the database at most twice a second.

        Raises:
            LeaseLost: Somebody else works on this operation now.
            JobTimeout: The attempt's time is over.
        """
        self._guard()
        if not self._cancelled.is_set() and time.monotonic() >= self._next_look:
            self._take(rows.cancel_requested(self.operation_id, self.holder))
        return self._cancelled.is_set()

    def check(self) -> None:
        """Stop here unless the work may go on.

        Raises:
            Cancelled: The person asked to stop.
            LeaseLost: Somebody else works on this operation now.
            JobTimeout: The attempt's time is over.
        """
        if self.cancelled():
            raise Cancelled

    def result(self, values: dict[str, Any]) -> None:
        """Store what the work came to, in place of its progress, together with its end.

        Args:
            values: JSON object that replaces the stored one.
        """
        self._unwritten = values

    def unwritten_progress(self) -> dict[str, Any] | None:
        """The result, or progress that came too soon after the last one to be stored."""
        return self._unwritten

    def lose(self) -> None:
        """The lease is gone: every later call of the handler raises LeaseLost."""
        self._lost.set()

    def lost(self) -> bool:
        """Whether somebody else may work on this operation now."""
        return self._lost.is_set() or time.monotonic() >= self._lease_ends

    def settle_once(self) -> bool:
        """True for the first who wants to write down what came of this attempt."""
        return self._settling.acquire(blocking=False)

    def renewed(self, lease_ends: float, *, cancel_requested: bool) -> None:
        """Note a longer lease, until `lease_ends` on the monotonic clock."""
        self._lease_ends = lease_ends
        if cancel_requested:
            self._cancelled.set()

    def _guard(self) -> None:
        if self.lost():
            raise LeaseLost
        if time.monotonic() >= self.deadline:
            raise JobTimeout

    def _take(self, cancel_requested: bool | None) -> None:  # noqa: FBT001 - what the row said
        self._next_look = time.monotonic() + PROGRESS_INTERVAL_S
        if cancel_requested is None:
            self.lose()
            raise LeaseLost
        if cancel_requested:
            self._cancelled.set()
