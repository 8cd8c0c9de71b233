"""A worker that is killed in the middle of a create leaves no orphan, whichever way jobs run."""

from __future__ import annotations

import os
import signal

import pytest

from tests.support.processes import children
from tests.support.proxy import TcpProxy
from tests.support.server import HurriedServer
from tests.support.stacks import POSTGRES
from tests.support.waiting import eventually


@pytest.mark.parametrize("hold", [TcpProxy.blackhole, TcpProxy.hold_answers], ids=["unsent", "unanswered"])
def test_a_worker_killed_in_the_middle_of_a_create_leaves_no_orphan(
    stack, engine, database_url, tmp_path, new_user, hold
):
    with TcpProxy(engine.port) as proxy:
        values = {
            **stack.server_environment(database_url),
            "DOCKER_HOST": f"tcp://127.0.0.1:{proxy.port}",
        }
        server = HurriedServer(tmp_path / "server", values)
        server.start()
        try:
            # The first create also finds out, by a request of its own, whether the host can limit a disk.
            other, user = new_user(server), new_user(server)
            other.wait_for(other.new_container("lab"))
            before = engine.containers()
            hold(proxy)
            public_id = user.new_container("lab")
            eventually(lambda: user.status(public_id) == "creating")
            if hold == TcpProxy.hold_answers:
                eventually(lambda: engine.containers() - before)
            # Else the request is on its way, and may arrive after the one who sent it has died.
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
