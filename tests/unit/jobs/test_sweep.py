"""The watcher's sweep: what a dead process held goes on, and nobody waits unheard."""

from datetime import timedelta

import pytest

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs import rows
from rexec.jobs.models import Lease, Operation
from rexec.jobs.sweep import prune

PAST = timedelta(seconds=1)


@pytest.fixture
def told(handle):
    seen = []
    handle(lambda _: None, max_attempts=2, on_failed=lambda *args: seen.append(args))
    return seen


@pytest.fixture
def die(add):
    """Claim an operation and let its lease run out, as a killed process does."""

    def dead(operation_id):
        assert rows.claim(operation_id, "killed") is not None
        db.session.rollback()
        db.session.get(Operation, operation_id).lease_until = utcnow() - PAST
        db.session.commit()
        return operation_id

    return dead


def test_an_expired_lease_is_queued_again_and_rung_for(told, add, die, row, bell):
    operation_id = die(add())
    jobs.sweep()
    waiting = row(operation_id)
    assert (waiting.state, waiting.attempts, waiting.lease_holder) == ("queued", 1, None)
    assert bell.rung == [(operation_id, "quick")]
    assert rows.claim(operation_id, "next") is not None


def test_a_lease_that_lasts_is_left_alone(told, add, row, bell):
    operation_id = add()
    rows.claim(operation_id, "alive")
    jobs.sweep()
    assert (row(operation_id).state, row(operation_id).lease_holder) == ("working", "alive")
    assert bell.rung == []


def test_work_that_kills_its_process_each_time_fails_and_says_so(told, add, die, row, bell):
    operation_id = add()
    for _ in range(2):
        die(operation_id)
        jobs.sweep()
    assert (row(operation_id).state, row(operation_id).error_code) == ("failed", "interrupted")
    assert [(subject_id, error.code) for subject_id, error in told] == [(1, "interrupted")]


def test_a_lease_that_runs_out_in_the_middle_of_a_sweep_is_left_to_the_next(told, add, die, row, monkeypatch):
    operation_id = add()
    queue_expired = rows.queue_expired

    def queue_expired_just_before():
        queued = queue_expired()
        die(operation_id)
        return queued

    monkeypatch.setattr(rows, "queue_expired", queue_expired_just_before)
    jobs.sweep()
    assert row(operation_id).state == "working"
    monkeypatch.undo()
    jobs.sweep()
    assert (row(operation_id).state, told) == ("queued", [])


def test_what_was_cancelled_and_then_exhausted_tells_its_domain_of_no_failure(told, add, die, row):
    operation_id = die(add())
    jobs.sweep()
    die(operation_id)
    assert jobs.request_cancel(row(operation_id).subject)
    db.session.commit()
    jobs.sweep()
    assert (row(operation_id).state, told) == ("cancelled", [])


def test_two_sweeps_at_once_fail_an_operation_once(told, app, add, die, in_threads, bell):
    operation_id = die(add())
    jobs.sweep()
    die(operation_id)

    def sweep():
        with app.app_context():
            jobs.sweep()

    in_threads(sweep, sweep, sweep)
    assert len(told) == 1


def test_what_nobody_was_told_of_is_rung_for_after_ten_seconds(told, add, bell):
    operation_id = add(not_before=utcnow() - timedelta(seconds=9))
    jobs.sweep()
    assert bell.rung == []
    db.session.get(Operation, operation_id).not_before = utcnow() - timedelta(seconds=11)
    db.session.commit()
    jobs.sweep()
    # Four threads of a hanging process may take a ring each; the fifth reaches somebody else.
    assert bell.rung == [(operation_id, "quick")] * 5
    jobs.sweep()
    assert len(bell.rung) == 5


def test_busy_workers_are_not_rung_for_again(told, add, bell):
    add(not_before=utcnow() - timedelta(seconds=11))
    bell.unanswered = 3
    jobs.sweep()
    assert bell.rung == []


def test_while_the_bell_is_broken_rows_stay_unwoken(told, add, row, bell):
    operation_id = add(not_before=utcnow() - timedelta(seconds=11))
    bell.unanswered = None
    jobs.sweep()
    assert row(operation_id).woken_at is None


def test_what_ended_long_ago_is_forgotten(told, add, row):
    old = add(state="done", finished_at=utcnow() - timedelta(days=8))
    recent = add(state="failed", finished_at=utcnow() - timedelta(days=6))
    waiting = add(created_at=utcnow() - timedelta(days=8))
    jobs.lease("gone", "a process of yesterday", -90_000)
    jobs.lease("kept", "a process of today", -3600)
    prune()
    assert {lease.name for lease in db.session.query(Lease)} == {"kept"}
    assert row(old) is None
    assert row(recent) is not None
    assert row(waiting) is not None
