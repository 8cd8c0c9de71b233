"""The work behind the verbs, interrupted and failing at every step."""

from __future__ import annotations

import pytest

from rexec.containers import networks, service, specs
from rexec.containers.models import Container
from rexec.containers.states import enter
from rexec.docker_host.errors import (
    DockerAPIError,
    DockerBusy,
    DockerNotFound,
    DockerRejected,
    DockerTLSError,
    DockerUnreachable,
    ImageNotFound,
    NoSpace,
    RegistryRefused,
)
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.support.by_hand import operations


def make_due():
    """Let the time until the next attempt pass."""
    db.session.execute(db.update(Operation).values(not_before=Operation.created_at))
    db.session.commit()


def test_a_launch_creates_and_starts_what_the_row_says(launched, docker_host):
    row = launched()
    spec = docker_host.specs[row.docker_id]
    assert spec.name == f"rexec-{row.public_id}"
    assert (spec.memory_bytes, spec.nano_cpus, spec.pids_limit) == (2048 * 1024**2, 1_000_000_000, 512)
    assert (spec.volume_name, spec.volume_target) == (f"rexec-home-{row.public_id}", "/root")
    assert spec.env["REXEC_SHELL"] == "/bin/sh"
    assert spec.command[:2] == ("/bin/sh", "-c")
    assert spec.labels["rexec.container"] == row.public_id
    assert spec.labels == spec.volume_labels
    assert spec.network in docker_host.networks
    assert row.started_at is not None


def test_an_image_that_is_missing_is_pulled_in_the_slow_lane(launched, docker_host):
    row = launched(image="alpine")
    assert docker_host.calls["pull_image"] == 1
    (operation,) = operations(row.id)
    assert (operation.lane, operation.state, operation.attempts) == ("slow", "done", 1)
    assert set(row.timings) == {"pull", "create", "start", "total", "ours"}


def test_a_launch_leaves_the_seconds_of_its_stages_in_its_operation(launched):
    row = launched()
    (operation,) = operations(row.id)
    assert operation.progress == {"seconds": row.timings}


def test_the_built_in_image_is_never_pulled(owner, work, fresh, docker_host):
    docker_host.images.clear()
    container_id = service.launch(owner, "lab", "shell").id
    work()
    row = fresh(container_id)
    assert (row.status, row.error_code) == ("failed", "builtin_image_missing")
    assert docker_host.calls["pull_image"] == 0


@pytest.mark.parametrize("error", [NoSpace(), DockerRejected(), ImageNotFound(), RegistryRefused()])
def test_an_error_that_stays_fails_at_once_with_its_words(owner, work, fresh, docker_host, error):
    docker_host.fail("pull_image", error)
    container_id = service.launch(owner, "lab", "alpine").id
    work()
    row = fresh(container_id)
    assert row.status == "failed"
    assert (row.error_code, row.error_message, row.error_hint) == (error.code, error.message, error.hint)
    assert docker_host.calls["pull_image"] == 1


def test_an_error_that_may_pass_is_tried_again_and_then_given_up(owner, work, fresh, docker_host):
    docker_host.fail("create_container", DockerAPIError(), times=3)
    container_id = service.launch(owner, "lab", "shell").id
    for attempt in (1, 2, 3):
        make_due()
        work()
        assert docker_host.calls["create_container"] == attempt
        assert fresh(container_id).status == ("failed" if attempt == 3 else "creating")
    service.retry(container_id)
    work()
    assert fresh(container_id).status == "running"


@pytest.mark.parametrize(
    "error", [DockerUnreachable(code="docker_refused"), DockerTLSError(code="tls_wrong_ca")]
)
@pytest.mark.parametrize(
    ("verb", "method", "status"),
    [
        ("stop", "stop_container", "stopping"),
        ("restart", "stop_container", "stopping"),
        ("delete", "remove_container", "deleting"),
    ],
)
def test_an_outage_changes_no_state_and_is_said(
    launched, work, fresh, docker_host, error, verb, method, status
):
    row_id = launched().id
    docker_host.fail(method, error, times=5)
    getattr(service, verb)(row_id)
    for _ in range(5):
        work()
        assert fresh(row_id).status == status
        operation = operations(row_id)[-1]
        assert (operation.state, operation.attempts) == ("queued", 0)
        assert operation.progress == {"waiting": error.message, "code": error.code}
        make_due()
    work()
    row = fresh(row_id)
    assert (row and row.status) == {"stop": "stopped", "restart": "running", "delete": None}[verb]


def test_a_launch_waits_for_a_docker_host_that_is_away(owner, work, fresh, docker_host):
    docker_host.fail("ensure_network", DockerUnreachable(code="docker_refused"), times=10)
    container_id = service.launch(owner, "lab", "shell").id
    for _ in range(10):
        work()
        assert fresh(container_id).status == "creating"
        make_due()
    work()
    assert fresh(container_id).status == "running"


def test_a_container_left_by_a_killed_worker_is_replaced(owner, work, fresh, docker_host):
    container_id = service.launch(owner, "lab", "shell").id
    docker_host.before("start_container", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        work()
    first = next(iter(docker_host.found))
    # What the watcher does with a lease that ran out.
    db.session.execute(db.update(Operation).values(state="queued", lease_holder=None))
    db.session.commit()
    work()
    row = fresh(container_id)
    assert row.status == "running"
    assert list(docker_host.found) == [row.docker_id]
    assert row.docker_id != first


def test_a_container_that_runs_already_is_taken_over(launched, work, fresh, docker_host):
    row = launched()
    enter(row.id, ("running",), "failed", error_code="x", docker_id=None)
    service.retry(row.id)
    work()
    again = fresh(row.id)
    assert again.status == "running"
    assert list(docker_host.found) == [again.docker_id]
    assert docker_host.calls["remove_container"] == 0


def test_somebody_elses_container_with_our_name_is_left_alone(launched, work, fresh, docker_host):
    row = launched()
    docker_host.found[row.docker_id]["Config"]["Labels"]["rexec.deployment"] = "another"
    enter(row.id, ("running",), "failed", docker_id=None)
    service.retry(row.id)
    work()
    assert fresh(row.id).error_code == "container_name_foreign"
    assert len(docker_host.found) == 1


def test_cancel_in_the_middle_of_a_pull_ends_it(app, owner, work, fresh, docker_host):
    row_id = service.launch(owner, "lab", "alpine").id

    def cancel():
        with app.app_context():
            assert fresh(row_id).status == "pulling"
            service.cancel(row_id)

    docker_host.before("pull_line", cancel)
    work()
    row = fresh(row_id)
    assert (row.status, row.error_code) == ("failed", "cancelled")
    assert docker_host.found == {}


@pytest.mark.parametrize("method", ["ensure_network", "create_container", "start_container"])
def test_delete_while_it_is_being_made_leaves_nothing(owner, work, fresh, docker_host, method):
    row_id = service.launch(owner, "lab", "shell").id
    docker_host.before(method, lambda: service.delete(row_id))
    work()
    assert fresh(row_id) is None
    assert docker_host.found == {}
    assert docker_host.volumes == set()


def test_cancel_between_create_and_start_takes_the_container_back(owner, work, fresh, docker_host):
    row_id = service.launch(owner, "lab", "shell").id
    docker_host.before("create_container", lambda: service.cancel(row_id))
    work()
    assert fresh(row_id).error_code == "cancelled"
    assert docker_host.found == {}


def test_a_network_that_the_docker_host_lost_is_made_again(launched, docker_host):
    launched("one")
    docker_host.networks.clear()
    row = launched("two")
    assert row.network in docker_host.networks
    assert docker_host.calls["ensure_network"] == 2


def test_a_network_is_ensured_once_for_many_containers(launched, docker_host):
    for number in range(3):
        launched(f"lab-{number}")
    assert docker_host.calls["ensure_network"] == 1


def test_a_second_network_begins_when_the_first_has_no_port_left(launched, monkeypatch):
    monkeypatch.setattr(networks, "PORTS", 2)
    found = [launched(f"lab-{number}").network for number in range(5)]
    assert [name.rpartition("-")[2] for name in found] == ["1", "1", "2", "2", "3"]


def test_storage_that_cannot_limit_disk_is_asked_once(launched, docker_host, app):
    docker_host.fail(
        "create_container", DockerRejected(detail="--storage-opt is supported only for overlay over xfs")
    )
    specs_seen = [docker_host.specs[launched(name).docker_id] for name in ("one", "two")]
    assert [spec.storage_bytes for spec in specs_seen] == [None, None]
    assert docker_host.calls["create_container"] == 3


def test_the_limit_of_disk_is_asked_for_where_it_works(launched, docker_host):
    assert docker_host.specs[launched().docker_id].storage_bytes == 10240 * 1024**2


def test_a_container_that_vanished_is_failed_by_stop_and_start(launched, work, fresh, docker_host):
    for verb, prepare in ((service.stop, None), (service.start, "stopped")):
        row_id = launched(f"lab-{verb.__name__}").id
        docker_host.found.clear()
        if prepare:
            enter(row_id, ("running",), prepare)
        verb(row_id)
        work()
        assert fresh(row_id).error_code == "container_missing"


def test_deleting_what_is_gone_already_is_well(launched, work, fresh, docker_host):
    row_id = launched().id
    docker_host.found.clear()
    docker_host.volumes.clear()
    service.delete(row_id)
    work()
    assert fresh(row_id) is None


def test_a_removal_that_the_docker_host_is_slow_at_is_waited_for(launched, work, fresh, docker_host):
    row = launched()
    service.delete(row.id)
    docker_host.fail("remove_container", DockerBusy(), times=5)
    for _ in range(5):
        work()
        assert fresh(row.id).status == "deleting"
        assert operations(row.id)[-1].progress["code"] == "still_removing"
        make_due()
    work()
    assert docker_host.found == {}
    assert db.session.query(Container).count() == 0


def test_what_a_launch_left_and_is_slow_to_go_is_waited_for(launched, work, fresh, docker_host):
    row = launched()
    docker_host.set_state(row.docker_id, "exited")
    enter(row.id, ("running",), "failed")
    service.retry(row.id)
    docker_host.fail("remove_container", DockerBusy(), times=5)
    for _ in range(5):
        work()
        make_due()
    work()
    assert fresh(row.id).status == "running"


def test_a_container_whose_network_is_gone_is_not_called_gone(launched, work, fresh, docker_host):
    row = launched()
    service.stop(row.id)
    work()
    service.start(row.id)
    docker_host.fail("start_container", DockerNotFound())
    work()
    assert (fresh(row.id).status, fresh(row.id).error_code) == ("failed", "network_missing")
    docker_host.networks.clear()
    service.retry(row.id)
    work()
    assert fresh(row.id).status == "running"


def test_a_delete_that_cannot_be_done_says_why_and_can_be_said_again(launched, work, fresh, docker_host):
    row_id = launched().id
    docker_host.fail("remove_volume", DockerRejected())
    service.delete(row_id)
    work()
    assert (fresh(row_id).status, fresh(row_id).error_code) == ("failed", "docker_rejected")
    service.delete(row_id)
    work()
    assert fresh(row_id) is None
    assert docker_host.volumes == set()


def test_a_failure_of_work_that_was_cancelled_is_not_written_on_what_came_after(
    owner, work, fresh, docker_host
):
    row_id = service.launch(owner, "lab", "shell").id

    def cancel_and_retry():
        service.cancel(row_id)
        service.retry(row_id)

    docker_host.before("create_container", cancel_and_retry)
    docker_host.fail("create_container", NoSpace())
    work()
    assert fresh(row_id).status == "running"
    assert len(docker_host.found) == 1


def test_a_stop_that_fails_does_not_hold_up_the_deletion_that_came_after_it(
    launched, work, fresh, docker_host
):
    row_id = launched().id
    service.stop(row_id)
    docker_host.before("stop_container", lambda: service.delete(row_id))
    docker_host.fail("stop_container", DockerRejected())
    work()
    assert fresh(row_id) is None
    assert docker_host.volumes == set()


def test_names_on_the_docker_host_are_what_operators_are_told():
    assert specs.container_name("abc") == "rexec-abc"
    assert specs.volume_name("abc") == "rexec-home-abc"
