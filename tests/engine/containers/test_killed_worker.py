"""A worker that is killed in the middle of a create leaves no orphan, whichever way jobs run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.proxy import TcpProxy
from tests.support.server import HurriedServer
from tests.support.stacks import POSTGRES
from tests.support.waiting import eventually


def child_named(pid, name):
    """The process below `pid` that has this name."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if Path(f"/proc/{child}/comm").read_text().strip() == name:
            return int(child)
    raise AssertionError(f"no child {name} of {pid}")


def test_a_worker_killed_in_the_middle_of_a_create_leaves_no_orphan(
    stack, engine, database_url, tmp_path, new_user
):
    with TcpProxy(engine.port) as proxy:
        values = {
            **stack.server_environment(database_url),
            "DOCKER_HOST": f"tcp://127.0.0.1:{proxy.port}",
        }
        server = HurriedServer(tmp_path / "server", values)
        server.start()
        try:
            user = new_user(server)
            eventually(server.healthy, 20)
            before = engine.containers()
            proxy.blackhole()
            public_id = user.new_container("lab")
            eventually(lambda: user.status(public_id) == "creating")
            # The request to the daemon is on its way: it arrives after the one who sent it has died.
            if stack.name == POSTGRES:
                os.kill(child_named(server.pid, "rexec-worker"), signal.SIGKILL)
            else:
                os.killpg(server.pid, signal.SIGKILL)
                server.kill()
            proxy.forward()
            if stack.name != POSTGRES:
                server.start()
            user.wait_for(public_id, "running", timeout=60)
            assert len(engine.containers() - before) == 1
            user.act(public_id, "delete")
            user.wait_for(public_id, None)
            assert engine.containers() == before
        finally:
            server.stop()
