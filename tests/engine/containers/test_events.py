"""The watcher's half: what happens on the daemon reaches the rows by itself."""

from __future__ import annotations

import os
import threading

import pytest

from rexec import create_app
from rexec.containers import host_state, reconcile, service
from rexec.containers.gateway import docker
from rexec.containers.models import Container
from rexec.extensions import db
from tests.support.settings import make_settings
from tests.support.stacks import on_sqlite
from tests.support.waiting import eventually


@pytest.fixture
def watched(app):
    """The events are followed while the test lasts."""
    stop = threading.Event()
    thread = threading.Thread(target=reconcile.follow_events, args=(app, stop))
    thread.start()
    eventually(lambda: host_state.view().reachable)
    yield
    stop.set()
    thread.join(timeout=5)
    assert not thread.is_alive()


@pytest.fixture
def becomes(fresh):
    """Waits until a row is in a state."""

    def wait(container_id, status, code=None, timeout=10):
        def reached():
            row = fresh(container_id)
            assert (row.status, row.error_code) == (status, code)
            return True

        eventually(reached, timeout)

    return wait


def test_what_somebody_does_by_hand_on_the_daemon_reaches_the_row(launched, watched, becomes, engine):
    row = launched()
    container_id, docker_id = row.id, row.docker_id
    engine.docker("stop", "-t", "1", docker_id)
    becomes(container_id, "stopped")
    engine.docker("start", docker_id)
    becomes(container_id, "running")
    engine.docker("rm", "-f", docker_id)
    becomes(container_id, "failed", "container_missing")


@on_sqlite
def test_a_main_process_that_is_killed_is_started_again_and_the_row_says_so(
    launched, watched, becomes, fresh
):
    row = launched()
    container_id, before = row.id, row.started_at
    os.kill(docker().inspect_container(row.docker_id)["State"]["Pid"], 9)
    eventually(lambda: fresh(container_id).started_at > before, 20)
    becomes(container_id, "running")


@on_sqlite
def test_running_out_of_memory_is_said(app, launched, watched, becomes, inside):
    app.extensions["rexec.plans"] = tuple(
        type(plan)(**{**vars(plan), "memory_mb": 24}) for plan in app.extensions["rexec.plans"]
    )
    row = launched()
    container_id = row.id
    inside(row, "tail /dev/zero", timeout_s=30)
    becomes(container_id, "running", "out_of_memory", timeout=20)


def test_our_orphans_are_removed_and_other_deployments_left_alone(
    launched, engine, app, database_url, stack, docker_settings, tmp_path
):
    ours = launched("ours").docker_id
    db.session.execute(db.delete(Container))
    db.session.commit()
    other_url = stack.new_database().replace("postgres://", "postgresql+psycopg://", 1)
    other = create_app(make_settings(docker=docker_settings, database_url=other_url, instance_dir=tmp_path))
    with other.app_context():
        # Somebody else's Rexec on the same daemon sees a container that it has no row for.
        reconcile.compare_all()
        db.session.remove()
        db.engine.dispose()
    other.extensions["rexec.docker_host"].close()
    stack.drop_database(other_url.replace("postgresql+psycopg://", "postgres://", 1))
    assert ours in engine.containers()
    reconcile.compare_all()
    assert ours not in engine.containers()


def test_two_watchers_at_once_do_no_harm(app, launched, watched, becomes, engine):
    row = launched()
    container_id, docker_id = row.id, row.docker_id
    stop = threading.Event()
    second = threading.Thread(target=reconcile.follow_events, args=(app, stop))
    second.start()
    try:
        for verb, status in (("stop", "stopped"), ("start", "running")):
            engine.docker(verb, docker_id)
            becomes(container_id, status)
            reconcile.compare_all()
            becomes(container_id, status)
    finally:
        stop.set()
        second.join(timeout=5)


def test_our_own_work_is_not_taken_for_somebody_elses(launched, watched, work, fresh, becomes):
    container_id = launched().id
    for _ in range(3):
        service.restart(container_id)
        work()
        becomes(container_id, "running")
    service.stop(container_id)
    work()
    becomes(container_id, "stopped")
    assert fresh(container_id).error_message is None
