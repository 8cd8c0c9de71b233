"""Rows are kept true to what the Docker host says, and only where nothing works on them."""

from __future__ import annotations

import threading

import pytest

from rexec import jobs
from rexec.containers import observing, reconcile, service
from rexec.containers.models import Container
from rexec.containers.states import enter
from rexec.docker_host.errors import DockerUnreachable
from rexec.extensions import db
from tests.support.by_hand import operations
from tests.support.factories import make_container


class Stream:
    """Tells some events, then breaks."""

    opened_ns = 5 * 10**9

    def __init__(self, *events):
        self.events = events

    def __iter__(self):
        yield from self.events
        raise DockerUnreachable(code="docker_closed")

    def close(self):
        """Nothing is open."""


class Stop(threading.Event):
    """Notes how long it is waited for, and does not wait."""

    def __init__(self):
        super().__init__()
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(timeout)
        return self.is_set()


def test_the_events_are_followed_from_where_they_broke_off(app, docker_host):
    stop, asked = Stop(), []
    streams = [Stream(), Stream({"Type": "network", "timeNano": 7 * 10**9}), Stream()]

    def events(since_ns, _labels):
        asked.append(since_ns)
        if len(asked) == len(streams):
            stop.set()
        return streams[len(asked) - 1]

    docker_host.events = events
    reconcile.follow_events(app, stop)
    assert asked == [None, Stream.opened_ns, 7 * 10**9 + 1]


def test_a_stream_that_could_be_followed_is_soon_followed_again(app, docker_host):
    stop, asked = Stop(), []

    def events(_since_ns, _labels):
        asked.append(None)
        if len(asked) in {3, 4}:
            raise DockerUnreachable(code="docker_refused")
        if len(asked) == 6:
            stop.set()
        return Stream()

    docker_host.events = events
    reconcile.follow_events(app, stop)
    first, second, third, *_ = reconcile.RECONNECT_S
    assert stop.waits == [first, first, second, third, first, first]


def state_of(row):
    return (row.status, row.error_code)


@pytest.fixture
def seen_as(launched, docker_host, fresh):
    """Puts a row into one state and its container into another, and compares."""

    def compare(status, seen, **values):
        row = launched()
        enter(row.id, ("running",), "failed")
        db.session.execute(db.update(type(row)).values(status=status, error_code=None, **values))
        db.session.commit()
        if seen is None:
            docker_host.found.clear()
        else:
            docker_host.set_state(row.docker_id, seen)
        reconcile.compare_all()
        return fresh(row.id)

    return compare


@pytest.mark.parametrize(
    ("status", "seen", "becomes"),
    [
        ("running", "running", ("running", None)),
        ("running", "restarting", ("running", None)),
        ("running", "paused", ("running", None)),
        ("running", "exited", ("stopped", None)),
        ("running", "dead", ("stopped", None)),
        ("running", None, ("failed", "container_missing")),
        ("stopped", "exited", ("stopped", None)),
        ("stopped", "running", ("running", None)),
        ("stopped", None, ("failed", "container_missing")),
        ("failed", "running", ("failed", None)),
        ("failed", None, ("failed", None)),
        ("stopping", "running", ("running", None)),
        ("stopping", "exited", ("stopped", None)),
        ("starting", "created", ("stopped", None)),
        ("starting", "running", ("running", None)),
        ("creating", "created", ("failed", "interrupted")),
        ("pulling", None, ("failed", "interrupted")),
        ("queued", None, ("failed", "interrupted")),
    ],
)
def test_a_row_that_nothing_works_on_becomes_what_is_seen(seen_as, status, seen, becomes):
    assert state_of(seen_as(status, seen)) == becomes


def test_the_state_of_a_row_that_is_worked_on_is_left_to_the_work(launched, docker_host, fresh):
    row = launched()
    jobs.add("container.stop", service.subject(row.id))
    db.session.commit()
    docker_host.found.clear()
    reconcile.compare_all()
    assert state_of(fresh(row.id)) == ("running", None)


def test_what_was_seen_before_the_row_moved_does_not_count(launched, fresh):
    row = launched()
    before = observing.snapshot_of(row.public_id)
    enter(row.id, ("running",), "stopping")
    enter(row.id, ("stopping",), "running")
    observing.settle(before, observing.GONE)
    assert state_of(fresh(row.id)) == ("running", None)


def test_a_container_that_was_missing_and_comes_back_is_well_again(launched, docker_host, fresh):
    row = launched()
    kept = dict(docker_host.found)
    docker_host.found.clear()
    reconcile.compare_all()
    assert state_of(fresh(row.id)) == ("failed", "container_missing")
    docker_host.found.update(kept)
    reconcile.compare_all()
    assert state_of(fresh(row.id)) == ("running", None)


def test_work_of_a_deletion_that_was_lost_is_added_again(launched, work, fresh, docker_host):
    row_id = launched().id
    enter(row_id, ("running",), "deleting")
    reconcile.compare_all()
    reconcile.compare_all()
    assert [operation.kind for operation in operations(row_id)][1:] == ["container.delete"]
    work()
    assert fresh(row_id) is None
    assert docker_host.found == {}


def test_an_outage_changes_nothing(launched, docker_host, fresh):
    row = launched()
    docker_host.found.clear()
    docker_host.fail("list_containers", DockerUnreachable(code="docker_timeout"))
    reconcile.compare_all()
    assert state_of(fresh(row.id)) == ("running", None)


def test_everything_is_compared_by_one_call(launched, docker_host):
    for number in range(4):
        launched(f"lab-{number}")
    docker_host.calls.clear()
    reconcile.compare_all()
    assert dict(docker_host.calls) == {"list_containers": 1}


def test_a_container_of_ours_without_a_row_is_removed_and_its_volume_kept(launched, docker_host):
    row = launched()
    volume = f"rexec-home-{row.public_id}"
    db.session.execute(db.delete(type(row)))
    db.session.commit()
    reconcile.compare_all()
    assert docker_host.found == {}
    assert volume in docker_host.volumes


def test_another_deployments_containers_are_not_touched(launched, docker_host):
    row = launched()
    docker_host.found[row.docker_id]["Config"]["Labels"]["rexec.deployment"] = "another"
    db.session.execute(db.delete(type(row)))
    db.session.commit()
    reconcile.compare_all()
    assert len(docker_host.found) == 1


@pytest.mark.parametrize(
    ("action", "status", "becomes"),
    [("die", "exited", "stopped"), ("die", "restarting", "running"), ("start", "running", "running")],
)
def test_an_event_brings_its_row_in_line_at_once(launched, docker_host, fresh, action, status, becomes):
    row = launched()
    docker_host.set_state(row.docker_id, status)
    reconcile._on_event(event_of(row, action))
    assert fresh(row.id).status == becomes


def test_a_container_that_is_destroyed_from_outside_is_failed_at_once(launched, docker_host, fresh):
    row = launched()
    docker_host.found.clear()
    reconcile._on_event(event_of(row, "destroy"))
    assert state_of(fresh(row.id)) == ("failed", "container_missing")


def test_a_start_under_way_is_not_asked_about(launched, docker_host, fresh):
    row = launched()
    db.session.execute(db.update(Container).where(Container.id == row.id).values(status="starting"))
    db.session.commit()
    docker_host.calls.clear()
    reconcile._on_event(event_of(row, "start"))
    assert docker_host.calls == {}
    assert fresh(row.id).status == "starting"


def test_running_out_of_memory_is_said_and_forgotten_by_a_restart(launched, work, fresh):
    row = launched()
    reconcile._on_event(event_of(row, "oom"))
    row = fresh(row.id)
    assert state_of(row) == ("running", "out_of_memory")
    assert "2048 MB" in row.error_message
    service.restart(row.id)
    work()
    assert state_of(fresh(row.id)) == ("running", None)


def test_events_of_other_things_ask_nobody(launched, docker_host):
    row = launched()
    docker_host.calls.clear()
    reconcile._on_event(event_of(row, "exec_start: sh"))
    reconcile._on_event({"Type": "network", "Action": "connect", "Actor": {"ID": "x", "Attributes": {}}})
    reconcile._on_event({**event_of(row, "die"), "Actor": {"ID": "x", "Attributes": {}}})
    assert docker_host.calls == {}


def event_of(row, action):
    return {
        "Type": "container",
        "Action": action,
        "Actor": {"ID": row.docker_id, "Attributes": {"rexec.container": row.public_id}},
    }


def test_a_start_by_the_docker_host_itself_moves_the_time_it_is_up_since(launched, docker_host, fresh):
    row = launched()
    docker_host.found[row.docker_id]["State"]["StartedAt"] = "2099-01-02T03:04:05.123456789Z"
    reconcile._on_event(event_of(row, "start"))
    assert fresh(row.id).started_at.isoformat() == "2099-01-02T03:04:05.123456+00:00"


def test_a_row_known_to_the_database_only_is_missing(app, fresh):
    container_id = make_container(status="stopped").id
    reconcile.compare_all()
    assert state_of(fresh(container_id)) == ("failed", "container_missing")
