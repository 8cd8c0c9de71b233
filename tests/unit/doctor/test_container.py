"""The test container is made, used, and removed whatever happens."""

import pytest

from rexec.docker_host import ContainerSpec
from rexec.docker_host.errors import DockerAPIError, DockerBusy, DockerHostError, DockerUnreachable
from rexec.doctor import container
from rexec.doctor.errors import Unwell


def test_a_container_lives_and_nothing_of_it_is_left(deployment, host):
    found = container.whole_life(deployment())
    assert found.status == "ok"
    assert found.message.startswith("Made of rexec/shell:latest, started, used and removed: create ")
    assert (host.found, host.volumes) == ({}, set())
    (spec,) = host.specs.values()
    assert spec.labels == {"rexec.deployment": "doctor", "rexec.doctor": "1"}


@pytest.mark.parametrize("method", ["start_container", "exec_run"])
def test_it_is_removed_where_something_fails_in_the_middle(deployment, host, method):
    host.fail(method, DockerAPIError(detail="runc is broken"))
    with pytest.raises(DockerHostError):
        container.whole_life(deployment())
    assert (host.found, host.volumes) == ({}, set())


def test_a_failure_to_remove_is_told(deployment, host):
    host.fail("remove_container", DockerBusy())
    found = container.whole_life(deployment())
    assert found.status == "fail"
    assert "docker_busy" in found.message


def test_the_first_failure_counts_and_not_that_of_the_removal(deployment, host):
    host.fail("create_container", DockerUnreachable(code="docker_timeout"))
    host.fail("remove_container", DockerUnreachable(code="docker_closed"))
    with pytest.raises(DockerUnreachable, match="docker_timeout"):
        container.whole_life(deployment())


def test_the_catalogues_own_image_is_taken_before_another(deployment, host):
    host.images = {"nginx:1": 1, "alpine:3.22": 1, "rexec/shell:latest": 1}
    assert "rexec/shell:latest" in container.whole_life(deployment()).message
    host.images = {"nginx:1": 1, "alpine:3.22": 1}
    assert "alpine:3.22" in container.whole_life(deployment()).message
    host.images = {"nginx:1": 1}
    assert "nginx:1" in container.whole_life(deployment()).message


def test_without_an_image_it_is_skipped_with_the_reason(deployment, host):
    host.images = {}
    assert container.whole_life(deployment()).status == "skipped"
    assert host.calls["create_container"] == 0


def test_a_strangers_image_without_a_shell_says_nothing_about_the_daemon(deployment, host):
    host.images = {"scratch:1": 1}
    host.fail("start_container", DockerAPIError(detail='exec: "/bin/sh": executable file not found in $PATH'))
    assert container.whole_life(deployment()).status == "skipped"
    assert host.found == {}


def test_it_is_not_begun_where_no_time_would_be_left_to_remove_it(deployment, host):
    looked_at = deployment()
    looked_at.deadline = type("Soon", (), {"left": staticmethod(lambda: 2.0)})
    assert container.whole_life(looked_at).status == "skipped"
    assert host.calls["create_container"] == 0


@pytest.mark.parametrize("limit", [b"max", b"9223372036854771712"])
def test_a_limit_that_is_not_in_force_is_a_failure(deployment, host, limit):
    host.exec_output = b"well\n" + limit + b"\n"
    with pytest.raises(Unwell, match="more memory than it was given"):
        container.whole_life(deployment())
    assert host.found == {}


def test_a_runtime_that_hides_the_limit_is_not_judged_by_it(deployment, host):
    host.exec_output = b"well\ncat: no such file\n"
    assert container.whole_life(deployment()).status == "ok"


def test_a_command_that_says_something_else_is_a_failure(deployment, host):
    host.exec_output = b"sh: not found\n"
    with pytest.raises(Unwell, match="ended with code 0"):
        container.whole_life(deployment())


@pytest.mark.parametrize(("age_s", "left"), [(10, 1), (300, 0)])
def test_what_a_killed_doctor_forgot_is_removed_later(deployment, host, monkeypatch, age_s, left):
    forgotten = ContainerSpec(
        name="rexec-doctor-1",
        image="rexec/shell:latest",
        command=("sh",),
        hostname="doctor",
        network="bridge",
        volume_name="rexec-doctor-1",
        volume_target="/root",
        memory_bytes=1,
        nano_cpus=1,
        pids_limit=1,
    )
    found = {"Id": host.create_container(forgotten), "Names": ["/rexec-doctor-1"], "Created": 1000}
    monkeypatch.setattr(host, "list_containers", lambda labels: [found] if "rexec.doctor" in labels else [])
    monkeypatch.setattr(container.time, "time", lambda: 1000.0 + age_s)
    assert container.whole_life(deployment()).status == "ok"
    assert (len(host.found), len(host.volumes)) == (left, left)


def test_an_xfs_without_quotas_is_found_by_trying(deployment, host):
    looked_at = deployment()
    looked_at.info = {"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "xfs"]]}
    host.fail(
        "create_container", DockerAPIError(detail="--storage-opt is supported only for overlay over xfs")
    )
    assert container.disk_limit(looked_at).status == "warning"
    assert container.disk_limit(looked_at).status == "ok"
    assert host.found == {}
