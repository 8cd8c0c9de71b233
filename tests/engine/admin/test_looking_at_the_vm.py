"""What a container sees of the VM is the VM's, and nothing of the look stays behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rexec import jobs
from rexec.admin import jobs as looking
from rexec.containers.gateway import docker
from rexec.containers.host_state import LABEL_DEPLOYMENT, deployment
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.support.by_hand import WorksByHand


@pytest.fixture
def seen(app):
    """Has the VM looked at, and gives what was seen."""
    jobs.add(looking.LOOK, looking.SUBJECT)
    db.session.commit()
    works = WorksByHand(app)
    works()
    works.stop()
    operation = db.session.scalars(db.select(Operation).where(Operation.kind == looking.LOOK)).one()
    assert operation.state == "done", operation.error_message
    return operation.progress


def test_a_look_sees_the_machine_and_leaves_nothing(app, engine, seen):
    memory = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    assert seen["memory"] == int(memory["MemTotal"].split()[0]) * 1024
    assert 0 < seen["memory_used"] < seen["memory"]
    assert 0 <= seen["load"] < 1000
    disk = os.statvfs(engine.folder)
    assert seen["disk"] == pytest.approx(
        (disk.f_blocks - disk.f_bfree + disk.f_bavail) * disk.f_frsize, rel=0.1
    )
    assert 0 < seen["disk_used"] < seen["disk"]
    ours = {LABEL_DEPLOYMENT: deployment()}
    assert docker().list_containers(ours) == []
    assert docker().list_volumes(ours) == []
