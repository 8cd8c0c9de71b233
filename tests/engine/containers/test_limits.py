"""A change of plan on a real daemon: the cgroup of a running container, the next start, and what is kept."""

from __future__ import annotations

import pytest

from rexec.admin import service as admin
from rexec.containers import service
from rexec.containers.gateway import docker
from tests.engine.docker_host.streams import Reader


@pytest.fixture
def kernel_limits(inside):
    """Memory in MB, processors in thousandths and processes, as the kernel limits a container."""
    script = (
        "cd /sys/fs/cgroup; if [ -e cgroup.controllers ];"
        " then cat memory.max; awk '{print $1*1000000/$2}' cpu.max; cat pids.max;"
        " else cat memory/memory.limit_in_bytes; echo $(($(cat cpu/cpu.cfs_quota_us)*10));"
        " cat pids/pids.max; fi"
    )

    def read(row):
        code, output = inside(row, script)
        assert code == 0, output
        memory, cpu, pids = (int(number) for number in output.split())
        return (memory // 1024**2, cpu // 1000, pids)

    return read


@pytest.fixture
def shell():
    """Attaches to a container's main terminal."""
    opened = []

    def attach(row):
        opened.append(docker().open_attach(row.docker_id, logs=False))
        return Reader(opened[-1])

    yield attach
    for stream in opened:
        stream.close()


def test_an_upgrade_raises_what_runs_and_the_shell_keeps_its_variables(
    launched, owner, work, fresh, kernel_limits, shell
):
    row = launched()
    started = docker().inspect_container(row.docker_id)["State"]["StartedAt"]
    terminal = shell(row)
    terminal.type(b"kept=still''here; echo rea''dy\n")
    terminal.until(b"ready")
    assert kernel_limits(row) == (2048, 1000, 512)
    admin.set_plan(owner, "team")
    work()
    assert kernel_limits(row) == (4096, 2000, 1024)
    terminal.type(b"echo $kept\n")
    terminal.until(b"stillhere")
    assert docker().inspect_container(row.docker_id)["State"]["StartedAt"] == started
    row = fresh(row.id)
    assert (row.status, row.memory_mb, row.cpu_millis, row.pids) == ("running", 4096, 2000, 1024)


def test_a_downgrade_counts_from_the_next_start_and_keeps_the_home_directory(
    launched, owner, work, fresh, inside, kernel_limits
):
    row = launched()
    assert inside(row, "echo kept > /root/note")[0] == 0
    admin.set_plan(owner, None)
    work()
    assert kernel_limits(row) == (2048, 1000, 512)
    for verb in (service.stop, service.start):
        verb(row.id)
        work()
    row = fresh(row.id)
    assert row.status == "running"
    assert kernel_limits(row) == (512, 500, 256)
    assert inside(row, "cat /root/note") == (0, "kept")
