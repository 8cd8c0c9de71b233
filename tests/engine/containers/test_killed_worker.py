"""A worker that is killed in the middle of a create leaves no orphan, whichever way jobs run."""

from __future__ import annotations

import os
import signal

from tests.support.processes import children
from tests.support.proxy import TcpProxy
from tests.support.server import HurriedServer
from tests.support.stacks import POSTGRES
from tests.support.waiting import eventually


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
                os.kill(children(server.pid)["rexec-worker"], signal.SIGKILL)
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
