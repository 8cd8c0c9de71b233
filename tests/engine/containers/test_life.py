"""A container's life on a real daemon: made, stopped, started, restarted, deleted; its home kept."""

from __future__ import annotations

import pytest

from rexec.containers import service, specs
from rexec.containers.gateway import docker
from rexec.docker_host.errors import DockerNotFound
from tests.support.by_hand import operations


def test_a_launched_container_runs_its_shell_loop(launched, inside):
    row = launched()
    code, output = inside(row, "cat /proc/1/comm; ps")
    assert code == 0
    assert "REXEC_SHELL" in output or "sh" in output
    found = docker().inspect_container(row.docker_id)
    assert found["State"]["Running"]
    assert found["Name"] == f"/rexec-{row.public_id}"


def test_what_it_took_is_kept_and_adds_up(launched):
    timings = launched().timings
    parts = timings["create"] + timings["start"] + timings["ours"]
    assert timings["total"] == pytest.approx(parts, abs=0.005)
    assert 0 < timings["create"] < timings["total"]


def test_the_home_directory_outlives_stop_and_start(launched, inside, work, fresh):
    row = launched()
    assert inside(row, "echo kept > /root/note")[0] == 0
    service.stop(row.id)
    work()
    row = fresh(row.id)
    assert row.status == "stopped"
    assert not docker().inspect_container(row.docker_id)["State"]["Running"]
    service.start(row.id)
    work()
    row = fresh(row.id)
    assert row.status == "running"
    assert inside(row, "cat /root/note") == (0, "kept")


def test_a_restart_starts_a_new_main_process(launched, work, fresh):
    row = launched()
    before = docker().inspect_container(row.docker_id)["State"]
    service.restart(row.id)
    work()
    after = docker().inspect_container(row.docker_id)["State"]
    assert fresh(row.id).status == "running"
    assert after["Running"]
    assert after["StartedAt"] > before["StartedAt"]


def test_delete_removes_container_home_and_row(launched, work, fresh):
    row = launched()
    container_id, docker_id, public_id = row.id, row.docker_id, row.public_id
    service.delete(row.id)
    work()
    assert fresh(container_id) is None
    with pytest.raises(DockerNotFound):
        docker().inspect_container(docker_id)
    names = {volume["Name"] for volume in docker().list_volumes({})}
    assert specs.volume_name(public_id) not in names


def test_each_verb_said_twice_is_done_once(launched, work, fresh):
    row = launched()
    container_id = row.id
    for verb, status in ((service.stop, "stopped"), (service.start, "running")):
        verb(container_id)
        verb(container_id)
        work()
        verb(container_id)
        work()
        assert fresh(container_id).status == status
    kinds = [operation.kind for operation in operations(container_id)]
    assert kinds == ["container.launch", "container.stop", "container.start"]


def test_a_container_that_was_removed_by_hand_is_failed_and_retry_makes_it_again(
    launched, inside, work, fresh
):
    row = launched()
    assert inside(row, "echo kept > /root/note")[0] == 0
    docker().remove_container(row.docker_id)
    service.restart(row.id)
    work()
    row = fresh(row.id)
    assert (row.status, row.error_code) == ("failed", "container_missing")
    service.retry(row.id)
    work()
    row = fresh(row.id)
    assert row.status == "running"
    assert inside(row, "cat /root/note") == (0, "kept")
