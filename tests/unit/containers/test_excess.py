"""More containers than the plan has room for: the grace, the choice, who is suspended and released."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rexec.accounts.models import User
from rexec.admin import service as admin
from rexec.billing.signals import plan_changed
from rexec.containers import excess, service
from rexec.containers.errors import PlanFull, Suspended
from rexec.containers.models import Container, Excess
from rexec.containers.states import enter
from rexec.errors import InvalidInput, LimitReached
from rexec.extensions import db, utcnow
from tests.support.by_hand import operations
from tests.support.factories import make_container, make_user

LONG_AGO = utcnow() - excess.GRACE - timedelta(minutes=1)


@pytest.fixture
def ids(owner):
    """Five running containers of somebody with the plan Pro, oldest first."""
    user = db.session.get(User, owner)
    limited = {"memory_mb": 2048, "cpu_millis": 1000, "pids": 512}
    return [make_container(user, name=f"lab-{number}", **limited).id for number in range(5)]


@pytest.fixture
def downgraded(owner, ids):
    """The same after a downgrade to one container whose grace has ended, not yet looked at."""
    admin.set_plan(owner, None)
    let_grace_pass(owner)
    return ids


def let_grace_pass(owner):
    db.session.execute(db.update(Excess).where(Excess.user_id == owner).values(since=LONG_AGO))
    db.session.commit()


def suspended(container_ids):
    db.session.rollback()
    found = db.session.scalars(
        db.select(Container.id).where(Container.id.in_(container_ids), Container.suspended_at.is_not(None))
    )
    return [container_ids.index(row_id) for row_id in sorted(found)]


def statuses(container_ids):
    db.session.rollback()
    query = db.select(Container.status).where(Container.id.in_(container_ids)).order_by(Container.id)
    return db.session.scalars(query).all()


def public_ids(container_ids, *numbers):
    return [db.session.get(Container, container_ids[number]).public_id for number in numbers]


def without_free_plan(app):
    app.extensions["rexec.plans"] = tuple(plan for plan in app.extensions["rexec.plans"] if not plan.is_free)


def test_during_the_grace_everything_goes_on(owner, ids):
    admin.set_plan(owner, None)
    assert db.session.get(Excess, owner).room == 1
    for _ in range(2):
        excess.look_at_all()
    assert suspended(ids) == []
    assert statuses(ids) == ["running"] * 5
    service.restart(ids[4])
    with pytest.raises(PlanFull):
        service.launch(owner, "sixth", "shell")


def test_after_the_grace_all_but_the_oldest_are_stopped_and_kept(downgraded):
    for _ in range(3):
        excess.look_at_all()
    assert suspended(downgraded) == [1, 2, 3, 4]
    assert statuses(downgraded) == ["running", *["stopping"] * 4]
    assert [len(operations(row_id)) for row_id in downgraded] == [0, 1, 1, 1, 1]


def test_what_was_chosen_stays_and_the_oldest_fill_the_rest(owner, ids, app):
    app.extensions["rexec.plans"] = tuple(
        type(plan)(**{**vars(plan), "containers": 3} if plan.is_free else vars(plan))
        for plan in app.extensions["rexec.plans"]
    )
    admin.set_plan(owner, None)
    excess.choose(owner, public_ids(ids, 4))
    let_grace_pass(owner)
    excess.look_at_all()
    assert suspended(ids) == [2, 3]


def test_a_choice_after_the_grace_counts_at_once(owner, downgraded, fresh):
    excess.look_at_all()
    excess.choose(owner, public_ids(downgraded, 3))
    assert suspended(downgraded) == [0, 1, 2, 4]
    assert statuses(downgraded)[0] == "stopping"
    enter(downgraded[3], ("stopping",), "stopped")
    service.start(downgraded[3])
    assert fresh(downgraded[3]).status == "starting"


def test_more_than_fits_cannot_be_chosen(owner, downgraded):
    with pytest.raises(InvalidInput, match="room for 1 container, and you ticked 2") as refused:
        excess.choose(owner, public_ids(downgraded, 0, 1))
    assert refused.value.field == "keep"
    assert not db.session.get(Container, downgraded[0]).keep


def test_what_is_somebody_elses_cannot_be_chosen(owner, downgraded, fresh):
    other = make_container()
    excess.choose(owner, [other.public_id, "nothing-here"])
    assert not fresh(other.id).keep
    assert suspended(downgraded) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("verb", "status"),
    [("start", "stopped"), ("restart", "stopped"), ("restart", "running"), ("retry", "failed")],
)
def test_what_is_suspended_cannot_be_started_by_any_verb(owner, downgraded, fresh, verb, status):
    excess.look_at_all()
    row_id = downgraded[2]
    db.session.execute(db.update(Container).where(Container.id == row_id).values(status=status))
    db.session.commit()
    before = len(operations(row_id))
    with pytest.raises(Suspended) as refused:
        getattr(service, verb)(row_id)
    assert isinstance(refused.value, LimitReached)
    assert (
        refused.value.message == "Your plan Free has room for 1 container: this one is kept but cannot start."
    )
    assert refused.value.hint == "Choose what stays, or the plan Pro with room for 5."
    assert (fresh(row_id).status, len(operations(row_id))) == (status, before)


def test_what_is_suspended_can_be_deleted(downgraded, fresh):
    excess.look_at_all()
    service.delete(downgraded[2])
    assert fresh(downgraded[2]).status == "deleting"


def test_why_it_was_stopped_is_said_until_there_is_room_again(launched, owner, work, fresh, docker_host):
    ids = [launched(name).id for name in ("one", "two")]
    admin.set_plan(owner, None)
    let_grace_pass(owner)
    excess.look_at_all()
    work()
    row = fresh(ids[1])
    assert (row.status, row.error_code) == ("stopped", "suspended")
    assert row.error_message.startswith("Your plan Free has room for 1 container: this one is kept")
    assert len(docker_host.volumes) == 2
    admin.set_plan(owner, "pro")
    row = fresh(ids[1])
    assert (row.status, row.error_code, row.suspended_at) == ("stopped", None, None)
    service.start(ids[1])
    work()
    assert fresh(ids[1]).status == "running"


def test_an_upgrade_releases_as_many_as_fit_the_chosen_first(owner, downgraded, app):
    excess.choose(owner, public_ids(downgraded, 4))
    assert suspended(downgraded) == [0, 1, 2, 3]
    app.extensions["rexec.plans"] = tuple(
        type(plan)(**{**vars(plan), "containers": 3} if plan.key == "pro" else vars(plan))
        for plan in app.extensions["rexec.plans"]
    )
    admin.set_plan(owner, "pro")
    assert suspended(downgraded) == [2, 3]
    admin.set_plan(owner, "team")
    assert suspended(downgraded) == []
    assert db.session.get(Excess, owner) is None


def test_a_deleted_container_leaves_its_room_to_one_that_is_suspended(launched, owner, work):
    ids = [launched(name).id for name in ("one", "two")]
    admin.set_plan(owner, None)
    let_grace_pass(owner)
    excess.look_at_all()
    work()
    assert suspended(ids) == [1]
    service.delete(ids[0])
    work()
    assert suspended(ids) == []
    assert db.session.get(Excess, owner) is None


def test_a_second_downgrade_begins_another_grace_and_releases_nobody(app, owner):
    user = db.session.get(User, owner)
    admin.set_plan(owner, "team")
    ids = [make_container(user).id for _ in range(7)]
    admin.set_plan(owner, "pro")
    let_grace_pass(owner)
    excess.look_at_all()
    assert suspended(ids) == [5, 6]
    admin.set_plan(owner, None)
    excess.look_at_all()
    assert suspended(ids) == [5, 6]
    let_grace_pass(owner)
    excess.look_at_all()
    assert suspended(ids) == [1, 2, 3, 4, 5, 6]


def test_a_new_excess_has_a_grace_of_its_own(owner, downgraded):
    admin.set_plan(owner, "pro")
    admin.set_plan(owner, None)
    excess.look_at_all()
    assert suspended(downgraded) == []


def test_a_paid_plan_that_ended_by_itself_is_found(owner, ids):
    values = {"plan": None, "paid_plan": "pro", "paid_until": utcnow() + timedelta(days=1)}
    db.session.execute(db.update(User).where(User.id == owner).values(**values))
    db.session.commit()
    excess.look_at_all()
    assert db.session.get(Excess, owner) is None
    db.session.execute(db.update(User).where(User.id == owner).values(paid_until=LONG_AGO))
    db.session.commit()
    excess.look_at_all()
    assert db.session.get(Excess, owner).room == 1


def test_without_any_plan_none_stays(app, owner, ids):
    without_free_plan(app)
    admin.set_plan(owner, None)
    let_grace_pass(owner)
    excess.look_at_all()
    assert suspended(ids) == [0, 1, 2, 3, 4]
    enter(ids[0], ("stopping",), "stopped")
    with pytest.raises(Suspended, match="You have no plan: this container is kept but cannot start"):
        service.restart(ids[0])


def test_one_that_was_starting_when_it_was_suspended_is_stopped_at_the_next_look(downgraded, fresh):
    enter(downgraded[1], ("running",), "stopping")
    enter(downgraded[1], ("stopping",), "starting")
    excess.look_at_all()
    assert fresh(downgraded[1]).status == "starting"
    enter(downgraded[1], ("starting",), "running")
    excess.look_at_all()
    assert fresh(downgraded[1]).status == "stopping"


def test_what_is_being_deleted_needs_no_room(owner, fresh):
    user = db.session.get(User, owner)
    make_container(user, status="deleting")
    kept = make_container(user).id
    admin.set_plan(owner, None)
    assert db.session.get(Excess, owner) is None
    assert fresh(kept).suspended_at is None


def test_an_account_that_is_being_deleted_is_left_alone(owner, downgraded):
    db.session.execute(db.update(User).where(User.id == owner).values(closing_at=utcnow()))
    db.session.commit()
    excess.look_at_all()
    excess.settle(owner)
    plan_changed.send(None, user_id=owner)
    assert suspended(downgraded) == []


def test_looking_at_everybody_is_one_query_where_nothing_is_to_do(app, owner, downgraded, queries):
    excess.look_at_all()
    for _ in range(30):
        make_container(make_user())
    for row_id in downgraded[1:]:
        enter(row_id, ("stopping",), "stopped")
    queries.clear()
    excess.look_at_all()
    assert len(queries) == 1, queries


def test_settling_takes_no_more_queries_for_more_containers(app, owner, queries):
    user = db.session.get(User, owner)
    counts = []
    for number in (6, 40):
        for _ in range(number):
            make_container(user, status="stopped")
        db.session.execute(db.update(User).where(User.id == owner).values(plan="pro"))
        db.session.execute(db.insert(Excess).values(user_id=owner, room=5, since=LONG_AGO))
        db.session.commit()
        queries.clear()
        excess.settle(owner)
        counts.append(len(queries))
        db.session.execute(db.delete(Excess))
        db.session.execute(db.update(Container).values(suspended_at=None))
        db.session.commit()
    assert counts[0] == counts[1] <= 8
