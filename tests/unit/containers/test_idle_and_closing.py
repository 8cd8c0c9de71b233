"""What ends containers by itself: too long without use, and the end of an account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rexec.accounts import closing as accounts_closing
from rexec.accounts.models import User
from rexec.accounts.signals import account_closing
from rexec.billing import usage
from rexec.containers import idle, service
from rexec.containers.models import Container
from rexec.extensions import db, utcnow
from tests.support.factories import make_container, make_user


def minutes_ago(minutes):
    return utcnow() - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("plan", "minutes", "status"),
    [
        (None, 31, "stopping"),
        (None, 29, "running"),
        (None, 30.5, "running"),
        ("free", 31, "stopping"),
        ("taken-away", 31, "stopping"),
        ("pro", 31, "running"),
        ("pro", 721, "stopping"),
        ("team", 100_000, "running"),
    ],
)
def test_a_container_is_stopped_after_the_idle_minutes_of_its_owners_plan(app, fresh, plan, minutes, status):
    container_id = make_container(make_user(plan=plan), last_activity_at=minutes_ago(minutes)).id
    idle.stop_idle()
    assert fresh(container_id).status == status


@pytest.mark.parametrize(
    ("given", "paid", "days", "status"),
    [
        (None, "pro", None, "running"),
        (None, "pro", 1, "running"),
        (None, "pro", -1, "stopping"),
        ("free", "team", None, "running"),
        ("team", "pro", None, "running"),
    ],
)
def test_the_plan_that_is_paid_for_counts_where_it_is_the_larger(app, fresh, given, paid, days, status):
    paid_until = None if days is None else utcnow() + timedelta(days=days)
    owner = make_user(plan=given, paid_plan=paid, paid_until=paid_until)
    container_id = make_container(owner, last_activity_at=minutes_ago(31)).id
    idle.stop_idle()
    assert fresh(container_id).status == status


def test_those_who_may_run_on_do_not_hide_those_who_may_not(app, fresh, monkeypatch, queries):
    monkeypatch.setattr(idle, "READ_AT_ONCE", 3)
    team, free = make_user(plan="team"), make_user()
    lasting = [make_container(team, last_activity_at=minutes_ago(99)).id for _ in range(7)]
    ids = [make_container(free, last_activity_at=minutes_ago(99)).id for _ in range(4)]
    monkeypatch.setattr(idle, "STOPPED_AT_ONCE", 2)
    for _ in range(2):
        idle.stop_idle()
    assert {fresh(container_id).status for container_id in lasting} == {"running"}
    assert {fresh(container_id).status for container_id in ids} == {"stopping"}


def test_one_that_is_used_while_the_idle_are_stopped_goes_on(app, fresh, monkeypatch):
    container_id = make_container(last_activity_at=minutes_ago(99)).id
    stop = service.stop

    def stop_after_a_key(row_id, *conditions, **options):
        db.session.execute(db.update(Container).values(last_activity_at=utcnow()))
        db.session.commit()
        stop(row_id, *conditions, **options)

    monkeypatch.setattr(service, "stop", stop_after_a_key)
    idle.stop_idle()
    assert fresh(container_id).status == "running"


def test_one_that_nobody_ever_used_is_idle_since_its_start(app, fresh):
    container_id = make_container(started_at=minutes_ago(40)).id
    idle.stop_idle()
    assert fresh(container_id).status == "stopping"


def test_why_it_was_stopped_is_said_until_it_starts_again(launched, work, fresh):
    row_id = launched(owner_id=make_user().id).id
    db.session.execute(db.text("UPDATE containers SET last_activity_at = '2020-01-01 00:00:00.000000'"))
    db.session.commit()
    idle.stop_idle()
    work()
    row = fresh(row_id)
    assert (row.status, row.error_message) == ("stopped", "Stopped after 30 minutes without use.")
    service.start(row_id)
    work()
    row = fresh(row_id)
    assert (row.status, row.error_message) == ("running", None)
    idle.stop_idle()
    assert fresh(row_id).status == "running"


def test_only_running_containers_are_stopped(app, fresh):
    ids = {
        status: make_container(status=status, last_activity_at=minutes_ago(99)).id
        for status in ("stopped", "failed")
    }
    idle.stop_idle()
    assert {status: fresh(container_id).status for status, container_id in ids.items()} == {
        "stopped": "stopped",
        "failed": "failed",
    }


def test_an_account_goes_with_its_last_container(launched, work, docker_host):
    user_id = make_user(plan="pro").id
    other_id = launched("other").owner_id
    for name in ("one", "two"):
        launched(name, owner_id=user_id)
    db.session.execute(db.update(User).where(User.id == user_id).values(closing_at=utcnow()))
    db.session.commit()
    assert not accounts_closing.finish(user_id)
    work()
    assert db.session.get(User, user_id) is None
    assert len(docker_host.found) == 1
    assert service.count(other_id) == 1


def test_closing_may_be_said_again_and_says_how_many_are_left(launched, owner):
    launched("one")
    launched("two")
    for _ in range(2):
        left = sum(count or 0 for _, count in account_closing.send(None, user_id=owner))
        assert left == 2
    assert sum(count or 0 for _, count in account_closing.send(None, user_id=4711)) == 0


def test_billing_learns_what_containers_take_up(app):
    user = make_user()
    make_container(user, memory_mb=100, cpu_millis=500, disk_mb=10)
    make_container(user, memory_mb=200, cpu_millis=250, disk_mb=20, status="stopped")
    make_container(memory_mb=400)
    assert usage.of(user.id) == usage.Usage(
        containers=2, running=1, memory_mb=100, cpu_millis=500, disk_mb=30
    )
    assert usage.of(4711) == usage.Usage()
