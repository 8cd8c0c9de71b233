"""A Docker host whose disk is full says so, and goes on once there is room again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from rexec.containers import catalogue, service
from tests.support.engine import Engine
from tests.support.images import MB, catalogue_of, forget_image, push_image
from tests.support.settings import make_settings
from tests.support.stacks import on_sqlite

pytestmark = on_sqlite

DISK = "96m"
TOO_LARGE = 120 * MB


def as_root(*command: str) -> None:
    """Run a command that only root may, as scripts/engine does."""
    subprocess.run([*(() if os.geteuid() == 0 else ("sudo", "-n")), *command], check=True, timeout=30)


@pytest.fixture
def small_engine(session_folder):
    """A daemon whose disk is a small one in memory."""
    folder = Path(tempfile.mkdtemp(prefix="small-", dir=session_folder))
    folder.chmod(0o711)
    as_root("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0711", "tmpfs", str(folder))
    engine = Engine(folder)
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()
        as_root("umount", "-l", str(folder))


@pytest.fixture
def settings(small_engine, database_url, tmp_path):
    """Settings for that daemon."""
    return make_settings(docker=small_engine.settings(), database_url=database_url, instance_dir=tmp_path)


def test_an_image_that_does_not_fit_fails_with_its_words_and_others_still_start(
    app, engine, registry, owner, work, fresh
):
    reference = push_image(engine, registry.address, layers=1, layer_bytes=TOO_LARGE)
    app.extensions[catalogue.EXTENSION] = (*catalogue.all_images(), *catalogue_of(reference))
    container_id = service.launch(owner, "large", "lab").id
    work()
    row = fresh(container_id)
    assert (row.status, row.error_code) == ("failed", "no_space")
    assert "disk space" in row.error_message
    other_id = service.launch(owner, "small", "shell").id
    work()
    assert fresh(other_id).status == "running"
    forget_image(engine, reference)
