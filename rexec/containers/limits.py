"""The limits of containers follow the owner's plan: raised while they run, as the plan says at a start.

A row says what the Docker host was told last. Nothing is lowered under a running container, whose programs
have what they use already.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing.plans import Plan
from rexec.billing.service import plan_of
from rexec.containers import specs
from rexec.containers.gateway import docker
from rexec.containers.models import Container
from rexec.containers.service import subject
from rexec.extensions import db

log = logging.getLogger(__name__)

KIND = "container.limits"
FOLLOW_EVERY_S = 300
AT_REST = ("stopped", "failed", "deleting")
"""Has its plan's limits when it is started or made again, or never."""


@dataclass(frozen=True)
class Limits:
    """What a container may use: megabytes without swap, thousandths of a processor, processes."""

    memory_mb: int
    cpu_millis: int
    pids: int

    @classmethod
    def of(cls, source: Container | Plan) -> Limits:
        """Those of a row or of a plan."""
        return cls(source.memory_mb, source.cpu_millis, source.pids)

    def raised_to(self, other: Limits) -> Limits:
        """The larger one of each."""
        return Limits(
            max(self.memory_mb, other.memory_mb),
            max(self.cpu_millis, other.cpu_millis),
            max(self.pids, other.pids),
        )


def on_plan_changed(_sender: object, *, user_id: int) -> None:
    """Have the limits of a person's containers raised where the plan allows more; commits."""
    owner = db.session.get(User, user_id, populate_existing=True)
    plan = plan_of(owner) if owner is not None else None
    if plan is None:
        db.session.rollback()
        return
    smaller = or_(
        Container.memory_mb < plan.memory_mb,
        Container.cpu_millis < plan.cpu_millis,
        Container.pids < plan.pids,
    )
    found = db.session.scalars(
        select(Container.id).where(Container.owner_id == user_id, Container.status.not_in(AT_REST), smaller)
    ).all()
    # One that waits will read the plan when its turn comes.
    added = jobs.add_once(KIND, *map(subject, found))
    db.session.commit()
    jobs.wake(*added)


@jobs.periodic("containers.limits", every_s=FOLLOW_EVERY_S)
def raise_what_was_missed() -> None:
    """Raise what a change of plan did not: whoever should have told of it may have been killed before."""
    least = [func.min(getattr(Container, name)) for name in Limits.__annotations__]
    running = db.session.execute(
        select(User.id, User.plan, User.paid_plan, User.paid_until, *least)
        .join(Container, Container.owner_id == User.id)
        .where(Container.status == "running")
        .group_by(User.id, User.plan, User.paid_plan, User.paid_until)
    ).all()
    db.session.rollback()
    for row in running:
        plan, has = plan_of(row), Limits(*row[4:])
        if plan is not None and has.raised_to(Limits.of(plan)) != has:
            on_plan_changed(None, user_id=row.id)


def raise_live(row: Container) -> None:
    """Raise the limits of a running container to those of the plan, and write them down. Commits.

    Raises:
        DockerHostError: The Docker host could not do it; the container goes on as it was.
    """
    plan = _plan_of_owner(row)
    if plan is not None:
        _apply(row, Limits.of(row).raised_to(Limits.of(plan)))


def follow_plan(row: Container) -> None:
    """Give a container that does not run the limits of the plan, larger or smaller. Commits.

    Asks the Docker host only where they differ. Without any plan they stay as they are. What a container may
    write to its disk is fixed when it is made.

    Raises:
        DockerNotFound: There is no such container.
        DockerHostError: The Docker host could not do it.
    """
    plan = _plan_of_owner(row)
    if plan is not None:
        _apply(row, Limits.of(plan))


def note_found(row: Container, host_config: Mapping[str, Any]) -> None:
    """Write down the limits of a container that is taken over as it runs, whatever its row says. Commits."""
    found = Limits(
        host_config["Memory"] // specs.MEGABYTE,
        host_config["NanoCpus"] // specs.NANO_PER_MILLI,
        host_config["PidsLimit"],
    )
    if found != Limits.of(row):
        _write(row, found)


def _plan_of_owner(row: Container) -> Plan | None:
    owner = db.session.execute(
        select(User.plan, User.paid_plan, User.paid_until).where(User.id == row.owner_id)
    ).first()
    db.session.rollback()
    return plan_of(owner) if owner is not None else None


def _apply(row: Container, wanted: Limits) -> None:
    if wanted == Limits.of(row):
        return
    docker().update_container(
        specs.docker_name(row),
        wanted.memory_mb * specs.MEGABYTE,
        wanted.cpu_millis * specs.NANO_PER_MILLI,
        wanted.pids,
    )
    # Whatever became of the container meanwhile, these are its limits now.
    _write(row, wanted)


def _write(row: Container, limits: Limits) -> None:
    db.session.execute(update(Container).where(Container.id == row.id).values(**vars(limits)))
    db.session.commit()
    log.info("container %s has other limits: %s", row.public_id, limits)
