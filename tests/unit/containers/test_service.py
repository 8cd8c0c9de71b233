"""The verbs: what they write, what they refuse, and that saying them twice does no harm."""

from __future__ import annotations

import pytest

from rexec.containers import service
from rexec.containers.errors import NoPlan, PlanFull
from rexec.containers.models import Container
from rexec.containers.states import VERBS, NotNow
from rexec.errors import InvalidInput, NotFound
from rexec.extensions import db, utcnow
from tests.support.by_hand import operations
from tests.support.factories import make_container, make_user


def rows_of(owner_id):
    return db.session.scalars(db.select(Container).where(Container.owner_id == owner_id)).all()


def test_a_launch_is_a_row_with_the_plans_limits_and_an_operation(owner):
    row = service.launch(owner, " Web-Lab ", "alpine")
    assert (row.name, row.image, row.image_reference, row.shell) == (
        "web-lab",
        "alpine",
        "alpine:3.22",
        "/bin/sh",
    )
    assert (row.status, row.memory_mb, row.cpu_millis, row.pids, row.disk_mb) == (
        "queued",
        2048,
        1000,
        512,
        10240,
    )
    assert [(operation.kind, operation.state) for operation in operations(row.id)] == [
        ("container.launch", "queued")
    ]


def test_a_name_is_taken_for_its_owner_only(owner):
    service.launch(owner, "lab", "shell")
    with pytest.raises(InvalidInput, match="this name already") as refused:
        service.launch(owner, "LAB", "shell")
    assert refused.value.field == "name"
    assert len(rows_of(owner)) == 1
    assert service.launch(make_user().id, "lab", "shell").name == "lab"


def test_an_image_that_the_catalogue_lacks_is_refused(owner):
    with pytest.raises(InvalidInput) as refused:
        service.launch(owner, "lab", "../../etc")
    assert refused.value.field == "image"
    assert rows_of(owner) == []


@pytest.mark.parametrize("status", ["stopped", "failed", "running", "deleting"])
def test_whatever_has_a_row_counts_against_the_plan(app, status):
    user = make_user()
    make_container(user, status=status)
    with pytest.raises(PlanFull):
        service.launch(user.id, "second", "shell")


def test_a_full_plan_says_what_to_delete_and_which_plan_fits(app):
    user = make_user(plan="pro")
    for number in range(4):
        make_container(user, name=f"busy-{number}", last_activity_at=utcnow())
    make_container(user, name="forgotten", status="stopped")
    with pytest.raises(PlanFull) as refused:
        service.launch(user.id, "sixth", "shell")
    assert refused.value.message == "Your plan Pro has room for 5 containers, and you have 5."
    assert "forgotten" in refused.value.hint
    assert "Team" in refused.value.hint


def test_without_any_plan_nobody_launches(app):
    user_id = make_user().id
    app.extensions["rexec.plans"] = tuple(plan for plan in app.extensions["rexec.plans"] if not plan.is_free)
    with pytest.raises(NoPlan):
        service.launch(user_id, "lab", "shell")
    assert rows_of(user_id) == []


def test_an_account_that_is_being_deleted_launches_nothing(app):
    user_id = make_user(closing_at=utcnow()).id
    with pytest.raises(NotFound):
        service.launch(user_id, "lab", "shell")


def test_a_strangers_container_and_one_that_is_not_there_look_alike(owner):
    public_id = service.launch(owner, "lab", "shell").public_id
    assert service.find(owner, public_id).name == "lab"
    for owner_id, asked in ((make_user().id, public_id), (owner, "nothing-here")):
        with pytest.raises(NotFound) as refused:
            service.find(owner_id, asked)
        assert refused.value.message == NotFound.message


VERB_FUNCTIONS = {verb: getattr(service, verb) for verb in VERBS}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_acts_once_in_each_state_it_acts_on_and_is_quiet_or_refused_in_others(app, fresh, verb):
    acting, to, satisfied = VERBS[verb]
    owner = make_user()
    for status in ("queued", "pulling", "creating", "starting", "running", "stopping", "stopped", "failed"):
        container_id = make_container(owner, status=status).id
        do = VERB_FUNCTIONS[verb]
        if verb == "restart" and status == "stopped":
            do(container_id)
            assert fresh(container_id).status == "starting"
        elif status in acting:
            do(container_id)
            do(container_id)
            assert fresh(container_id).status == to
            assert len(operations(container_id)) == (0 if verb == "cancel" else 1)
        elif status in satisfied:
            do(container_id)
            assert fresh(container_id).status == status
            assert operations(container_id) == []
        else:
            with pytest.raises(NotNow) as refused:
                do(container_id)
            assert status in refused.value.hint


def test_a_verb_on_a_row_that_went_meanwhile_is_quiet(app, fresh):
    container_id = make_container().id
    db.session.execute(db.delete(Container))
    db.session.commit()
    service.delete(container_id)
    assert db.session.scalars(db.select(Container)).all() == []


def test_cancelling_says_so_and_stops_what_waits(owner, fresh):
    container_id = service.launch(owner, "lab", "shell").id
    service.cancel(container_id)
    row = fresh(container_id)
    assert (row.status, row.error_code) == ("failed", "cancelled")
    assert [operation.state for operation in operations(container_id)] == ["cancelled"]


def test_deleting_what_waits_needs_no_worker_to_give_up_first(owner, work, fresh):
    container_id = service.launch(owner, "lab", "shell").id
    service.delete(container_id)
    kinds = [(operation.kind, operation.state) for operation in operations(container_id)]
    assert kinds == [("container.launch", "cancelled"), ("container.delete", "queued")]
    work()
    assert fresh(container_id) is None


def test_a_retry_forgets_the_old_failure(app, fresh):
    container_id = make_container(
        status="failed", error_code="x", error_message="y", error_hint="z", timings={"total": 1}
    ).id
    service.retry(container_id)
    row = fresh(container_id)
    assert (row.status, row.error_code, row.error_message, row.error_hint, row.timings) == (
        "queued",
        None,
        None,
        None,
        None,
    )
