"""Bad days of the daemon: it dies, freezes, comes back; nothing is lost and no state changes by it."""

from __future__ import annotations

import threading

import pytest

from rexec.containers import host_state, reconcile, service
from rexec.containers.gateway import docker
from rexec.extensions import db
from tests.support.by_hand import operations
from tests.support.settings import make_settings
from tests.support.stacks import on_sqlite
from tests.support.waiting import eventually

pytestmark = on_sqlite
"""What a daemon of one's own costs in time is paid once."""


@pytest.fixture
def settings(own_engine, database_url, tmp_path):
    """Settings for that daemon."""
    return make_settings(docker=own_engine.settings(), database_url=database_url, instance_dir=tmp_path)


def make_due():
    db.session.execute(db.text("UPDATE operations SET not_before = created_at WHERE state = 'queued'"))
    db.session.commit()


def test_an_outage_of_the_daemon_is_waited_for_and_nothing_is_lost(own_engine, launched, inside, work, fresh):
    row = launched()
    container_id = row.id
    assert inside(row, "echo kept > /root/note; echo $$ > /tmp.pid")[0] == 0
    own_engine.kill()
    service.stop(container_id)
    work()
    assert fresh(container_id).status == "stopping"
    assert operations(container_id)[-1].progress["code"].startswith("docker_")
    reconcile.compare_all()
    reconcile.look_at_host()
    assert host_state.view().is_down
    assert fresh(container_id).status == "stopping"
    own_engine.start()
    make_due()
    work()
    assert fresh(container_id).status == "stopped"
    service.start(container_id)
    work()
    row = fresh(container_id)
    assert row.status == "running"
    assert inside(row, "cat /root/note") == (0, "kept")


def test_containers_and_rows_outlive_a_restart_of_the_daemon(own_engine, launched, inside, fresh):
    row = launched()
    pid = docker().inspect_container(row.docker_id)["State"]["Pid"]
    own_engine.restart()
    reconcile.compare_all()
    row = fresh(row.id)
    assert row.status == "running"
    assert docker().inspect_container(row.docker_id)["State"]["Pid"] == pid


def test_a_daemon_killed_in_the_middle_of_a_create_finishes_it_when_it_is_back(
    app, own_engine, owner, launched, work, fresh
):
    launched("first")
    container_id = service.launch(owner, "second", "shell").id
    own_engine.pause()

    def in_context():
        with app.app_context():
            work()

    thread = threading.Thread(target=in_context)
    thread.start()
    eventually(lambda: fresh(container_id).status == "creating")
    own_engine.resume()
    own_engine.kill()
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert fresh(container_id).status in {"creating", "starting", "running"}
    own_engine.start()
    make_due()
    work()
    assert fresh(container_id).status == "running"
    assert len(own_engine.containers()) == 2


def test_work_goes_on_when_a_daemon_that_was_down_at_start_comes_up(own_engine, owner, work, fresh):
    own_engine.kill()
    container_id = service.launch(owner, "lab", "shell").id
    work()
    assert fresh(container_id).status == "creating"
    own_engine.start()
    make_due()
    work()
    assert fresh(container_id).status == "running"


def test_events_missed_during_an_outage_are_made_up_for(app, own_engine, launched, fresh):
    row = launched()
    container_id, docker_id = row.id, row.docker_id
    stop = threading.Event()
    thread = threading.Thread(target=reconcile.follow_events, args=(app, stop))
    thread.start()
    try:
        eventually(lambda: host_state.view().reachable)
        own_engine.kill()
        own_engine.start()
        own_engine.docker("stop", "-t", "1", docker_id)
        eventually(lambda: fresh(container_id).status == "stopped", 20)
    finally:
        stop.set()
        thread.join(timeout=10)
    assert not thread.is_alive()
