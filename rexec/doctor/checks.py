"""What a look at one thing found, and the order and dependencies of looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rexec.docker_host.errors import DockerHostError

if TYPE_CHECKING:
    from rexec.doctor.deployment import Deployment
    from rexec.errors import RexecError

Status = Literal["ok", "warning", "fail", "skipped"]
LONGEST_DETAIL = 200


@dataclass(frozen=True)
class Finding:
    """What a look found.

    Args:
        status: The verdict.
        message: One sentence: what is so.
        hint: What to do about it.
        blocked_by: For a skipped look, the check that has to be mended first; None where nothing is wrong.
    """

    status: Status
    message: str
    hint: str = ""
    blocked_by: str | None = None


@dataclass(frozen=True)
class Check:
    """A finding under the name of its check."""

    name: str
    finding: Finding

    def facts(self) -> dict[str, str]:
        """Its entry in the JSON output."""
        found = self.finding
        return {"name": self.name, "status": found.status, "message": found.message, "hint": found.hint}


@dataclass(frozen=True)
class Step:
    """One look.

    Args:
        name: Of the check.
        look: Finds out.
        needs: Checks that come first; where one of them failed, this one is skipped.
        deadline_s: Seconds after which silence is a failure.
    """

    name: str
    look: Callable[[Deployment], Finding | Sequence[Finding]]
    needs: tuple[str, ...] = ()
    deadline_s: float = 6.0


def ok(message: str) -> Finding:
    """All is well."""
    return Finding("ok", message)


def warning(message: str, hint: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding("warning", message, hint)


def skipped(reason: str) -> Finding:
    """There is nothing to look at, and nothing is wrong with that."""
    return Finding("skipped", reason)


def blocked(by: str) -> Finding:
    """It cannot be found out before another check is mended."""
    return Finding("skipped", f"Depends on {by}, which failed.", blocked_by=by)


def failed(error: RexecError) -> Finding:
    """The error, with the words that pages and the API have for it, and its code to search for."""
    detail = error.detail if isinstance(error, DockerHostError) else ""
    said = f"{error.code}: {' '.join(detail.split())[:LONGEST_DETAIL]}" if detail else error.code
    return Finding("fail", f"{error.message} ({said})", error.hint)


def of_line(line: str, status: Status = "fail") -> Finding:
    """A problem of the settings; the mend stands behind its last colon.

    Args:
        line: The variable, what is wrong, the mend.
        status: How bad it is.
    """
    what, colon, mend = line.rpartition(": ")
    if not colon or " " not in what:
        return Finding(status, line)
    return Finding(status, f"{what}.", f"{mend[0].upper()}{mend[1:]}")
