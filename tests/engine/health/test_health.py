"""`/health` of a whole service on good days and bad ones; `/health/live` minds the process alone."""

import json

import pytest

from tests.support.server import HurriedServer, RexecServer
from tests.support.stacks import on_postgres, on_sqlite
from tests.support.waiting import eventually

BAD_DAY_S = 60.0


def reaches(server, status, *, check=None, within_s=BAD_DAY_S):
    """Wait until `/health` says so; gives its code and body."""

    def said():
        code, body = server.health()
        if body.get("status") != status:
            return None
        return (code, body) if check is None or body["checks"][check[0]]["status"] == check[1] else None

    return eventually(said, within_s, interval=0.3, message=f"/health {status} {check}")


def test_a_whole_service_is_ok(own_server, stack):
    code, body = reaches(own_server, "ok")
    assert code == 200
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "ok",
        "redis": "ok" if stack.redis_url() else "off",
        "docker": "ok",
        "worker": "ok",
        "watcher": "ok",
        "certificates": "ok",
    }
    assert body["checks"]["docker"]["server_version"].count(".") == 2
    assert {shown["name"]: shown["status"] for shown in body["certificates"]} == {
        "ca": "ok",
        "client": "ok",
        "server": "ok",
    }
    assert body["warnings"] == []


@pytest.fixture
def serve(stack, database_url, tmp_path):
    """Starts `rexec serve`, hurried unless the real intervals are the subject."""
    servers = []

    def start(values=(), *arguments, kind=HurriedServer):
        environment = {**stack.server_environment(database_url), **dict(values)}
        servers.append(kind(tmp_path / "server", environment, *arguments))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@on_postgres
def test_a_dead_docker_host_is_down_within_a_minute_and_comes_back_while_the_process_lives(serve, own_engine):
    server_on = serve(own_engine.environment(), kind=RexecServer)
    reaches(server_on, "ok")
    own_engine.kill()
    code, body = reaches(server_on, "down", check=("docker", "down"))
    assert code == 503
    assert body["checks"]["docker"]["last_ok"] is not None
    assert server_on.health("/health/live")[0] == 200
    said = json.dumps(body)
    assert "127.0.0.1" not in said
    assert str(own_engine.folder) not in said
    own_engine.start()
    assert reaches(server_on, "ok")[0] == 200


@on_postgres
def test_a_hanging_docker_host_is_down(serve, own_engine):
    server_on = serve(own_engine.environment())
    reaches(server_on, "ok")
    own_engine.pause()
    try:
        reaches(server_on, "down", check=("docker", "down"))
        assert server_on.health()[1]["checks"]["watcher"]["status"] == "ok"
    finally:
        own_engine.resume()


@on_postgres
def test_a_lost_redis_degrades(serve, own_redis):
    server = serve({"REDIS_URL": own_redis.url()})
    reaches(server, "ok")
    own_redis.kill()
    code, body = reaches(server, "degraded", check=("redis", "down"))
    assert code == 200
    assert body["checks"]["worker"]["status"] == "ok"
    own_redis.start()
    reaches(server, "ok")


@on_sqlite
def test_a_service_without_a_watcher_is_down(serve):
    server = serve((), "web")
    code, body = reaches(server, "down", check=("watcher", "down"))
    assert code == 503
    assert body["checks"]["database"]["status"] == "ok"
    assert server.health("/health/live")[0] == 200
