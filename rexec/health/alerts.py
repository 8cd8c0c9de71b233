"""Telling the operator: a line in the log and a message to their chat, once for each level and day.

The watcher tells of what it sees, a web process of what only it can see: a watcher that is gone, Redis, and
the database, for which no row can say who was told.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import SQLAlchemyError

from rexec.extensions import utcnow
from rexec.health import certificates, webhook
from rexec.health.ledger import Ledger, MemoryLedger, RowLedger, Told
from rexec.health.probes import moment

if TYPE_CHECKING:
    from flask import Flask

    from rexec.config import Settings

log = logging.getLogger(__name__)

EXTENSION = "rexec.health.alerts"
A_DAY = timedelta(days=1)
COMES_BACK = timedelta(minutes=10)
"""Trouble whose end was told counts as news again once it has lasted so long, also on the same day."""
TRY_AGAIN_S = 60.0
NAMES = {
    "docker": "The Docker host",
    "worker": "The worker",
    "watcher": "The watcher",
    "redis": "Redis",
    "database": "The database",
}


@dataclass(frozen=True)
class State:
    """How one thing is.

    Args:
        subject: What: a check's name, or "certificate:client".
        level: "ok", or how bad it is.
        text: One sentence for the operator.
        since: When it was last well, where that is known.
    """

    subject: str
    level: str
    text: str
    since: datetime | None = None


def of_check(name: str, check: dict[str, Any]) -> State | None:
    """What is to be told of a check; None while it is neither well nor given up."""
    if check["status"] == "ok":
        return State(name, "ok", f"{NAMES[name]} works again.")
    if check["status"] != "down":
        return None
    reason = str(check["error"] or "").rstrip(".")
    return State(name, "down", f"{NAMES[name]} is down: {reason}.", moment(check["last_ok"]))


def of_certificate(expiry: certificates.Expiry, now: datetime) -> State:
    """What is to be told of a certificate."""
    sentence = expiry.sentence(now)
    well = f"{expiry.name} certificate is renewed, until {expiry.not_after:%Y-%m-%d}"
    text = sentence or well
    return State(f"certificate:{expiry.name}", expiry.level(now), f"The {text}.")


def of_report(report: dict[str, Any], now: datetime) -> list[State]:
    """What the watcher tells.

    Args:
        report: What it stored.
        now: The time.
    """
    checks = [of_check(name, report[name]) for name in ("docker", "worker")]
    expiries = [of_certificate(expiry, now) for expiry in certificates.read(report["certificates"])]
    return [*(state for state in checks if state is not None), *expiries]


def of_body(body: dict[str, Any]) -> list[State]:
    """What a web process tells.

    Args:
        body: Its answer to `/health`.
    """
    states = (of_check(name, body["checks"][name]) for name in ("redis", "watcher", "database"))
    return [state for state in states if state is not None]


def is_news(state: State, told: Told, now: datetime) -> bool:
    """Whether the operator should hear of a state.

    Args:
        state: How it is.
        told: What they heard of the subject before.
        now: The time.
    """
    last_word = max(told, key=lambda level: told[level], default="ok")
    if state.level == "ok":
        return last_word != "ok"
    told_at = told.get(state.level)
    if told_at is None or now - told_at >= A_DAY:
        return True
    lasts = state.since is not None and now - state.since >= COMES_BACK
    # Not at once after its end was told: two instances that disagree would contradict each other without end.
    return last_word == "ok" and lasts and now - told["ok"] >= COMES_BACK


class Alerts:
    """Tells, from one process.

    Args:
        app: Its context is pushed for the rows.
        send: Posts a text and says whether it arrived; None where nobody wants to hear.
    """

    def __init__(self, app: Flask, send: Callable[[str], bool] | None) -> None:
        self._app = app
        self._send = send
        self._rows, self._memory = RowLedger(), MemoryLedger()
        self._not_before: dict[str, float] = {}

    def consider(self, states: Iterable[State]) -> None:
        """Tell what is news; returns without waiting for the chat.

        Args:
            states: How things are.
        """
        states = list(states)
        self._consider([state for state in states if state.subject == "database"], self._memory)
        try:
            with self._app.app_context():
                self._consider([state for state in states if state.subject != "database"], self._rows)
        except SQLAlchemyError as error:
            log.info("nobody can be told for now, the database does not answer: %s", type(error).__name__)

    def _consider(self, states: list[State], ledger: Ledger) -> None:
        if not states:
            return
        told, now = ledger.read(), utcnow()
        for state in states:
            before = told.get(state.subject, {})
            if time.monotonic() < self._not_before.get(state.subject, 0.0):
                continue
            if is_news(state, before, now) and ledger.move(
                state.subject, state.level, before.get(state.level), now
            ):
                self._tell(state, ledger, before.get(state.level), now)

    def _tell(self, state: State, ledger: Ledger, before: datetime | None, now: datetime) -> None:
        log.log(logging.INFO if state.level == "ok" else logging.ERROR, "%s", state.text)
        if self._send is None:
            return
        work = (self._send, state, ledger, before, now)
        threading.Thread(target=self._deliver, args=work, name="alert", daemon=True).start()

    def _deliver(
        self,
        send: Callable[[str], bool],
        state: State,
        ledger: Ledger,
        before: datetime | None,
        now: datetime,
    ) -> None:
        """Post it; where it does not arrive, forget that it was told, and let it be tried again later."""
        if send(state.text):
            return
        self._not_before[state.subject] = time.monotonic() + TRY_AGAIN_S
        try:
            with self._app.app_context():
                ledger.move(state.subject, state.level, now, before)
        except SQLAlchemyError as error:
            log.warning("an alert that did not arrive is not sent again today: %s", type(error).__name__)


def of(app: Flask) -> Alerts:
    """The one who tells in this process.

    Args:
        app: The application of this process.
    """
    if EXTENSION not in app.extensions:
        settings: Settings = app.extensions["rexec.settings"]
        app.extensions[EXTENSION] = Alerts(app, webhook.sender(settings.alert_webhook_url, settings.app_url))
    return cast("Alerts", app.extensions[EXTENSION])
