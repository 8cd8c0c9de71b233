"""Containers follow the plan of their owner: raised while they run, whatever the plan says at a start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rexec.accounts.models import User
from rexec.admin import service as admin
from rexec.billing.signals import plan_changed
from rexec.containers import limits, service
from rexec.containers.states import enter
from rexec.docker_host.errors import DockerAPIError, DockerRejected, DockerUnreachable
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from tests.support.by_hand import operations
from tests.support.factories import make_container, make_user

FREE, PRO, TEAM = (512, 500, 256), (2048, 1000, 512), (4096, 2000, 1024)


def of(row):
    return (row.memory_mb, row.cpu_millis, row.pids)


def limits_on(docker_host, docker_id):
    config = docker_host.found[docker_id]["HostConfig"]
    return (config["Memory"] // 1024**2, config["NanoCpus"] // 1_000_000, config["PidsLimit"])


def kinds(container_id):
    return [operation.kind for operation in operations(container_id)]


def test_a_larger_plan_is_given_to_what_runs_without_a_restart(launched, owner, work, fresh, docker_host):
    row = launched()
    docker_id, started = row.docker_id, row.started_at
    admin.set_plan(owner, "team")
    assert of(fresh(row.id)) == PRO
    work()
    row = fresh(row.id)
    assert (of(row), row.status, row.started_at) == (TEAM, "running", started)
    assert limits_on(docker_host, docker_id) == TEAM
    assert docker_host.calls["start_container"] == 1
    assert docker_host.calls["stop_container"] == 0


def test_what_is_paid_for_counts_as_what_the_operator_gave(launched, owner, work, fresh):
    row_id = launched().id
    values = {"paid_plan": "team", "paid_until": utcnow() + timedelta(days=1)}
    db.session.execute(db.update(User).where(User.id == owner).values(**values))
    db.session.commit()
    plan_changed.send(None, user_id=owner)
    work()
    assert of(fresh(row_id)) == TEAM


def test_a_smaller_plan_leaves_what_runs_and_counts_from_the_next_start(
    launched, owner, work, fresh, docker_host
):
    row = launched()
    row_id, docker_id = row.id, row.docker_id
    admin.set_plan(owner, None)
    work()
    assert of(fresh(row_id)) == PRO
    assert docker_host.calls["update_container"] == 0
    service.restart(row_id)
    work()
    assert (of(fresh(row_id)), fresh(row_id).status) == (FREE, "running")
    assert limits_on(docker_host, docker_id) == FREE
    assert fresh(row_id).disk_mb == 10240


@pytest.mark.parametrize(("plan", "expected", "calls"), [("team", TEAM, 1), (None, FREE, 1), ("pro", PRO, 0)])
def test_a_start_asks_the_docker_host_only_where_the_plan_differs(
    launched, owner, work, fresh, docker_host, plan, expected, calls
):
    row_id = launched().id
    service.stop(row_id)
    work()
    admin.set_plan(owner, plan)
    assert kinds(row_id) == ["container.launch", "container.stop"]
    service.start(row_id)
    work()
    assert (of(fresh(row_id)), fresh(row_id).status) == (expected, "running")
    assert docker_host.calls["update_container"] == calls


def test_a_failed_container_is_made_again_as_the_plan_now_says(launched, owner, work, fresh, docker_host):
    row_id = launched().id
    docker_host.found.clear()
    enter(row_id, ("running",), "failed", docker_id=None)
    admin.set_plan(owner, None)
    service.retry(row_id)
    work()
    row = fresh(row_id)
    assert of(row) == FREE
    assert limits_on(docker_host, row.docker_id) == FREE


def test_one_that_is_taken_over_as_it_runs_has_the_limits_it_runs_with(
    launched, owner, work, fresh, docker_host
):
    row_id = launched().id
    enter(row_id, ("running",), "failed", error_code="x", docker_id=None)
    admin.set_plan(owner, None)
    service.retry(row_id)
    work()
    row = fresh(row_id)
    assert (row.status, of(row)) == ("running", PRO)
    assert limits_on(docker_host, row.docker_id) == PRO


def test_one_that_waits_reads_the_plan_when_its_turn_comes(launched, owner, work, fresh):
    row_id = launched().id
    for _ in range(5):
        admin.set_plan(owner, "team")
    assert kinds(row_id) == ["container.launch", "container.limits"]
    admin.set_plan(owner, "pro")
    work()
    assert of(fresh(row_id)) == PRO
    admin.set_plan(owner, "team")
    work()
    assert of(fresh(row_id)) == TEAM


def test_what_is_being_made_is_raised_once_it_runs(owner, work, fresh):
    row_id = service.launch(owner, "lab", "shell").id
    admin.set_plan(owner, "team")
    work()
    assert (of(fresh(row_id)), fresh(row_id).status) == (TEAM, "running")


def test_each_limit_is_raised_and_none_is_lowered(launched, owner, work, fresh, app):
    row_id = launched().id
    app.extensions["rexec.plans"] = tuple(
        type(plan)(**{**vars(plan), "pids": 64} if plan.key == "team" else vars(plan))
        for plan in app.extensions["rexec.plans"]
    )
    admin.set_plan(owner, "team")
    work()
    assert of(fresh(row_id)) == (4096, 2000, 512)


def test_a_raise_waits_for_a_docker_host_that_is_away(launched, owner, work, fresh, docker_host):
    row_id = launched().id
    docker_host.fail("update_container", DockerUnreachable(code="docker_refused"), times=8)
    admin.set_plan(owner, "team")
    for _ in range(8):
        work()
        assert (of(fresh(row_id)), fresh(row_id).status) == (PRO, "running")
        db.session.execute(db.update(Operation).values(not_before=Operation.created_at))
        db.session.commit()
    work()
    assert of(fresh(row_id)) == TEAM


@pytest.mark.parametrize("error", [DockerRejected(), DockerAPIError()])
def test_a_raise_that_is_refused_leaves_the_container_as_it_was(
    launched, owner, work, fresh, docker_host, error
):
    row_id = launched().id
    docker_host.fail("update_container", error, times=9)
    admin.set_plan(owner, "team")
    for _ in range(3):
        db.session.execute(db.update(Operation).values(not_before=Operation.created_at))
        db.session.commit()
        work()
    assert (of(fresh(row_id)), fresh(row_id).status) == (PRO, "running")
    assert operations(row_id)[-1].state == "failed"


def test_what_is_gone_or_stops_meanwhile_is_left_to_others(launched, owner, work, fresh, docker_host):
    gone, stopped = launched("gone").id, launched("stopped").id
    admin.set_plan(owner, "team")
    del docker_host.found[fresh(gone).docker_id]
    service.stop(stopped)
    work()
    assert (of(fresh(gone)), fresh(gone).status) == (PRO, "running")
    assert (of(fresh(stopped)), fresh(stopped).status) == (PRO, "stopped")
    assert {operation.state for operation in operations(gone)} == {"done"}


def test_a_raise_that_was_killed_half_way_is_done_again(launched, owner, work, fresh, docker_host):
    row_id = launched().id
    docker_host.before("update_container", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    admin.set_plan(owner, "team")
    with pytest.raises(KeyboardInterrupt):
        work()
    db.session.execute(db.update(Operation).values(state="queued", lease_holder=None))
    db.session.commit()
    work()
    assert of(fresh(row_id)) == TEAM


def test_a_change_that_nobody_told_of_is_found(launched, owner, work, fresh):
    row_id = launched().id
    db.session.execute(db.update(User).where(User.id == owner).values(plan="team"))
    db.session.commit()
    for _ in range(2):
        limits.raise_what_was_missed()
        work()
    assert of(fresh(row_id)) == TEAM
    assert kinds(row_id) == ["container.launch", "container.limits"]


def test_only_the_persons_own_containers_are_touched_in_few_queries(app, queries):
    user = make_user(plan="team")
    mine = [make_container(user).id for _ in range(20)]
    other = make_container(make_user(plan="team")).id
    queries.clear()
    plan_changed.send(None, user_id=user.id)
    # SQLAlchemy inserts one by one where the database is SQLite, all at once elsewhere.
    assert len([query for query in queries if not query.startswith("INSERT")]) <= 5, queries
    assert [kinds(row_id) for row_id in mine] == [["container.limits"]] * 20
    assert kinds(other) == []
    plan_changed.send(None, user_id=4711)
