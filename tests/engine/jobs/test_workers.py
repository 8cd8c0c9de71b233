"""Worker processes on RQ: they share the rows, survive their bell, and leave nothing behind when they die."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from rexec import jobs
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.engine.jobs import queue_app
from tests.support.waiting import eventually


@pytest.fixture
def diary(tmp_path):
    diary = queue_app.Diary(tmp_path)
    yield diary
    diary.go.touch()


@pytest.fixture(autouse=True)
def known_handlers(handle, diary):
    """`handle` forgets them again after the test."""
    queue_app.declare_handlers(diary)


@pytest.fixture
def launch(add, row):
    """Add an operation and wake it, as a service does."""

    def launched(kind="test.note", subject="thing:1"):
        operation_id = add(kind, subject)
        jobs.wake(row(operation_id))
        return operation_id

    return launched


@pytest.fixture
def watch(app):
    """Sweep until something is true, as the watcher does every few seconds."""

    def watched(check, timeout=30.0):
        def swept():
            jobs.sweep()
            return check()

        eventually(swept, timeout)

    return watched


def began(diary, operation_id):
    return [line for line in diary.lines("begin") if line[0] == operation_id]


def test_a_woken_operation_is_run(new_worker, launch, until, diary):
    worker = new_worker()
    operation_id = launch()
    until("done", operation_id)
    assert [line[:2] for line in diary.lines("begin")] == [(operation_id, worker.pid)]


def test_work_moves_to_the_slow_lane(new_worker, launch, until, diary):
    new_worker()
    operation_id = launch("test.moves")
    until("done", operation_id)
    assert [line[0] for line in diary.lines("quick")] == [operation_id]
    assert [line[0] for line in diary.lines("slow")] == [operation_id]


def test_a_killed_workers_operation_is_finished_by_another(new_worker, launch, until, watch, row, diary):
    first = new_worker()
    operation_id = launch("test.hold")
    until("working", operation_id)
    first.kill()
    second = new_worker()
    diary.go.touch()
    watch(lambda: row(operation_id).state == "done")
    assert [line[1] for line in began(diary, operation_id)][-1] == second.pid
    assert row(operation_id).attempts == 2


def test_a_worker_that_hangs_is_replaced_and_writes_nothing_when_it_wakes(
    new_worker, launch, until, watch, row, diary
):
    first = new_worker()
    operation_id = launch("test.hold")
    until("working", operation_id)
    first.pause()
    second = new_worker()
    watch(lambda: [line[1] for line in began(diary, operation_id)][-1:] == [second.pid])
    first.resume()
    eventually(lambda: "somebody else's" in first.log, 20)
    diary.go.touch()
    until("done", operation_id)
    assert [line[:2] for line in diary.lines("end")] == [(operation_id, second.pid)]


def test_a_stopped_worker_gives_back_what_it_cannot_finish(new_worker, launch, until, row, diary):
    first = new_worker(stop_s=0.3)
    operation_id = launch("test.hold")
    until("working", operation_id)
    assert first.stop() == 0
    assert "Traceback" not in first.log
    assert (row(operation_id).state, row(operation_id).attempts) == ("queued", 0)
    second = new_worker()
    diary.go.touch()
    until("done", operation_id)
    assert [line[1] for line in began(diary, operation_id)][-1] == second.pid


def test_a_stopped_worker_finishes_what_it_can(new_worker, launch, until, row, diary):
    worker = new_worker(stop_s=20)
    operation_id = launch("test.hold")
    until("working", operation_id)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(worker.stop, 30)
        eventually(lambda: "is stopping" in worker.log)
        diary.go.touch()
        assert stopping.result() == 0
    assert row(operation_id).state == "done"


def test_a_lost_redis_loses_no_operation(new_worker, launch, until, until_idle, watch, row, own_redis):
    worker = new_worker()
    until("done", launch())
    until_idle()
    own_redis.kill()
    eventually(lambda: "Redis does not answer" in worker.log)
    waiting = [launch(subject=f"thing:{number}") for number in range(5)]
    assert {row(operation_id).state for operation_id in waiting} == {"queued"}
    own_redis.start()
    watch(lambda: {row(operation_id).state for operation_id in waiting} == {"done"}, timeout=40)


def test_a_worker_that_starts_without_redis_becomes_useful(new_worker, launch, watch, row, own_redis):
    own_redis.stop()
    worker = new_worker()
    eventually(lambda: "Redis does not answer" in worker.log)
    operation_id = launch()
    own_redis.start()
    watch(lambda: row(operation_id).state == "done", timeout=40)
    assert not worker.ended()


def test_a_worker_tells_the_loss_of_redis_once(new_worker, launch, until, own_redis):
    worker = new_worker()
    until("done", launch())
    own_redis.stop()
    eventually(lambda: "Redis does not answer" in worker.log)
    own_redis.start()
    eventually(lambda: "Redis answers again" in worker.log, 20)
    assert worker.log.count("the worker waits for it") == 1
    assert "Traceback" not in worker.log


def test_a_handler_that_does_not_look_at_its_clock_is_failed_and_fenced(
    new_worker, launch, until, row, diary
):
    new_worker()
    operation_id = launch("test.deaf")
    until("failed", operation_id)
    assert row(operation_id).error_code == "job_timeout"
    diary.go.touch()
    eventually(lambda: diary.lines("late"))
    other = launch()
    until("done", other)
    assert (row(operation_id).state, row(operation_id).progress) == ("failed", None)


def test_cancelling_reaches_a_handler_in_another_process(new_worker, launch, until):
    new_worker()
    operation_id = launch("test.hold")
    until("working", operation_id)
    assert jobs.request_cancel("thing:1")
    db.session.commit()
    until("cancelled", operation_id)


def test_two_instances_never_work_one_operation_or_one_subject_twice(
    new_worker, launch, until, until_idle, diary
):
    new_worker()
    new_worker()
    until_idle(workers=2)
    operation_ids = [launch(subject=f"thing:{number % 5}") for number in range(60)]
    until("done", *operation_ids, timeout=60)
    begun = diary.lines("begin")
    assert sorted(line[0] for line in begun) == sorted(operation_ids)
    assert len({line[1] for line in begun}) == 2, "both had something to do"
    ended = {line[0]: line[2] for line in diary.lines("end")}
    subjects = {operation.id: operation.subject for operation in db.session.query(Operation)}
    order = sorted(begun, key=lambda line: (subjects[line[0]], line[2]))
    for subject, lines in itertools.groupby(order, key=lambda line: subjects[line[0]]):
        spans = [(line[0], line[2], ended[line[0]]) for line in lines]
        assert [span[0] for span in spans] == sorted(span[0] for span in spans), subject
        for earlier, later in itertools.pairwise(spans):
            assert earlier[2] <= later[1], f"{subject}: two at once"


def test_full_slow_lane_does_not_delay_quick_work(new_worker, launch, until, diary, add, row):
    new_worker()
    held = [launch("test.hold", subject=f"thing:{number}") for number in range(3)]
    until("working", *held)
    quick, slow = launch(subject="thing:8"), launch("test.slow", subject="thing:9")
    until("done", quick, slow)
