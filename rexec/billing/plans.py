"""The plans: what each allows and costs, read from `plans.toml` or the operator's own file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app

from rexec.errors import ConfigError
from rexec.operator_files import TableReader, read_tables

BUILT_IN = Path(__file__).with_name("plans.toml")
EXTENSION = "rexec.plans"
CURRENCY = re.compile(r"[a-z]{3}")
MOST_CENTS = 10_000_000


@dataclass(frozen=True)
class Plan:
    """One plan.

    Args:
        key: Stable name, kept with a user and at Stripe.
        name: The name people read.
        containers: How many containers a person may keep, stopped ones too.
        memory_mb: Memory of each container, without swap.
        cpu_millis: Processor time of each container in thousandths of a core.
        pids: Processes and threads of each container.
        disk_mb: What each container may write where the daemon can enforce it.
        idle_minutes: After how long without use a running container is stopped; None lets it run.
        price_cents: Price of a month in hundredths of the currency; 0 costs nothing.
        price_cents_year: Price of a year; None where it is not sold by the year.
        currency: Three-letter code in small letters.
    """

    key: str
    name: str
    containers: int
    memory_mb: int
    cpu_millis: int
    pids: int
    disk_mb: int
    idle_minutes: int | None
    price_cents: int
    price_cents_year: int | None = None
    currency: str = "usd"

    def price(self, interval: str) -> int | None:
        """What it costs by the `month` or the `year`; None where it is not sold so."""
        return {"month": self.price_cents or None, "year": self.price_cents_year}.get(interval)

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing."""
        return self.price_cents == 0


def load(path: Path | None = None) -> tuple[Plan, ...]:
    """Read and check a file of plans.

    Args:
        path: The operator's file; the built-in one where None.

    Raises:
        ConfigError: With every problem of the file.
    """
    problems: list[str] = []
    loaded = tuple(
        _plan(key, TableReader(table, f"PLANS_FILE: [{key}]", problems))
        for key, table in read_tables(path or BUILT_IN, "PLANS_FILE").items()
    )
    free = [plan.key for plan in loaded if plan.is_free]
    if len(free) > 1 and not problems:
        problems.append(
            f"PLANS_FILE: more than one plan costs nothing ({', '.join(free)}): keep one of them."
        )
    if problems:
        raise ConfigError(problems)
    return loaded


def _plan(key: str, reader: TableReader) -> Plan:
    plan = Plan(
        key=key,
        name=reader.text("name", longest=30),
        containers=reader.whole("containers", 1, 10_000),
        memory_mb=reader.whole("memory_mb", 16, 1_048_576),
        cpu_millis=round(reader.number("cpu", 0.05, 256) * 1000),
        pids=reader.whole("pids", 16, 100_000),
        disk_mb=reader.whole("disk_mb", 64, 100_000_000),
        idle_minutes=reader.whole_or_none("idle_minutes", 1, 525_600),
        price_cents=reader.whole("price_cents", 0, MOST_CENTS),
        price_cents_year=reader.whole_or_none("price_cents_year", 1, MOST_CENTS),
        currency=reader.text(
            "currency", default="usd", pattern=CURRENCY, wanted="write three small letters, for example usd"
        ),
    )
    if plan.is_free and plan.price_cents_year is not None:
        reader.problem("costs nothing by the month but something by the year: leave one of them out.")
    reader.finish()
    return plan


def init_plans(app: Flask, path: Path | None) -> None:
    """Read the plans once and keep them with the application.

    Raises:
        ConfigError: With every problem of the file.
    """
    app.extensions[EXTENSION] = load(path)


def all() -> Sequence[Plan]:  # noqa: A001 - read as plans.all()
    """Every plan, in the order of the file."""
    plans: tuple[Plan, ...] = current_app.extensions[EXTENSION]
    return plans


def get(key: str | None) -> Plan | None:
    """The plan with this key, or None where the operator has taken it away."""
    return next((plan for plan in all() if plan.key == key), None)


def default() -> Plan | None:
    """The plan of those who pay nothing, or None where everybody pays."""
    return next((plan for plan in all() if plan.is_free), None)


def size(plan: Plan) -> tuple[int, int, int]:
    """What a plan is compared by: how many containers it has room for, how large they are, what it costs."""
    return plan.containers, plan.memory_mb, plan.price_cents


def for_sale() -> list[Plan]:
    """The plans that have a price, in the order of the file."""
    return [plan for plan in all() if not plan.is_free]


def next_larger(plan: Plan | None, containers: int) -> Plan | None:
    """The cheapest plan that has room for more containers than now.

    Args:
        plan: The present plan.
        containers: How many containers have to fit.
    """
    fitting = [
        other for other in all() if other.containers >= containers and other != plan and not other.is_free
    ]
    return min(fitting, key=lambda other: other.price_cents, default=None)
