"""Asking a dependency whether it works, with a deadline, and not believing a single failure."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rexec.errors import RexecError
from rexec.extensions import utcnow

log = logging.getLogger(__name__)

STRIKES = 3
SILENT = "gave no answer in time"
FAILED = "did not answer as it should; the log says more"
STAMP = "%Y-%m-%dT%H:%M:%SZ"
_SHOWN_BY_ALL = ("status", "latency_ms", "last_ok", "error")

Ask = Callable[[], dict[str, Any]]


class ProbeFailed(Exception):
    """A probe's answer is no; its text is shown on `/health`, so it names no host, path or foreign error."""


@dataclass
class Probe:
    """One dependency, and what its last answers were.

    Args:
        name: Of the check.
        ask: Returns what else to show, or raises: ProbeFailed and RexecError with a text to show, anything
            else without.
        deadline_s: Seconds after which silence is a failure.
        strikes: Failures in a row that make it down; before that it is a warning.
    """

    name: str
    ask: Ask
    deadline_s: float
    strikes: int = STRIKES
    failures: int = 0
    last_ok: datetime | None = None
    known: dict[str, Any] = field(default_factory=dict)
    _asking: threading.Thread | None = None

    def resume(self, shown: dict[str, Any], failures: int) -> None:
        """Go on from what another process saw last, so that strikes are counted across them.

        Args:
            shown: What its `check` returned.
            failures: How many in a row it had by then.
        """
        self.failures = failures
        self.last_ok = moment(shown["last_ok"])
        self.known = {name: value for name, value in shown.items() if name not in _SHOWN_BY_ALL}

    def check(self) -> dict[str, Any]:
        """Ask once; what to show for this check."""
        started = time.monotonic()
        error = self._answer()
        latency_ms = round((time.monotonic() - started) * 1000, 1)
        if error is None:
            if self.failures >= self.strikes:
                log.info("%s works again", self.name)
            self.failures = 0
            self.last_ok = utcnow()
        else:
            self.failures += 1
            if self.failures == self.strikes:
                log.error("%s is down: %s", self.name, error)
        return {
            "status": "ok" if error is None else "down" if self.failures >= self.strikes else "warning",
            "latency_ms": latency_ms if error is None else None,
            "last_ok": stamp(self.last_ok),
            "error": error,
            **self.known,
        }

    def _answer(self) -> str | None:
        """Ask in a thread, so that nothing holds us longer than the deadline; the error's text, or None."""
        if self._asking is not None and self._asking.is_alive():
            return SILENT
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asking = threading.Thread(
            target=self._ask, args=(answers,), name=f"probe-{self.name}", daemon=True
        )
        self._asking.start()
        try:
            return answers.get(timeout=self.deadline_s)
        except queue.Empty:
            return SILENT

    def _ask(self, answers: queue.SimpleQueue[str | None]) -> None:
        try:
            self.known.update(self.ask())
        except ProbeFailed as error:
            answers.put(str(error))
        except RexecError as error:
            answers.put(f"{error.code}: {error.message}")
        except Exception as error:
            # Its text may hold an address or a password.
            log.warning("%s does not answer as it should: %s", self.name, type(error).__name__)
            log.debug("probe %s", self.name, exc_info=error)
            answers.put(FAILED)
        else:
            answers.put(None)


def off() -> dict[str, Any]:
    """What to show for a dependency that this deployment does not use."""
    return {"status": "off", "latency_ms": None, "last_ok": None, "error": None}


def stamp(when: datetime | None) -> str | None:
    """A moment as `/health` writes it: UTC, whole seconds, Z."""
    return when.strftime(STAMP) if when else None


def moment(stamped: str | None) -> datetime | None:
    """What `stamp` wrote."""
    return datetime.strptime(stamped, STAMP).replace(tzinfo=UTC) if stamped else None
