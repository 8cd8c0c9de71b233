"""Leases in rows, and periodic work that one process at a time runs."""

import threading
from datetime import timedelta

import pytest

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs import leases, schedule
from rexec.jobs.models import Lease


def expire(name):
    db.session.rollback()
    db.session.get(Lease, name).until = utcnow() - timedelta(seconds=1)
    db.session.commit()


def test_one_of_two_holds_a_lease(app):
    assert jobs.lease("reconcile", "a", 30)
    assert not jobs.lease("reconcile", "b", 30)
    assert jobs.lease("reconcile", "a", 30)
    assert jobs.lease("other", "b", 30)


def test_a_lease_that_ended_can_be_taken(app):
    jobs.lease("reconcile", "a", 30)
    expire("reconcile")
    assert jobs.lease("reconcile", "b", 30)
    assert not jobs.lease("reconcile", "a", 30)


def test_a_released_lease_is_free_at_once(app):
    jobs.lease("reconcile", "a", 30)
    jobs.release_lease("reconcile", "b")
    assert not jobs.lease("reconcile", "b", 30)
    jobs.release_lease("reconcile", "a")
    assert jobs.lease("reconcile", "b", 30)


def test_ten_threads_take_a_new_lease_and_one_gets_it(app, in_threads):
    def taker(number):
        def take():
            with app.app_context():
                return jobs.lease("new", f"thread {number}", 30)

        return take

    assert sum(in_threads(*(taker(number) for number in range(10)))) == 1


def test_equals_that_live_do_not_compete(app):
    leases.beat("worker", "a", 30)
    leases.beat("worker", "b", 60)
    assert leases.lease_until("worker") > utcnow() + timedelta(seconds=50)


@pytest.fixture
def every(monkeypatch):
    """Declare periodic work for the length of a test."""
    monkeypatch.setattr(schedule, "_entries", {})

    def declare(work, every_s, name="test.round"):
        jobs.periodic(name, every_s)(work)
        return schedule._entries[name]

    return declare


def test_periodic_work_runs_when_it_is_due_and_not_before(app, every):
    ran = []
    entry = every(lambda: ran.append(1), 30)
    jobs.run_due_periodic("a")
    jobs.run_due_periodic("a")
    assert len(ran) == 1
    entry.look_at = 0
    expire("every:test.round")
    jobs.run_due_periodic("a")
    assert len(ran) == 2


def test_two_processes_share_one_schedule(app, every):
    ran = []
    entry = every(lambda: ran.append(1), 30)
    jobs.run_due_periodic("a")
    entry.look_at = 0  # another process knows nothing of the first
    jobs.run_due_periodic("b")
    assert len(ran) == 1
    assert entry.look_at > 0


def test_a_run_is_not_repeated_elsewhere_while_it_lasts(app, every):
    entered, go, ran = threading.Event(), threading.Event(), []

    def work():
        ran.append(1)
        entered.set()
        assert go.wait(30)

    every(work, 0.01)

    def first():
        with app.app_context():
            jobs.run_due_periodic("a")

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(10)
    assert leases.lease_until("every:test.round") > utcnow() + timedelta(seconds=20)
    jobs.run_due_periodic("b")
    go.set()
    thread.join(10)
    assert ran == [1]


def test_a_failure_is_logged_and_waits_for_the_next_turn(app, every, caplog):
    def broken():
        raise ZeroDivisionError

    ran = []
    every(broken, 30, name="test.broken")
    every(lambda: ran.append(1), 30, name="test.sound")
    jobs.run_due_periodic("a")
    assert ran == [1]
    assert "test.broken failed" in caplog.text


def test_the_queue_declares_its_own_rounds():
    assert {"jobs.sweep", "jobs.prune"} <= set(schedule._entries)
