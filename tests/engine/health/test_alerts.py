"""Trouble is told to a real webhook: once, whoever watches, and its end once."""

import pytest

from tests.support.chat import Chat
from tests.support.proxy import TcpProxy
from tests.support.server import RexecServer
from tests.support.stacks import on_postgres
from tests.support.waiting import eventually

WITHIN_S = 120.0


@pytest.fixture
def chat():
    with Chat() as chat:
        yield chat


@pytest.fixture
def start(tmp_path):
    """Starts `rexec serve` with an environment."""
    servers = []

    def make(values):
        server = RexecServer(tmp_path / f"server-{len(servers)}", values)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()


def parts(stack, database_url, chat, **values):
    return {**stack.server_environment(database_url), "ALERT_WEBHOOK_URL": chat.url, **values}


def docker_status(server):
    return server.health()[1]["checks"]["docker"]["status"]


@on_postgres
def test_two_watchers_tell_of_a_blackholed_daemon_once_and_of_its_end_once(stack, database_url, chat, start):
    with TcpProxy(stack.engine.port) as way:
        values = parts(stack, database_url, chat, DOCKER_HOST=f"tcp://127.0.0.1:{way.port}")
        servers = [start(values), start(values)]
        eventually(lambda: all(server.healthy() for server in servers), WITHIN_S, message="both ok")
        way.blackhole()
        seen = []

        def down():
            status = docker_status(servers[0])
            if status not in seen:
                seen.append(status)
            return status == "down"

        eventually(down, WITHIN_S, interval=0.3, message="docker down")
        assert seen == ["ok", "warning", "down"]
        eventually(lambda: chat.texts, WITHIN_S, message="an alert")
        way.forward()
        way.cut()
        eventually(lambda: all(server.healthy() for server in servers), WITHIN_S, message="both ok again")
        eventually(lambda: len(chat.texts) > 1, WITHIN_S, message="the end is told")
    # Whose patience ended first, the client's or the check's, is told in other words.
    down, works = chat.texts
    assert down.startswith("Rexec: The Docker host is down: ")
    assert down.endswith("answer in time.")
    assert works == "Rexec: The Docker host works again."
    assert [set(body) for body in chat.posted] == [{"text"}] * 2
    said = "".join(server.log for server in servers)
    assert "hook-secret" not in said


@on_postgres
def test_a_dead_database_is_down_and_told_of_without_it(stack, database_url, chat, start):
    with TcpProxy(stack.pgbouncer.port) as way:
        through = database_url.replace(f":{stack.pgbouncer.port}/", f":{way.port}/")
        server = start(parts(stack, through, chat))
        eventually(server.healthy, WITHIN_S, message="ok")
        way.blackhole()
        eventually(lambda: server.health()[0] == 503, WITHIN_S, message="down")
        body = server.health()[1]
        assert (body["status"], body["checks"]["database"]["status"]) == ("down", "down")
        assert server.health("/health/live")[0] == 200
        eventually(lambda: chat.texts, WITHIN_S, message="an alert")
        way.forward()
        way.cut()
        eventually(server.healthy, WITHIN_S, message="ok again")
        eventually(lambda: len(chat.texts) > 1, WITHIN_S, message="the end is told")
    assert chat.texts == [
        "Rexec: The database is down: gave no answer in time.",
        "Rexec: The database works again.",
    ]
