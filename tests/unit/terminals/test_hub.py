"""What the hub owes the database is not lost with one failed write."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from rexec.terminals import hub
from tests.support.waiting import eventually


class Upkeep:
    """The database's part, which fails the first time."""

    def __init__(self):
        self.noted = []
        self.failures = [OperationalError("UPDATE", {}, Exception("no answer"))]

    def note_activity(self, containers):
        if containers and self.failures:
            raise self.failures.pop()
        self.noted.extend(containers)

    def live_sessions(self, session_ids):
        return session_ids

    def beat(self, _instance):
        """Nothing to renew."""

    def reap(self):
        """Nothing left behind."""

    def retire(self, _instance):
        """Nothing to give back."""


@pytest.fixture
def upkeep(monkeypatch):
    monkeypatch.setattr(hub, "TICK_S", 0.02)
    monkeypatch.setattr(hub, "UPKEEP_EVERY_S", 0.02)
    return Upkeep()


def test_typing_that_could_not_be_noted_is_noted_at_the_next_round(upkeep):
    terminals = hub.Hub(None, upkeep)
    terminals._active.add("web-lab")
    terminals.start()
    eventually(lambda: upkeep.noted == ["web-lab"], 5)
    assert upkeep.failures == []
    terminals.stop(5)
