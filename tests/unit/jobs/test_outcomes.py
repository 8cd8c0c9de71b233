"""What becomes of an operation after an attempt: done, moved, cancelled, tried again, failed."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import event

from rexec import jobs
from rexec.errors import NotFound, RexecError, Unavailable
from rexec.extensions import db, utcnow
from rexec.jobs import registry, rows
from rexec.jobs.models import Operation
from tests.support.waiting import eventually


class Passing(RexecError):
    """An error that another attempt may mend."""

    code = "passing"
    message = "The daemon had a bad moment."
    permanent = False


def raising(error):
    def work(context):
        raise error

    return work


def attempt(runner, operation_id, *, waits_s):
    """Let one attempt fail, and see that the next is due so many seconds after it ended."""
    before = utcnow()
    runner._work_one(operation_id)
    after = utcnow()
    db.session.expire_all()
    wait = timedelta(seconds=waits_s)
    assert before + wait <= db.session.get(Operation, operation_id).not_before <= after + wait
    db.session.rollback()


@pytest.fixture
def told():
    return []


def test_a_handler_that_returns_ends_its_operation(handle, add, row, runner):
    seen = []
    handle(lambda context: seen.append((context.subject, context.subject_id, context.attempt)))
    operation_id = add(subject="thing:7")
    runner.work(operation_id, "quick")
    ended = row(operation_id)
    assert seen == [("thing:7", 7, 1)]
    assert (ended.state, ended.lease_holder, ended.error_code) == ("done", None, None)
    assert ended.finished_at is not None


def test_a_permanent_error_fails_at_once_and_tells_the_domain(handle, add, row, runner, told):
    handle(raising(NotFound("The image is gone.")), on_failed=lambda *seen: told.append(seen))
    operation_id = add(subject="thing:7")
    runner.work(operation_id, "quick")
    failed = row(operation_id)
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert (failed.error_code, failed.error_message) == ("not_found", "The image is gone.")
    assert [(subject_id, error.code) for subject_id, error in told] == [(7, "not_found")]


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1), (2, 4), (3, 10), (4, 30), (9, 30)])
def test_the_back_off_grows_and_is_bounded(attempt, wait_s):
    assert registry.backoff_s(attempt) == wait_s


def test_a_passing_error_is_tried_again_until_the_attempts_are_used_up(handle, add, row, runner, told):
    handle(raising(Passing()), max_attempts=3, on_failed=lambda *seen: told.append(seen))
    operation_id = add()
    for wait_s in (1, 4):
        attempt(runner, operation_id, waits_s=wait_s)
        waiting = row(operation_id)
        assert waiting.state == "queued"
        waiting.not_before = utcnow()
        db.session.commit()
    assert told == []
    runner.work(operation_id, "quick")
    assert (row(operation_id).state, row(operation_id).attempts) == ("failed", 3)
    assert [error.code for _, error in told] == ["passing"]


def test_a_retry_is_rung_for_when_it_is_due(handle, add, runner, bell, monkeypatch):
    monkeypatch.setattr(registry, "RETRY_BACKOFF_S", (0.05,))
    handle(raising(Passing()))
    operation_id = add()
    runner._work_one(operation_id)
    eventually(lambda: bell.rung == [(operation_id, "quick")])


def test_an_unforeseen_error_is_logged_with_its_traceback_and_tried_again(handle, add, row, runner, caplog):
    handle(raising(ZeroDivisionError("secret detail")), max_attempts=2)
    operation_id = add()
    with caplog.at_level(logging.ERROR, "rexec.jobs"):
        runner._work_one(operation_id)
    assert row(operation_id).state == "queued"
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" in caplog.text


def test_an_unforeseen_error_shows_no_detail_to_the_person(handle, add, row, runner):
    handle(raising(ZeroDivisionError("secret detail")), max_attempts=1)
    operation_id = add()
    runner.work(operation_id, "quick")
    failed = row(operation_id)
    assert (failed.state, failed.error_code) == ("failed", "internal")
    assert "secret" not in failed.error_message


def test_an_outage_costs_no_attempt_while_the_handlers_patience_lasts(handle, add, row, runner):
    handle(raising(Unavailable()), max_attempts=1, outage_s=60)
    operation_id = add()
    attempt(runner, operation_id, waits_s=5)
    assert (row(operation_id).state, row(operation_id).attempts) == ("queued", 0)


def test_an_outage_that_outlasts_the_patience_fails(handle, add, row, runner):
    handle(raising(Unavailable()), max_attempts=1, outage_s=60)
    operation_id = add(started_at=utcnow() - timedelta(seconds=61))
    runner.work(operation_id, "quick")
    assert (row(operation_id).state, row(operation_id).error_code) == ("failed", "unavailable")


def test_moving_to_the_other_lane_costs_no_attempt_and_rings_there(handle, add, row, runner, bell):
    def work(context):
        if context.lane == "quick":
            raise jobs.MoveTo("slow")

    handle(work, max_attempts=1)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert (row(operation_id).state, row(operation_id).lane, row(operation_id).attempts) == (
        "queued",
        "slow",
        0,
    )
    assert bell.rung == [(operation_id, "slow")]
    runner.work(operation_id, "slow")
    assert (row(operation_id).state, row(operation_id).attempts) == ("done", 1)


def test_a_quick_runner_leaves_moved_work_to_the_slow_lane(handle, add, row, runner):
    def work(context):
        raise jobs.MoveTo("slow")

    handle(work)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert row(operation_id).state == "queued"


def test_a_handler_that_sees_the_cancelling_ends_cancelled(handle, add, row, runner):
    def work(context):
        jobs.request_cancel(context.subject)
        db.session.commit()
        context._next_look = 0
        context.check()

    handle(work)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert row(operation_id).state == "cancelled"


def test_the_end_of_one_rings_for_the_next_of_its_subject(handle, add, runner, bell):
    handle(lambda _: runner.stopping.set())
    first, second = add(), add()
    runner.work(first, "quick")
    assert bell.rung == [(second, "quick")]


def test_a_runner_goes_on_with_what_waits_in_its_lane(handle, add, row, runner):
    handle(lambda _: None)
    handle(lambda _: None, kind="test.slow", lane="slow")
    first, second, third = add(), add(), add(subject="thing:2")
    slow = add("test.slow", subject="thing:3")
    runner.work(first, "quick")
    assert [row(number).state for number in (first, second, third, slow)] == [
        "done",
        "done",
        "done",
        "queued",
    ]


def test_an_operation_costs_three_statements_beside_its_handlers(handle, add, runner):
    handle(lambda _: None)
    operation_ids = [add(), add(subject="thing:2")]
    runner._work_one(operation_ids[0])
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    runner._work_one(operation_ids[1])
    # The claim, the end, and who of the same subject comes next.
    assert [statement.split()[0] for statement in statements] == ["UPDATE", "UPDATE", "SELECT"]


def test_what_a_failed_handler_left_in_its_session_is_not_stored(handle, add, row, runner):
    def work(context):
        jobs.add("test.work", "thing:99")
        raise NotFound

    handle(work)
    runner.work(add(), "quick")
    assert jobs.active("thing:99") is None


def test_a_domain_that_cannot_be_told_leaves_no_operation_open(handle, add, row, runner, caplog):
    def on_failed(subject_id, error):
        raise ZeroDivisionError

    handle(raising(NotFound()), on_failed=on_failed)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert row(operation_id).state == "failed"
    assert "telling its domain failed" in caplog.text


def test_a_kind_of_another_release_is_left_to_its_instances(handle, add, row, runner, monkeypatch):
    handle(lambda _: None)
    operation_id = add()
    monkeypatch.setattr(registry, "_handlers", {})
    runner.work(operation_id, "quick")
    waiting = row(operation_id)
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    assert waiting.not_before > utcnow()


def test_an_attempt_that_lost_its_lease_changes_nothing(handle, add, row, runner):
    def work(context):
        rows.give_back([context.holder])
        context.progress({"late": True})

    handle(work)
    operation_id = add()
    runner.stopping.clear()
    runner._work_one(operation_id)
    assert (row(operation_id).state, row(operation_id).progress) == ("queued", None)


def test_two_handlers_for_one_kind_are_a_mistake(handle):
    handle(lambda _: None)
    with pytest.raises(ValueError, match=r"test\.work"):
        handle(raising(NotFound()))
