"""The work behind the verbs. An operation may run more than once, so each step can be repeated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from rexec import jobs
from rexec.containers import closing, excess, limits, networks, specs
from rexec.containers.errors import ContainerMissing, NetworkMissing
from rexec.containers.gateway import docker, outage_is_not_a_verdict, remove_container
from rexec.containers.launching import Launch, Lost
from rexec.containers.models import Container
from rexec.containers.states import MOVING, enter
from rexec.docker_host.errors import DockerNotFound
from rexec.errors import RexecError, Unavailable
from rexec.extensions import db, utcnow
from rexec.jobs import OperationContext
from rexec.jobs.models import Operation

STOP_GRACE_S = 10
PATIENCE_S = 7 * 86_400.0
"""How long work waits for a Docker host that is away; after a week a person should look at it."""
LAUNCH_TIMEOUT_S = 1200.0


def fail(container_id: int, error: RexecError) -> None:
    """Say on the container why the work on it failed for good."""
    enter(
        container_id,
        MOVING,
        "failed",
        error_code=error.code,
        error_message=error.message,
        error_hint=error.hint,
        stopped_at=utcnow(),
    )


@contextmanager
def worked_for(context: OperationContext) -> Iterator[None]:
    """Let pages say that the work waits for the Docker host; what fails after it was cancelled is no failure.

    Raises:
        Cancelled: In place of any failure, once somebody cancelled or deletes the container: it would be
            written on what came after.
        Unavailable: As it came, or in place of a failure of trust.
    """
    try:
        with outage_is_not_a_verdict():
            yield
    except RexecError as error:
        if _is_cancelled(context):
            raise jobs.Cancelled from error
        if isinstance(error, Unavailable):
            context.progress({"waiting": error.message, "code": error.code})
        raise


def _is_cancelled(context: OperationContext) -> bool:
    """Whether it is as of now; `context.cancelled` may be half a second old, and the next operation waits."""
    asked = select(Operation.cancel_requested).where(Operation.id == context.operation_id)
    cancelled = db.session.scalar(asked)
    db.session.rollback()
    return bool(cancelled)


def _row(context: OperationContext, *status: str) -> Container | None:
    """The container as it is now, if it waits for this work; detached, so that no transaction stays open."""
    row = db.session.get(Container, context.subject_id, populate_existing=True)
    if row is not None:
        db.session.expunge(row)
    db.session.rollback()
    return row if row is not None and row.status in status else None


@jobs.handler("container.launch", timeout_s=LAUNCH_TIMEOUT_S, outage_s=PATIENCE_S, on_failed=fail)
def launch(context: OperationContext) -> None:
    """Make a container and start it, pulling its image first where the Docker host lacks it."""
    row = _row(context, "queued", "pulling", "creating", "starting")
    if row is None:
        return
    attempt = Launch(context, row)
    try:
        with worked_for(context):
            attempt.run()
    except Lost:
        attempt.take_back()
    except jobs.Cancelled:
        attempt.take_back()
        raise


@jobs.handler("container.start", outage_s=PATIENCE_S, on_failed=fail)
def start(context: OperationContext) -> None:
    """Start a stopped container."""
    row = _row(context, "starting")
    if row is not None:
        with worked_for(context):
            _start(row)


@jobs.handler("container.stop", outage_s=PATIENCE_S, on_failed=fail)
def stop(context: OperationContext) -> None:
    """Stop a running container."""
    row = _row(context, "stopping")
    if row is not None:
        with worked_for(context):
            _stop(row)
            enter(row.id, ("stopping",), "stopped", stopped_at=utcnow())


@jobs.handler("container.restart", outage_s=PATIENCE_S, on_failed=fail)
def restart(context: OperationContext) -> None:
    """Stop a container and start it again."""
    row = _row(context, "stopping", "starting")
    if row is None:
        return
    with worked_for(context):
        if row.status == "stopping":
            _stop(row)
            if not enter(row.id, ("stopping",), "starting", stopped_at=utcnow()):
                return
        _start(row)


@jobs.handler(limits.KIND, outage_s=PATIENCE_S)
def raise_limits(context: OperationContext) -> None:
    """Raise the limits of a running container; one that does not run gets its plan's when it is started."""
    row = _row(context, "running")
    if row is None:
        return
    with worked_for(context), suppress(DockerNotFound):
        # That it is gone is the comparison's to say.
        limits.raise_live(row)


@jobs.handler("container.delete", outage_s=PATIENCE_S, on_failed=fail)
def delete(context: OperationContext) -> None:
    """Remove a container, its home directory and its row."""
    row = _row(context, "deleting")
    if row is None:
        return
    with worked_for(context):
        remove_objects(row.public_id)
    db.session.execute(sql_delete(Container).where(Container.id == row.id, Container.status == "deleting"))
    db.session.commit()
    closing.container_is_gone(row.owner_id)
    excess.container_is_gone(row.owner_id)


def remove_objects(public_id: str) -> None:
    """Remove what the Docker host keeps for a container, its home directory too; what is gone is well.

    Raises:
        StillRemoving: The Docker host is at it.
        DockerHostError: The Docker host could not do it.
    """
    for remove, name in (
        (remove_container, specs.container_name(public_id)),
        (docker().remove_volume, specs.volume_name(public_id)),
    ):
        try:
            remove(name)
        except DockerNotFound:
            continue


def _stop(row: Container) -> None:
    try:
        docker().stop_container(specs.docker_name(row), grace_s=STOP_GRACE_S)
    except DockerNotFound as error:
        raise ContainerMissing from error


def _what_is_missing(row: Container) -> RexecError:
    """A start finds nothing where the container is gone, and where the network that it was made on is."""
    try:
        docker().inspect_container(specs.docker_name(row))
    except DockerNotFound:
        return ContainerMissing()
    if row.network is not None:
        networks.forget(row.network)
    return NetworkMissing()


def _start(row: Container) -> None:
    began = time.perf_counter()
    try:
        limits.follow_plan(row)
        docker().start_container(specs.docker_name(row))
    except DockerNotFound as error:
        raise _what_is_missing(row) from error
    now = utcnow()
    seconds = round(time.perf_counter() - began, 3)
    enter(
        row.id,
        ("starting",),
        "running",
        started_at=now,
        last_activity_at=now,
        timings={"start": seconds, "total": seconds, "ours": 0.0},
    )
