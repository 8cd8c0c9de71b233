"""What the daemon reports of itself, judged."""

from datetime import UTC, datetime, timedelta

import pytest

from rexec.docker_host.errors import DockerNotFound
from rexec.doctor import container, daemon
from rexec.doctor.checks import Finding

GOOD = {
    "LiveRestoreEnabled": True,
    "Driver": "overlay2",
    "DriverStatus": [["Backing Filesystem", "extfs"]],
    "SecurityOptions": ["name=seccomp,profile=default", "name=userns"],
    "Runtimes": {"runc": {}, "runsc": {}},
    "DefaultRuntime": "runc",
    "MemoryLimit": True,
    "SwapLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "CgroupVersion": "2",
}


@pytest.mark.parametrize(
    ("look", "changes", "status"),
    [
        (daemon.live_restore, {}, "ok"),
        (daemon.live_restore, {"LiveRestoreEnabled": False}, "warning"),
        (daemon.storage_driver, {}, "ok"),
        (daemon.storage_driver, {"Driver": "vfs", "DriverStatus": None}, "warning"),
        (daemon.userns, {}, "ok"),
        (daemon.userns, {"SecurityOptions": ["name=rootless"]}, "ok"),
        (daemon.userns, {"SecurityOptions": None}, "warning"),
        (daemon.runtimes, {}, "ok"),
        (daemon.limits, {}, "ok"),
        (daemon.limits, {"SwapLimit": False}, "warning"),
        (daemon.limits, {"PidsLimit": False}, "fail"),
        (daemon.limits, {"MemoryLimit": False, "CpuCfsQuota": False}, "fail"),
        (container.disk_limit, {}, "warning"),
        (container.disk_limit, {"Driver": "zfs"}, "ok"),
        (container.disk_limit, {"DriverStatus": [["Backing Filesystem", "xfs"]]}, "ok"),
    ],
)
def test_the_settings_of_the_daemon_that_matter_are_judged(deployment, look, changes, status):
    looked_at = deployment()
    looked_at.info = {**GOOD, **changes}
    found = look(looked_at)
    assert found.status == status
    assert bool(found.hint) == (status != "ok")


def test_the_limits_that_are_lacking_are_named(deployment):
    looked_at = deployment()
    looked_at.info = {**GOOD, "MemoryLimit": False, "PidsLimit": False}
    assert "memory and pids" in daemon.limits(looked_at).message


@pytest.mark.parametrize(("runtime", "status"), [("runsc", "ok"), ("kata", "fail")])
def test_the_runtime_that_is_asked_for_has_to_be_there(deployment, runtime, status):
    looked_at = deployment(CONTAINER_RUNTIME=runtime)
    looked_at.info = GOOD
    assert daemon.runtimes(looked_at).status == status


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"com.docker.network.bridge.enable_icc": "false"}, "ok"),
        ({"com.docker.network.bridge.enable_icc": "true"}, "warning"),
        (None, "warning"),
    ],
)
def test_whether_containers_reach_each_other_is_read_from_the_default_network(
    deployment, host, monkeypatch, options, status
):
    monkeypatch.setattr(host, "inspect_network", lambda _: {"Options": options}, raising=False)
    assert daemon.icc(deployment()).status == status


def test_a_daemon_without_a_default_network_has_nobody_on_it(deployment, host, monkeypatch):
    def none(_):
        raise DockerNotFound

    monkeypatch.setattr(host, "inspect_network", none, raising=False)
    assert daemon.icc(deployment()).status == "ok"


@pytest.mark.parametrize(
    ("apart_s", "status", "said"),
    [(0, "ok", "agree"), (60, "warning", "ahead of"), (-60, "warning", "behind"), (-4000, "fail", "behind")],
)
def test_clocks_that_differ_are_noticed(deployment, host, monkeypatch, apart_s, status, said):
    there = (datetime.now(UTC) + timedelta(seconds=apart_s)).replace(microsecond=0)
    monkeypatch.setattr(host, "clock", lambda: there, raising=False)
    found: Finding = daemon.clock(deployment())
    assert found.status == status
    assert said in found.message
