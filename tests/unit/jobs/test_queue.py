"""Adding, claiming and cancelling: the row is the queue, and one subject is worked by one at a time."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs import rows
from rexec.jobs.models import Operation


@pytest.fixture(autouse=True)
def some_handler(handle):
    handle(lambda _: None, max_attempts=3)
    handle(lambda _: None, kind="test.slow", lane="slow")


def test_an_added_operation_waits_in_its_handlers_lane(add, row):
    waiting = row(add("test.slow"))
    assert (waiting.state, waiting.lane, waiting.attempts, waiting.max_attempts) == ("queued", "slow", 0, 3)


def test_waking_right_after_the_commit_asks_the_database_nothing(app, bell):
    operation = jobs.add("test.slow", "thing:1")
    operation_id = operation.id
    db.session.commit()
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    jobs.wake(operation)
    assert bell.rung == [(operation_id, "slow")]
    assert statements == []


def test_a_rolled_back_transaction_leaves_no_operation(app):
    jobs.add("test.work", "thing:1")
    db.session.rollback()
    assert jobs.active("thing:1") is None


def test_a_kind_without_a_handler_cannot_be_added(app):
    with pytest.raises(LookupError, match=r"test\.nobody"):
        jobs.add("test.nobody", "thing:1")


def test_a_claim_counts_the_attempt_and_sets_the_lease(add, row):
    operation_id = add()
    claimed = rows.claim(operation_id, "me")
    held = row(operation_id)
    assert (claimed.subject, claimed.attempts, claimed.lane) == ("thing:1", 1, "quick")
    assert (held.state, held.lease_holder, held.attempts) == ("working", "me", 1)
    assert timedelta(seconds=15) < held.lease_until - utcnow() <= timedelta(seconds=20)
    assert held.started_at is not None


def test_twenty_threads_claim_one_row_and_one_wins(app, add, in_threads):
    operation_id = add()

    def claimer(number):
        def claim():
            with app.app_context():
                return rows.claim(operation_id, f"thread {number}")

        return claim

    claims = in_threads(*(claimer(number) for number in range(20)))
    assert len([claimed for claimed in claims if claimed]) == 1


def test_two_operations_of_one_subject_are_never_claimed_together(app, add, in_threads):
    operation_ids = [add() for _ in range(6)]

    def claimer(operation_id):
        def claim():
            with app.app_context():
                return rows.claim(operation_id, f"holder {operation_id}")

        return claim

    in_threads(*(claimer(operation_id) for operation_id in operation_ids))
    assert db.session.query(Operation).filter_by(state="working").count() == 1


def test_operations_of_one_subject_keep_their_order(add):
    first, second = add(), add()
    assert rows.claim(second, "me") is None
    claimed = rows.claim(first, "me")
    assert rows.claim(second, "me") is None
    assert rows.finish(claimed, "done")
    assert rows.next_of_subject("thing:1") == rows.Waiting(second, "quick")
    assert rows.claim(second, "me") is not None


def test_operations_of_two_subjects_are_claimed_side_by_side(add):
    assert rows.claim(add(subject="thing:1"), "me") is not None
    assert rows.claim(add(subject="thing:2"), "me") is not None


def test_an_operation_before_its_time_is_not_claimed(add):
    operation_id = add(not_before=utcnow() + timedelta(seconds=30))
    assert rows.claim(operation_id, "me") is None
    assert rows.due("quick") == []


def test_due_gives_the_oldest_of_each_subject_in_a_lane(add):
    first = add(subject="thing:1")
    add(subject="thing:1")
    other = add(subject="thing:2")
    slow = add("test.slow", subject="thing:3")
    rows.claim(add(subject="thing:4"), "me")
    add(subject="thing:4")
    assert [waiting.operation_id for waiting in rows.due("quick")] == [first, other]
    assert [waiting.operation_id for waiting in rows.due("slow")] == [slow]


def test_a_holder_that_was_replaced_writes_nothing(add, row):
    operation_id = add()
    old = rows.claim(operation_id, "old")
    rows.requeue(old)
    rows.claim(operation_id, "new")
    assert rows.save_progress(operation_id, "old", {"bytes": 1}) is None
    assert rows.cancel_requested(operation_id, "old") is None
    assert not rows.finish(old, "done")
    assert not rows.requeue(old)
    assert rows.renew(["old"]) == {}
    held = row(operation_id)
    assert (held.state, held.lease_holder, held.progress) == ("working", "new", None)


def test_giving_back_does_not_count_the_attempt(add, row):
    operation_id = add()
    rows.claim(operation_id, "me")
    assert rows.give_back(["me"]) == [rows.Waiting(operation_id, "quick")]
    waiting = row(operation_id)
    assert (waiting.state, waiting.attempts, waiting.lease_holder) == ("queued", 0, None)
    assert rows.claim(operation_id, "next instance") is not None


def test_active_prefers_what_is_worked_on(add):
    working, waiting = add(), add()
    assert jobs.active("thing:1").id == working
    claimed = rows.claim(working, "me")
    db.session.expire_all()
    assert jobs.active("thing:1").id == working
    rows.finish(claimed, "done")
    db.session.expire_all()
    assert jobs.active("thing:1").id == waiting
    assert jobs.active("thing:2") is None


def test_cancelling_what_never_began_ends_it_at_once(add, row):
    operation_id = add()
    assert jobs.request_cancel("thing:1") is False
    db.session.commit()
    assert row(operation_id).state == "cancelled"
    assert rows.claim(operation_id, "me") is None


def test_cancelling_what_runs_tells_its_holder(add, row):
    operation_id = add()
    rows.claim(operation_id, "me")
    assert jobs.request_cancel("thing:1") is True
    db.session.commit()
    assert row(operation_id).state == "working"
    assert rows.renew(["me"]) == {"me": True}
    assert rows.cancel_requested(operation_id, "me") is True


def test_cancelling_what_waits_for_another_attempt_lets_its_handler_clean_up_at_once(add):
    operation_id = add()
    rows.requeue(rows.claim(operation_id, "me"), delay_s=60)
    assert jobs.request_cancel("thing:1") is True
    db.session.commit()
    assert rows.claim(operation_id, "me").cancel_requested


def test_cancelling_touches_no_other_subject(add, row):
    operation_id = add(subject="thing:2")
    jobs.request_cancel("thing:1")
    db.session.commit()
    assert row(operation_id).state == "queued"
