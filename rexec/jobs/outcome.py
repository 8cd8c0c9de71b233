"""What becomes of an operation after an attempt: the retry policy, in one place.

returned              done
MoveTo                queued in the other lane, attempt not counted
Cancelled             cancelled
permanent RexecError  failed
Unavailable           queued again, attempt not counted, while the handler's outage time lasts; then as below
any other error       queued again after a back-off; failed when the attempts are used up
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from rexec.errors import RexecError, Unavailable
from rexec.extensions import db, utcnow
from rexec.jobs import registry, rows
from rexec.jobs.context import Cancelled, MoveTo

if TYPE_CHECKING:
    from rexec.jobs.context import OperationContext
    from rexec.jobs.registry import Handler, Lane
    from rexec.jobs.runner import Bell

log = logging.getLogger(__name__)


class RingsLater(Protocol):
    """Whoever rings for a retry when it is due."""

    def ring_later(self, operation_id: int, lane: Lane, delay_s: float) -> None:
        """Ring after some seconds."""


class UnexpectedError(RexecError):
    """A handler raised something that nobody foresaw: a fault of ours, in the log with its traceback."""

    code = "internal"
    message = "Something went wrong on our side."
    hint = "Try again; the operator finds the details in the log."
    permanent = False


def settle(context: OperationContext, error: BaseException | None, bell: Bell, later: RingsLater) -> str:
    """Write down what came of an attempt, if the operation is still ours; only the first call counts.

    Args:
        context: The attempt.
        error: What the handler raised, or None.
        bell: Rung for whatever can run now because of it.
        later: Told of retries that wait.

    Returns:
        One word for the log.
    """
    if not context.settle_once():
        return "settled before"
    # What a failed handler left half done in its session must not be committed by anything that follows.
    db.session.rollback()
    if error is None:
        return _end(context, "done", bell)
    if isinstance(error, Cancelled):
        return _end(context, "cancelled", bell)
    if isinstance(error, MoveTo):
        if rows.requeue(context.claim, lane=error.lane, keep_attempt=False):
            bell.ring(context.operation_id, error.lane)
        return f"moved to {error.lane}"
    if not isinstance(error, RexecError):
        log.error("operation %d (%s) broke", context.operation_id, context.kind, exc_info=error)
        error = UnexpectedError()
    return _retry_or_fail(context, error, bell, later)


def _retry_or_fail(context: OperationContext, error: RexecError, bell: Bell, later: RingsLater) -> str:
    claim = context.claim
    outage = isinstance(error, Unavailable) and _outage_lasts(context)
    if error.permanent or not (outage or claim.attempts < claim.max_attempts):
        return fail(context.handler, claim, error, bell)
    delay_s = registry.OUTAGE_RETRY_S if outage else registry.backoff_s(claim.attempts)
    # Why it waits may have come right behind other progress.
    last = context.unwritten_progress()
    if rows.requeue(claim, delay_s=delay_s, keep_attempt=not outage, progress=last):
        later.ring_later(claim.operation_id, claim.lane, delay_s)
    return f"{error}: again in {delay_s:.0f} s"


def _outage_lasts(context: OperationContext) -> bool:
    return (utcnow() - context.claim.started_at).total_seconds() < context.handler.outage_s


def _end(context: OperationContext, state: str, bell: Bell) -> str:
    if not rows.finish(context.claim, state, progress=context.unwritten_progress()):
        return "lost"
    return _ended(context.claim, state, bell)


def _ended(claim: rows.Claim, words: str, bell: Bell) -> str:
    following = rows.next_of_subject(claim.subject)
    if following is not None:
        bell.ring(following.operation_id, following.lane)
    return words


def fail(handler: Handler | None, claim: rows.Claim, error: RexecError, bell: Bell) -> str:
    """Fail an operation for good: tell its domain first, then end the row.

    In this order a process that dies between the two leaves an expired lease, and the domain is told again.
    Where somebody cancelled there is no failure to tell of: it would be written on what came after.

    Args:
        handler: Of the operation's kind, where this release has one.
        claim: The lease under which this is done.
        error: Why.
        bell: Rung for the subject's next operation.
    """
    cancelled = rows.renew([claim.holder]).get(claim.holder)
    if cancelled is None:
        return "lost"
    if cancelled:
        return _ended(claim, "cancelled", bell) if rows.finish(claim, "cancelled") else "lost"
    if handler is not None and handler.on_failed is not None:
        try:
            handler.on_failed(int(claim.subject.rpartition(":")[2]), error)
        except Exception:
            log.exception("operation %d (%s): telling its domain failed", claim.operation_id, claim.kind)
            db.session.rollback()
    if not rows.finish(claim, "failed", error):
        return "lost"
    return _ended(claim, f"failed: {error}", bell)
