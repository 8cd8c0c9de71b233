"""Leases are renewed while a handler works, late ones are failed, and a stop gives back the unfinished."""

import threading
from datetime import timedelta

import pytest

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs import keeper, rows
from tests.support.waiting import eventually


@pytest.fixture
def busy(handle, add, runner):
    """A handler in a thread that works until it is let go."""
    entered, go = threading.Event(), threading.Event()
    seen, threads = [], []

    def work(context):
        seen.append(context)
        entered.set()
        assert go.wait(30)

    def start(**options):
        handle(work, **options)
        operation_id = add()
        thread = threading.Thread(target=runner.work, args=(operation_id, "quick"))
        thread.start()
        threads.append(thread)
        assert entered.wait(10)
        return operation_id, seen[0]

    yield start
    go.set()
    for thread in threads:
        thread.join(10)


@pytest.fixture(autouse=True)
def quick_clock(monkeypatch):
    monkeypatch.setattr(keeper, "RENEW_S", 0.02)
    monkeypatch.setattr(keeper, "TICK_S", 0.02)
    monkeypatch.setattr(keeper, "GRACE_S", 0.0)


def test_leases_are_renewed_while_the_handler_works(busy, row):
    operation_id, _ = busy()
    first = row(operation_id).lease_until
    eventually(lambda: row(operation_id).lease_until > first)


def test_a_lease_that_was_taken_away_fences_the_handler(busy):
    _, context = busy()
    rows.give_back([context.holder])
    eventually(context.lost)


def test_a_renewal_brings_the_cancelling(busy, app):
    _, context = busy()
    jobs.request_cancel(context.subject)
    db.session.commit()
    context._next_look = float("inf")
    eventually(context.cancelled)


def test_a_handler_that_outlives_its_time_is_failed_and_fenced(busy, row):
    told = []
    operation_id, context = busy(timeout_s=0.05, on_failed=lambda *seen: told.append(seen))
    eventually(lambda: row(operation_id).state == "failed")
    assert row(operation_id).error_code == "job_timeout"
    eventually(context.lost)
    assert [(subject_id, error.code) for subject_id, error in told] == [(1, "job_timeout")]


def test_stopping_gives_back_what_does_not_finish_in_time(busy, row, runner, bell):
    operation_id, context = busy()
    runner.stop(0.05)
    waiting = row(operation_id)
    assert (waiting.state, waiting.attempts, waiting.lease_holder) == ("queued", 0, None)
    assert waiting.not_before - utcnow() <= timedelta(0)
    assert bell.rung == [(operation_id, "quick")]
    assert context.lost()


def test_stopping_waits_for_what_finishes_in_time(handle, add, row, runner):
    entered = threading.Event()

    def work(context):
        entered.set()
        runner.stopping.wait(10)

    handle(work)
    operation_id = add()
    thread = threading.Thread(target=runner.work, args=(operation_id, "quick"))
    thread.start()
    assert entered.wait(10)
    runner.stop(10)
    thread.join(10)
    assert row(operation_id).state == "done"


def test_a_stopping_runner_claims_nothing(handle, add, row, runner):
    handle(lambda _: None)
    operation_id = add()
    runner.stop(1)
    runner.work(operation_id, "quick")
    assert (row(operation_id).state, row(operation_id).attempts) == ("queued", 0)


def test_an_idle_keeper_has_no_thread(runner):
    assert runner.keeper._thread is None
