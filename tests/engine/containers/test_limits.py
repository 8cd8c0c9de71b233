"""A change of plan on a real daemon: the cgroup of a running container, the next start, and what is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rexec.admin import service as admin
from rexec.containers import excess, service
from rexec.containers.errors import Suspended
from rexec.containers.gateway import docker
from rexec.containers.models import Excess
from rexec.extensions import db, utcnow
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


def test_what_the_plan_has_no_room_for_is_stopped_and_kept_and_starts_again_after_an_upgrade(
    launched, owner, work, fresh, inside
):
    ids = [launched(name).id for name in ("older", "newer")]
    assert inside(fresh(ids[1]), "echo kept > /root/note; echo kept > /note")[0] == 0
    admin.set_plan(owner, None)
    db.session.execute(db.update(Excess).values(since=utcnow() - excess.GRACE))
    db.session.commit()
    for _ in range(2):
        excess.look_at_all()
        work()
    assert [fresh(row_id).status for row_id in ids] == ["running", "stopped"]
    assert not docker().inspect_container(fresh(ids[1]).docker_id)["State"]["Running"]
    with pytest.raises(Suspended):
        service.start(ids[1])
    work()
    assert fresh(ids[1]).status == "stopped"
    admin.set_plan(owner, "pro")
    service.start(ids[1])
    work()
    row = fresh(ids[1])
    assert row.status == "running"
    for path in ("/root/note", "/note"):
        assert inside(row, f"cat {path}") == (0, "kept")


def test_two_watchers_and_a_choice_at_once_leave_what_fits(app, launched, owner, work, fresh):
    ids = [launched(name).id for name in ("one", "two", "three")]
    newest = fresh(ids[2]).public_id
    admin.set_plan(owner, None)
    db.session.execute(db.update(Excess).values(since=utcnow() - excess.GRACE))
    db.session.commit()

    def act(number):
        with app.app_context():
            if number == 2:
                excess.choose(owner, [newest])
            else:
                excess.look_at_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(act, range(6)))
    work()
    assert [fresh(row_id).suspended_at is None for row_id in ids] == [False, False, True]
    assert [fresh(row_id).status for row_id in ids[:2]] == ["stopped", "stopped"]
    # A watcher that came before the choice may have stopped it; it may start.
    service.start(ids[2])
    work()
    assert fresh(ids[2]).status == "running"
