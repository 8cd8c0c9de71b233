"""What a person can do with containers. Plain functions: rows in, rows out, never a Docker call.

Each verb moves the row by a conditional update and adds an operation in the same transaction; the work itself
is done by `rexec.containers.jobs`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.plans import Plan
from rexec.billing.service import plan_of
from rexec.containers import catalogue, names, room, states
from rexec.containers.catalogue import Image
from rexec.containers.errors import CANCELLED, NoPlan, PlanFull, Suspended
from rexec.containers.models import Container
from rexec.errors import InvalidInput, NotFound, RexecError
from rexec.extensions import db

STARTING = ("start", "restart", "retry")
MAY_START = Container.suspended_at.is_(None)
"""What has to hold of a container that is started, restarted or made again."""
NO_ERROR: dict[str, Any] = {"error_code": None, "error_message": None, "error_hint": None}


def subject(container_id: int) -> str:
    """What operations on a container are filed under."""
    return f"container:{container_id}"


def find(owner_id: int, public_id: str) -> Container:
    """A person's container.

    Raises:
        NotFound: There is none, or it is somebody else's; the two look alike.
    """
    row = db.session.scalars(
        select(Container).where(Container.public_id == public_id, Container.owner_id == owner_id)
    ).first()
    if row is None:
        raise NotFound
    return row


def launch(owner_id: int, name: str, image_key: str) -> Container:
    """Make a container for a person, if the plan has room; returns its row, detached. Commits.

    Args:
        owner_id: The person.
        name: What it is to be called; see `names.checked`.
        image_key: A key of the catalogue.

    Raises:
        InvalidInput: The name is not legal or taken, or there is no such image.
        LimitReached: The plan is full, or there is none.
    """
    name = names.checked(name)
    image = catalogue.get(image_key)
    if image is None:
        raise InvalidInput("Choose one of the images.", field="image")
    owner = room.locked_owner(owner_id)
    try:
        row = _insert(owner, name, image)
        operation = jobs.add("container.launch", subject(row.id))
        # Otherwise the commit would make the caller read it again.
        db.session.expunge(row)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise InvalidInput("You have a container with this name already.", field="name") from None
    except RexecError:
        db.session.rollback()
        raise
    jobs.wake(operation)
    return row


def _insert(owner: User | None, name: str, image: Image) -> Container:
    if owner is None or owner.closing_at is not None:
        raise NotFound
    plan = plan_of(owner)
    if plan is None:
        raise NoPlan
    refused = refusal(owner.id, plan)
    if refused is not None:
        raise refused
    row = Container(
        public_id=names.new_public_id(),
        owner_id=owner.id,
        name=name,
        image=image.key,
        image_reference=image.reference,
        shell=image.shell,
        status="queued",
        memory_mb=plan.memory_mb,
        cpu_millis=plan.cpu_millis,
        pids=plan.pids,
        disk_mb=plan.disk_mb,
    )
    db.session.add(row)
    db.session.flush()
    return row


def count(owner_id: int) -> int:
    """How many containers count against a person's plan: all whose row exists, stopped and failing ones too.

    One that is being deleted counts until it is gone, because until then it takes up the room.
    """
    return db.session.scalar(select(func.count()).where(Container.owner_id == owner_id)) or 0


def refusal(owner_id: int, plan: Plan) -> PlanFull | None:
    """Why a plan has no room for one more container, with both ways on; None where it has."""
    used = count(owner_id)
    return _full(plan, used, _least_missed(owner_id)) if used >= plan.containers else None


def _least_missed(owner_id: int) -> str | None:
    """The name of the container that a person misses least: failed or stopped, unused the longest."""
    idle_first = func.coalesce(Container.last_activity_at, Container.created_at)
    return db.session.scalar(
        select(Container.name)
        .where(Container.owner_id == owner_id, Container.status != "deleting")
        .order_by(Container.status.in_(("failed", "stopped")).desc(), idle_first)
        .limit(1)
    )


def _full(plan: Plan, used: int, least_missed: str | None) -> PlanFull:
    message = f"{room.words(plan)}, and you have {used}."
    ways = []
    if least_missed:
        ways.append(f"delete “{least_missed}”")
    larger = plans.next_larger(plan, used + 1)
    if larger:
        ways.append(f"choose the plan {larger.name} with room for {larger.containers}")
    hint = ", or ".join(ways) or "wait until one that is being deleted is gone"
    return PlanFull(message, hint=f"{hint[0].upper()}{hint[1:]}.")


def start(container_id: int) -> None:
    """Start a stopped container; nothing to do where it runs. Commits.

    Raises:
        Suspended: The plan has no room for it; `restart` and `retry` raise it too.
    """
    _act(container_id, "start", "container.start", MAY_START, **NO_ERROR)


def stop(container_id: int, *conditions: ColumnElement[bool], note: str | None = None) -> None:
    """Stop a running container; its home directory and everything else on its disk stay. Commits.

    Args:
        container_id: The container.
        conditions: What has to hold besides, in the same statement.
        note: Why, where it was not the person who asked; shown until it starts again.
    """
    values = {**NO_ERROR, "error_code": "idle_stopped", "error_message": note} if note else NO_ERROR
    _act(container_id, "stop", "container.stop", *conditions, **values)


def stop_suspended(container_id: int, why: Suspended) -> None:
    """Stop a running container that may not start any more, if that still holds. Commits.

    Args:
        container_id: The container.
        why: Shown until there is room for it again.

    Raises:
        NotNow: It does not run any more, or there is room for it again.
    """
    values = {**NO_ERROR, "error_code": why.code, "error_message": f"{why.message} {why.hint}"}
    _act(container_id, "stop", "container.stop", Container.suspended_at.is_not(None), **values)


def restart(container_id: int) -> None:
    """Stop and start a container; a stopped one is only started. Commits."""
    if _status(container_id) == "stopped":
        start(container_id)
        return
    _act(container_id, "restart", "container.restart", MAY_START, **NO_ERROR)


def retry(container_id: int) -> None:
    """Make a failed container again, with the same home directory and the present plan's limits. Commits."""
    limits = _present_limits(container_id)
    _act(container_id, "retry", "container.launch", MAY_START, **NO_ERROR, **limits, timings=None)


def _present_limits(container_id: int) -> dict[str, int]:
    owner = db.session.scalars(
        select(User).join(Container, Container.owner_id == User.id).where(Container.id == container_id)
    ).first()
    plan = plan_of(owner) if owner is not None else None
    limited = ("memory_mb", "cpu_millis", "pids")
    return {name: getattr(plan, name) for name in limited} if plan is not None else {}


def cancel(container_id: int) -> None:
    """Stop making a container; it is then failed, with *Retry* and *Delete*. Commits."""
    code, message, hint = CANCELLED
    _act(container_id, "cancel", None, error_code=code, error_message=message, error_hint=hint)


def delete(container_id: int) -> None:
    """Remove a container and its home directory, whatever it is doing. Commits."""
    _act(container_id, "delete", "container.delete")


def _status(container_id: int) -> str | None:
    return db.session.scalar(select(Container.status).where(Container.id == container_id))


def _act(
    container_id: int, verb: str, kind: str | None, *conditions: ColumnElement[bool], **values: Any
) -> None:
    acting, to, satisfied = states.VERBS[verb]
    db.session.rollback()
    operation = None
    if states.transition(container_id, acting, to, *conditions, **values):
        if verb in {"cancel", "delete"}:
            jobs.request_cancel(subject(container_id))
        if kind is not None:
            operation = jobs.add(kind, subject(container_id))
        db.session.commit()
    else:
        db.session.rollback()
        status = _status(container_id)
        if status in acting and verb in STARTING:
            _refuse_suspended(container_id)
        if status is not None and status not in satisfied:
            raise states.NotNow(hint=f"It is {status}. Wait until it has settled, then try again.")
    if operation is not None:
        jobs.wake(operation)


def _refuse_suspended(container_id: int) -> None:
    owner_id = db.session.scalar(
        select(Container.owner_id).where(Container.id == container_id, Container.suspended_at.is_not(None))
    )
    if owner_id is not None:
        raise room.suspended_of(owner_id)
