"""What an admin's pages say of the service, from this process's memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rexec.extensions import utcnow
from rexec.health import alerts, certificates, monitor

if TYPE_CHECKING:
    from flask import Flask

    from rexec.health.alerts import State

BLIND = "This instance has not looked lately how the service is."
ASK_DOCTOR = "rexec doctor says why, and what to do."
RENEW = "Make new certificates on the VM with setup.sh (--rotate-client, --rotate-server); containers go on."


@dataclass(frozen=True)
class View:
    """How the service is.

    Args:
        broken: What does not work, or soon will not, a sentence each.
        ending: What needs attention some day, a sentence each.
        hints: What to do.
        certificates: As `/health` shows them.
    """

    broken: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    certificates: tuple[dict[str, Any], ...] = ()

    @property
    def kind(self) -> str:
        """Of the notice: "bad", "warn", or empty where there is none."""
        return "bad" if self.broken else "warn" if self.ending else ""


def view(app: Flask) -> View:
    """How the service is, as of the last look of this process; nothing before the first.

    Args:
        app: The application of this process.
    """
    looking = monitor.of(app)
    if looking is None or looking.snapshot is None:
        return View()
    body = monitor.last(app).body
    states = [state for state in _states(body) if state.level != "ok"]
    broken = [state.text for state in states if state.level != "warning"]
    blind = monitor.BLIND in body["warnings"]
    if blind:
        broken.append(BLIND)
    ending = [state.text for state in states if state.level == "warning"]
    renew = [state.subject.startswith("certificate:") for state in states]
    hints = [ASK_DOCTOR] * (blind or not all(renew)) + [RENEW] * any(renew)
    return View(tuple(broken), tuple(ending), tuple(hints), tuple(body["certificates"]))


def _states(body: dict[str, Any]) -> list[State]:
    now = utcnow()
    checks = (alerts.of_check(name, body["checks"][name]) for name in alerts.NAMES)
    expiries = certificates.read(body["certificates"])
    return [
        *(state for state in checks if state is not None),
        *(alerts.of_certificate(one, now) for one in expiries),
    ]
