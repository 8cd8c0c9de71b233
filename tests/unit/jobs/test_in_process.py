"""The runner of the web process: woken at once, finds others' rows, its lanes do not delay each other."""

import threading
from datetime import timedelta

import pytest

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs import backends, in_process
from rexec.jobs.models import Operation
from tests.support.waiting import eventually

FAR = utcnow() + timedelta(days=1)


def release(operation_ids):
    for operation_id in operation_ids:
        db.session.get(Operation, operation_id).not_before = utcnow()
    db.session.commit()


@pytest.fixture
def running(app, monkeypatch):
    monkeypatch.setattr(in_process, "POLL_S", 0.02)
    jobs.start_in_process(app)
    yield app.extensions[backends.EXTENSION]
    jobs.stop(5)


def test_a_woken_operation_runs_without_waiting_for_a_poll(app, monkeypatch, handle, add, row):
    monkeypatch.setattr(in_process, "POLL_S", 3600)
    jobs.start_in_process(app)
    handle(lambda _: None)
    operation_id = add()
    jobs.wake(row(operation_id))
    eventually(lambda: row(operation_id).state == "done")
    jobs.stop(5)


def test_rows_that_another_process_added_are_found(running, handle, add, row):
    handle(lambda _: None)
    operation_id = add()
    eventually(lambda: row(operation_id).state == "done")


def test_two_subjects_run_side_by_side_and_one_subject_in_order(running, handle, add, row):
    together = threading.Barrier(2)
    order = []

    def work(context):
        if context.operation_id in pair:
            together.wait(10)
        order.append(context.operation_id)

    pair = []
    handle(work)
    pair += [add(subject="thing:1", not_before=FAR), add(subject="thing:2", not_before=FAR)]
    after = add(subject="thing:1")
    release(pair)
    eventually(lambda: {row(number).state for number in (*pair, after)} == {"done"})
    assert order.index(pair[0]) < order.index(after)


def test_full_slow_lane_does_not_delay_quick_work(running, handle, add, row):
    go = threading.Event()
    handle(lambda _: go.wait(30), kind="test.slow", lane="slow")
    handle(lambda _: None)
    slow = [add("test.slow", subject=f"thing:{number}") for number in range(1, 4)]
    eventually(lambda: [row(number).state for number in slow] == ["working", "working", "queued"])
    quick = add(subject="thing:9")
    eventually(lambda: row(quick).state == "done")
    go.set()
    eventually(lambda: {row(number).state for number in slow} == {"done"})


def test_a_queue_of_slow_work_hides_no_quick_row_of_another_process(running, handle, add, row):
    go = threading.Event()
    handle(lambda _: go.wait(30), kind="test.slow", lane="slow")
    handle(lambda _: None)
    slow = [add("test.slow", subject=f"thing:{number}") for number in range(1, 13)]
    quick = add(subject="thing:99")
    eventually(lambda: row(quick).state == "done")
    go.set()
    eventually(lambda: {row(number).state for number in slow} == {"done"})


def test_stopping_ends_its_threads_and_gives_back(running, handle, add, row):
    go = threading.Event()
    handle(lambda _: go.wait(30))
    operation_id = add()
    eventually(lambda: row(operation_id).state == "working")
    jobs.stop(0.05)
    assert (row(operation_id).state, row(operation_id).attempts) == ("queued", 0)
    go.set()
    eventually(lambda: not any(thread.is_alive() for thread in running._threads))


def test_without_a_runner_waking_is_harmless(app, handle, add, row):
    handle(lambda _: None)
    operation_id = add()
    jobs.wake(row(operation_id))
    assert row(operation_id).state == "queued"
