"""Takes all looks within one deadline, side by side where none needs the other."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rexec.doctor.checks import Check, Finding, Step, blocked, failed, skipped
from rexec.errors import RexecError

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment

log = logging.getLogger(__name__)

Findings = Sequence[Finding]


def examine(
    steps: Sequence[Step], deployment: Deployment, within_s: float, tell: Callable[[Check], None]
) -> list[Check]:
    """Take every look.

    Args:
        steps: In the order in which they are told.
        deployment: What is looked at.
        within_s: Seconds for all of them.
        tell: Called with each check as soon as it and all before it are known.

    Returns:
        All checks, in the order of the steps.
    """
    return _Examination(steps, deployment, within_s, tell).run()


class _Examination:
    def __init__(
        self,
        steps: Sequence[Step],
        deployment: Deployment,
        within_s: float,
        tell: Callable[[Check], None],
    ) -> None:
        self._deployment = deployment
        self._end = time.monotonic() + within_s
        self._tell = tell
        self._steps = list(steps)
        self._waiting = list(steps)
        self._running: dict[str, float] = {}
        self._found: dict[str, Findings] = {}
        self._news: queue.SimpleQueue[tuple[str, Findings]] = queue.SimpleQueue()
        self._told: list[Check] = []

    def run(self) -> list[Check]:
        while self._waiting or self._running:
            self._begin_what_can()
            self._tell_what_is_known()
            if self._running:
                self._wait()
        self._tell_what_is_known()
        return self._told

    def _begin_what_can(self) -> None:
        for step in list(self._waiting):
            if not all(need in self._found for need in step.needs):
                continue
            self._waiting.remove(step)
            obstacle = self._obstacle(step)
            if obstacle is not None:
                self._found[step.name] = [obstacle]
                # What depends on this one may stand before it in the list.
                self._begin_what_can()
                return
            self._running[step.name] = min(time.monotonic() + step.deadline_s, self._end)
            threading.Thread(target=self._look, args=(step,), name=step.name, daemon=True).start()

    def _obstacle(self, step: Step) -> Finding | None:
        for need in step.needs:
            for finding in self._found[need]:
                if finding.status == "fail":
                    return blocked(need)
                if finding.blocked_by is not None:
                    return blocked(finding.blocked_by)
        return skipped("No time was left: what came before was slow.") if self._late() else None

    def _late(self) -> bool:
        return time.monotonic() >= self._end

    def _look(self, step: Step) -> None:
        try:
            found = step.look(self._deployment)
        except RexecError as error:
            found = failed(error)
        except Exception as error:
            log.debug("check %s", step.name, exc_info=error)
            found = Finding("fail", f"The check itself went wrong ({type(error).__name__}).", "Report it.")
        self._news.put((step.name, [found] if isinstance(found, Finding) else found))

    def _wait(self) -> None:
        try:
            name, found = self._news.get(timeout=max(0.0, min(self._running.values()) - time.monotonic()))
        except queue.Empty:
            self._give_up()
            return
        # An answer that comes after it was given up is none.
        if self._running.pop(name, None) is not None:
            self._found[name] = found

    def _give_up(self) -> None:
        now = time.monotonic()
        for name in [name for name, end in self._running.items() if end <= now]:
            del self._running[name]
            hint = "Whatever it asked hangs: look at the first check that is slow or failed."
            self._found[name] = [Finding("fail", "It gave no answer in time.", hint)]

    def _tell_what_is_known(self) -> None:
        names = {check.name for check in self._told}
        for step in self._steps:
            if step.name in names:
                continue
            if step.name not in self._found:
                return
            for finding in self._found[step.name]:
                check = Check(step.name, finding)
                self._told.append(check)
                self._tell(check)
