"""How much of a plan is used: asked of the domains above by signal, shown as bars."""

from __future__ import annotations

from dataclasses import dataclass

from blinker import signal

from rexec.billing.plans import Plan

usage_asked = signal("rexec.usage-asked")
"""Asks how much an account uses, as `usage_asked.send(sender, user_id=int)`; a receiver returns a `Usage`."""


@dataclass(frozen=True)
class Usage:
    """What an account keeps at this moment.

    Args:
        containers: Number kept, stopped ones too.
        running: Number of them that run.
        memory_mb: Memory promised to those that run, in MB.
        cpu_millis: Processor time promised to those that run, in thousandths of a core.
        disk_mb: Disk promised to all of them, in MB.
    """

    containers: int = 0
    running: int = 0
    memory_mb: int = 0
    cpu_millis: int = 0
    disk_mb: int = 0


@dataclass(frozen=True)
class Bar:
    """One limit of a plan and how much of it is used; `unit` is `count`, `mb` or `cores`."""

    label: str
    used: float
    limit: float
    unit: str


def of(user_id: int) -> Usage:
    """What an account uses; nothing where no domain keeps anything."""
    answers = [answer for _, answer in usage_asked.send(of, user_id=user_id)]
    return answers[0] if answers else Usage()


def bars(plan: Plan, usage: Usage) -> list[Bar]:
    """Every limit of a plan beside its use; a container's limits times the number of containers."""
    most = plan.containers
    return [
        Bar("Containers", usage.containers, most, "count"),
        Bar("Memory in use", usage.memory_mb, plan.memory_mb * most, "mb"),
        Bar("Processors in use", usage.cpu_millis / 1000, plan.cpu_millis * most / 1000, "cores"),
        Bar("Disk set aside", usage.disk_mb, plan.disk_mb * most, "mb"),
    ]
