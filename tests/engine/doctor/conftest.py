"""A whole deployment, and a doctor that is told of it with some of its variables changed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rexec.doctor.service import examine
from tests.support.waiting import eventually


@dataclass(frozen=True)
class Diagnosis:
    """What a doctor found: name -> status, message, hint, and which depended on a failure."""

    found: dict[str, tuple[str, str, str]]

    def named(self, status: str) -> set[str]:
        """The checks with this status."""
        return {name for name, (found, *_) in self.found.items() if found == status}

    def message(self, name: str) -> str:
        """What a check says."""
        return self.found[name][1]

    def waits_for(self, name: str) -> set[str]:
        """The checks that were skipped because of another."""
        reason = f"Depends on {name}, which failed."
        return {other for other, (_, message, _) in self.found.items() if message == reason}


def diagnosis(checks: list[dict[str, str]]) -> Diagnosis:
    """Of the checks in the form of the JSON output; of several with one name the worst counts."""
    ranks = ("fail", "warning", "skipped", "ok")
    ordered = sorted(checks, key=lambda check: ranks.index(check["status"]), reverse=True)
    return Diagnosis({check["name"]: (check["status"], check["message"], check["hint"]) for check in ordered})


@pytest.fixture
def variables(server):
    """The environment of a service that is well."""
    eventually(server.healthy, 60, message="the service is well")
    return dict(server.values)


@pytest.fixture
def examined(variables):
    """Examines the deployment with some variables changed; None takes one out."""

    def run(**changes: str | None) -> Diagnosis:
        environ = {name: value for name, value in {**variables, **changes}.items() if value is not None}
        return diagnosis([check.facts() for check in examine(lambda _: None, environ=environ)])

    return run
