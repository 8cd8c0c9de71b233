"""Plans side by side, the differences only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rexec.billing.money import money
from rexec.billing.plans import Plan
from rexec.web.filters import duration, megabytes

PRICES = ("Price", "By the year")
"""Rows that say what a plan costs."""


@dataclass(frozen=True)
class Row:
    """One thing in which plans differ: a label and a value for each plan."""

    label: str
    values: tuple[str, ...]


def rows(plans: Sequence[Plan]) -> list[Row]:
    """What differs between plans, in the order people ask; all of it where there is only one."""
    every = [Row(label, tuple(value(plan) for plan in plans)) for label, value in _LINES]
    return [row for row in every if len(plans) == 1 or len(set(row.values)) > 1]


def _price(plan: Plan) -> str:
    return "nothing" if plan.is_free else f"{money(plan.price_cents, plan.currency)} a month"


def _yearly(plan: Plan) -> str:
    return "–" if plan.price_cents_year is None else f"{money(plan.price_cents_year, plan.currency)} a year"


def _idle(plan: Plan) -> str:
    return "runs on" if plan.idle_minutes is None else f"stops after {duration(plan.idle_minutes * 60)}"


def _cores(plan: Plan) -> str:
    cores = f"{plan.cpu_millis / 1000:g}"
    return f"{cores} core" if cores == "1" else f"{cores} cores"


_LINES: tuple[tuple[str, Callable[[Plan], str]], ...] = (
    ("Price", _price),
    ("By the year", _yearly),
    ("Containers", lambda plan: str(plan.containers)),
    ("Memory of each", lambda plan: megabytes(plan.memory_mb)),
    ("Processors of each", _cores),
    ("Disk of each", lambda plan: megabytes(plan.disk_mb)),
    ("Processes of each", lambda plan: str(plan.pids)),
    ("Left idle", _idle),
)
