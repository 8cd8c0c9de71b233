"""How a container is put into words: its stages while it moves, its times when it rests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rexec.billing.plans import Plan
from rexec.containers import catalogue
from rexec.containers.models import Container
from rexec.containers.states import MAKING, MOVING
from rexec.extensions import utcnow
from rexec.jobs.models import Operation
from rexec.web.filters import duration, megabytes, since, size

CANCEL_AFTER = timedelta(seconds=10)
IDLE_AFTER = timedelta(minutes=1)
JUST_STARTED = timedelta(minutes=1)
PERCENT = 100

WORDS = {
    "queued": "Waiting for its turn",
    "pulling": "Pulling the image",
    "creating": "Creating",
    "starting": "Starting",
    "stopping": "Stopping",
    "deleting": "Deleting",
}
STAGES = (("queued", "Queue"), ("pulling", "Image"), ("creating", "Create"), ("starting", "Start"))


@dataclass(frozen=True)
class Stage:
    """One step on the way to a running container.

    Args:
        label: Its name.
        state: "done", "now" or "next".
        text: What it took, or how far it is.
    """

    label: str
    state: str
    text: str = ""


@dataclass(frozen=True)
class Shown:
    """A container with the words for its present state."""

    row: Container
    image: str
    moves: bool
    text: str
    waiting: str | None
    can_cancel: bool
    pull: dict[str, Any] | None
    stages: tuple[Stage, ...]

    @property
    def head(self) -> str:
        """What stands beside the name: for a minute what the start took, then how long it is up."""
        row = self.row
        if row.status != "running" or row.started_at is None:
            return self.text if row.status == "stopped" and not self.is_suspended else ""
        if row.timings and utcnow() - row.started_at < JUST_STARTED:
            return f"Running in {timings_words(row.timings)}"
        return f"Up {_span(row.started_at)}"

    @property
    def moment(self) -> datetime | None:
        """The moment that `text` counts from; None where it counts from none."""
        row = self.row
        if row.status == "running":
            return _idle_from(row) or row.started_at
        return row.stopped_at if row.status == "stopped" and not self.is_suspended else None

    @property
    def head_moment(self) -> datetime | None:
        """The same of `head`."""
        return self.row.started_at if self.row.status == "running" else self.moment

    @property
    def is_suspended(self) -> bool:
        """Whether it rests and may not start, because the plan has no room for it."""
        return self.row.suspended_at is not None and self.row.status in {"stopped", "failed"}

    @property
    def mark(self) -> str:
        """The state's word and shape."""
        return "suspended" if self.is_suspended and self.row.status == "stopped" else self.row.status

    @property
    def note(self) -> str | None:
        """What happened to a container that is well: stopped for being idle, out of memory."""
        return self.row.error_message if self.row.status in {"running", "stopped"} else None


def show(row: Container, operation: Operation | None) -> Shown:
    """Put a container into words.

    Args:
        row: The container.
        operation: What works on it, if anything.
    """
    progress = (operation.progress if operation else None) or {}
    pull = progress if row.status == "pulling" and progress.get("stage") == "pulling" else None
    moves = row.status in MOVING
    return Shown(
        row=row,
        image=_image_words(row),
        moves=moves,
        text=_moving_words(row, pull) if moves else _resting_words(row),
        waiting=progress.get("waiting") if moves else None,
        can_cancel=_can_cancel(row),
        pull=pull,
        stages=_stages(row, pull) if row.status in {*MAKING, "starting"} else (),
    )


def _image_words(row: Container) -> str:
    image = catalogue.get(row.image)
    # The reference counts where the operator has changed what the key means.
    return (
        f"{image.name} {image.version}"
        if image and image.reference == row.image_reference
        else row.image_reference
    )


def _can_cancel(row: Container) -> bool:
    waited = utcnow() - row.status_changed_at > CANCEL_AFTER
    return row.status == "pulling" or (row.status in MAKING and waited)


def percent_of(pull: dict[str, Any]) -> int | None:
    """How much of a pull has arrived, of what is known of its size."""
    return min(PERCENT, round(PERCENT * pull["current"] / pull["total"])) if pull["total"] else None


def pull_words(pull: dict[str, Any]) -> str:
    """How far a pull is: `43% · 61 of 142 MB`."""
    percent = percent_of(pull)
    if percent is None:
        return "finding out its size"
    if percent == PERCENT:
        return f"unpacking {size(pull['total'])}"
    return f"{percent}% · {size(pull['current'])} of {size(pull['total'])}"


def _moving_words(row: Container, pull: dict[str, Any] | None) -> str:
    if not pull:
        return f"{WORDS[row.status]}…"
    words = pull_words(pull)
    return f"Pulling {words}" if words[0].isdigit() else f"{words[0].upper()}{words[1:]}…"


def _resting_words(row: Container) -> str:
    if row.status == "running":
        idle_from = _idle_from(row)
        return f"Idle {since(idle_from)}" if idle_from else f"Up {_span(row.started_at)}"
    if row.status == "stopped" and row.suspended_at is not None:
        return "Suspended: kept, but cannot start"
    if row.status == "stopped":
        return f"Stopped {_span(row.stopped_at)} ago" if row.stopped_at else "Stopped"
    return row.error_message or "Failed"


def _idle_from(row: Container) -> datetime | None:
    """When a running container was used last; None while that is only a moment ago."""
    used = row.last_activity_at or row.started_at
    return used if used and utcnow() - used > IDLE_AFTER else None


def _span(moment: datetime | None) -> str:
    seconds = (utcnow() - moment).total_seconds() if moment else 0.0
    return duration(round(seconds)) if seconds >= 10 else "a few seconds"  # noqa: PLR2004 - below it nobody counts


def timings_words(timings: dict[str, float] | None) -> str:
    """What the last start took: `0.41 s: create 0.02, start 0.36, ours 0.03`."""
    if not timings:
        return ""
    parts = [f"{name} {timings[name]:.2f}" for name in ("pull", "create", "start", "ours") if name in timings]
    return f"{timings['total']:.2f} s: {', '.join(parts)}"


def limits_words(row: Container | Plan) -> str:
    """The limits of a container, or of a plan, as one line: `512 MB · 0.5 CPU · 256 processes`."""
    return f"{megabytes(row.memory_mb)} · {row.cpu_millis / 1000:g} CPU · {row.pids} processes"


def _seconds_words(seconds: float) -> str:
    """Whole seconds, because they are counted while somebody looks on."""
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)  # noqa: PLR2004 - a minute


def _stages(row: Container, pull: dict[str, Any] | None) -> tuple[Stage, ...]:
    reached = [name for name, _ in STAGES].index(row.status)
    stages = []
    for number, (name, label) in enumerate(STAGES):
        state = "done" if number < reached else "now" if number == reached else "next"
        text = ""
        if name == "pulling" and pull:
            done, total = pull["layers_done"], pull["layers_total"]
            text = f"{pull_words(pull)} · {done} of {total} layers · {pull['seconds']:.0f} s"
        elif state == "now":
            text = _seconds_words((utcnow() - row.status_changed_at).total_seconds())
        stages.append(Stage(label, state, text))
    return tuple(stages)
