"""`rexec serve` starts, watches over and ends its parts, also on days when what it needs is away."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.processes import children, free_port
from tests.support.server import HurriedServer, RexecServer
from tests.support.stacks import on_postgres, on_sqlite
from tests.support.waiting import eventually


def alive(pid):
    return Path(f"/proc/{pid}").exists()


@pytest.fixture
def instance(tmp_path):
    """Makes servers and stops them after the test."""
    made = []

    def make(environment, kind=HurriedServer):
        server = kind(tmp_path / f"server-{len(made)}", environment)
        made.append(server)
        return server

    yield make
    for server in made:
        server.stop()


def test_it_ends_within_ten_seconds_and_leaves_no_process(own_server):
    parts = set(children(own_server.pid).values())
    assert len(parts) >= 2
    assert own_server.stop(within_s=10) == 0
    assert not any(alive(pid) for pid in parts)


def test_it_ends_when_web_dies_so_that_the_platform_starts_it_again(own_server):
    parts = children(own_server.pid)
    os.kill(parts["rexec-web"], signal.SIGKILL)
    assert own_server.process.wait(timeout=15) == 1
    eventually(lambda: not any(alive(pid) for pid in parts.values()), 10)


def test_nothing_outlives_a_killed_supervisor(own_server):
    parts = children(own_server.pid)
    own_server.kill()
    eventually(lambda: not any(alive(pid) for pid in parts.values()), 15)


def test_a_part_that_is_not_vital_is_started_again(own_server):
    before = children(own_server.pid)
    names = sorted(set(before) - {"rexec-web"})
    # A part has its name from its first moment on, long before the pages answer.
    assert "rexec-watcher" in names
    assert all(name.startswith("rexec-") for name in names)
    for name in names:
        os.kill(before[name], signal.SIGKILL)

    def replaced():
        now = children(own_server.pid)
        return all(name in now and now[name] != before[name] for name in names)

    eventually(replaced, 20)
    assert children(own_server.pid)["rexec-web"] == before["rexec-web"]
    eventually(own_server.healthy, 30)


@on_sqlite
def test_wrong_settings_are_all_named_and_nothing_starts(own_server):
    own_server.stop()
    own_server.values.update(
        SIGNUPS="sometimes", PORT="no", DOCKER_HOST="tcp://203.0.113.1:2375", DOCKER_TLS_VERIFY="0"
    )
    done = own_server.run("serve", check=False)
    assert done.returncode == 2
    named = [line.split()[1] for line in done.stderr.splitlines()]
    assert named == ["DOCKER_TLS_VERIFY", "PORT", "SIGNUPS"], done.stderr
    assert done.stdout == ""


@on_sqlite
def test_plans_that_cannot_work_are_refused_before_anything_starts(own_server, tmp_path):
    own_server.stop()
    plans = tmp_path / "plans.toml"
    plans.write_text("[plans.free]\nname = 7\n", encoding="utf-8")
    own_server.values["PLANS_FILE"] = str(plans)
    done = own_server.run("serve", check=False)
    assert done.returncode == 2
    assert "PLANS_FILE" in done.stderr


@on_sqlite
def test_a_secret_is_generated_once_and_sessions_outlive_a_restart(own_server, new_user):
    own_server.stop()
    del own_server.values["JWT_SECRET"]
    own_server.start()
    user = new_user(own_server)
    own_server.restart()
    assert user.get("/containers").url.endswith("/containers")


@on_postgres
def test_redis_that_is_down_at_start_delays_jobs_and_stops_no_page(
    instance, stack, database_url, own_redis, new_user
):
    own_redis.stop()
    server = instance({**stack.server_environment(database_url), "REDIS_URL": own_redis.url(0)})
    server.start()
    user = new_user(server)
    public_id = user.new_container()
    assert user.status(public_id) == "queued"
    eventually(lambda: server.health()[1]["checks"]["redis"]["status"] == "down", 30)
    assert "What you ask for now is kept" in user.get("/containers").text
    assert server.health()[1]["status"] != "ok"
    assert server.health("/health/live")[0] == 200
    own_redis.start()
    user.wait_for(public_id, "running", timeout=60)
    eventually(server.healthy, 60)


def test_a_daemon_that_is_down_at_start_is_said_and_found_by_itself(
    instance, stack, database_url, tmp_path, new_user, session_folder
):
    late = Engine(session_folder / f"late-{stack.name[:2]}")
    late.start()
    try:
        late.kill()
        server = instance({**stack.server_environment(database_url), **late.environment()})
        server.start()
        user = new_user(server)
        eventually(lambda: "reach" in user.get("/containers").text.lower(), 30)
        eventually(lambda: server.health()[0] == 503, 60)
        public_id = user.new_container()
        assert user.get("/containers/new").status_code == 200
        late.start()
        user.wait_for(public_id, "running", timeout=60)
        eventually(server.healthy, 60)
    finally:
        late.stop()


def test_two_instances_that_overlap_do_each_piece_of_work_once(
    instance, stack, database_url, engine, new_user, own_server
):
    second = instance({**own_server.values, "PORT": str(free_port())}, RexecServer)
    second.start()
    before = engine.containers()
    people = [new_user(own_server) for _ in range(4)]
    ids = []
    for number, person in enumerate(people):
        # The same session on either instance, as a router would send it.
        person.url = (own_server if number % 2 else second).url
        ids.append(person.new_container())
    for person, public_id in zip(people, ids, strict=True):
        person.wait_for(public_id)
    assert len(engine.containers() - before) == len(ids)
    own_server.stop()
    for person, public_id in zip(people, ids, strict=True):
        person.url = second.url
        person.act(public_id, "delete")
    for person, public_id in zip(people, ids, strict=True):
        person.wait_for(public_id, None)
    assert engine.containers() == before
