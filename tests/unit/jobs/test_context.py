"""A handler's view: progress twice a second, cancelling, and the fences of time and lease."""

import time

import pytest

from rexec import jobs
from rexec.errors import Unavailable
from rexec.extensions import db
from rexec.jobs import registry, rows
from rexec.jobs.context import OperationContext


@pytest.fixture
def context(handle, add):
    handle(lambda _: None, timeout_s=60)
    claimed = rows.claim(add(subject="thing:12"), "me")
    return OperationContext(claimed, registry.find("test.work"))


@pytest.fixture
def statements(app, monkeypatch):
    """Progress writes that reached the database."""
    written = []
    save = rows.save_progress

    def counted(operation_id, holder, values):
        written.append(values)
        return save(operation_id, holder, values)

    monkeypatch.setattr(rows, "save_progress", counted)
    return written


def test_the_first_progress_is_stored_at_once(context, row):
    context.progress({"bytes": 1})
    assert row(context.operation_id).progress == {"bytes": 1}


def test_progress_is_stored_at_most_twice_a_second(context, statements):
    for number in range(50):
        context.progress({"bytes": number})
    assert statements == [{"bytes": 0}]


def test_the_last_progress_is_stored_when_the_operation_ends(handle, add, row, runner):
    def work(context):
        for number in range(10):
            context.progress({"bytes": number})

    handle(work)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert row(operation_id).progress == {"bytes": 9}


def test_the_last_progress_is_stored_when_the_operation_waits_again(handle, add, row, runner):
    def work(context):
        context.progress({"bytes": 1})
        context.progress({"waiting": "for the machine"})
        raise Unavailable

    handle(work, outage_s=60)
    operation_id = add()
    runner.work(operation_id, "quick")
    assert row(operation_id).state == "queued"
    assert row(operation_id).progress == {"waiting": "for the machine"}


def test_progress_brings_the_cancelling_back(context):
    jobs.request_cancel("thing:12")
    db.session.commit()
    context.progress({"bytes": 1})
    assert context.cancelled()


def test_check_raises_once_cancelling_was_asked_for(context):
    context.check()
    context.renewed(time.monotonic() + 20, cancel_requested=True)
    with pytest.raises(jobs.Cancelled):
        context.check()


def test_the_time_of_an_attempt_is_a_deadline(context):
    assert 59 < context.remaining_s <= 60
    context.deadline = time.monotonic()
    assert context.remaining_s == 0
    with pytest.raises(jobs.JobTimeout):
        context.check()
    with pytest.raises(jobs.JobTimeout):
        context.progress({"bytes": 1})


def test_somebody_elses_operation_takes_no_progress(context, row):
    rows.give_back(["me"])
    with pytest.raises(jobs.LeaseLost):
        context.progress({"bytes": 1})
    with pytest.raises(jobs.LeaseLost):
        context.check()
    assert row(context.operation_id).progress is None


def test_a_lease_that_could_not_be_renewed_is_lost_by_the_clock(context):
    context.renewed(time.monotonic(), cancel_requested=False)
    assert context.lost()
    with pytest.raises(jobs.LeaseLost):
        context.cancelled()
