"""Deleting an account with containers on a real daemon, also while that daemon is away."""

from __future__ import annotations

import json

from tests.support.http_user import HttpUser
from tests.support.server import HurriedServer
from tests.support.waiting import eventually


def emails(server):
    """The accounts there are."""
    return [user["email"] for user in json.loads(server.run("users", "list", "--json").stdout)["users"]]


def close(person):
    """Delete the account."""
    answer = person.post("/account/delete", {"present": person.password})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"


def left(engine, public_id):
    """What the daemon still holds of a container: itself and its home."""
    names = engine.docker("ps", "-a", "--format", "{{.Names}}") + "\n" + engine.docker("volume", "ls", "-q")
    return [name for name in names.split() if public_id in name]


def test_container_and_home_go_with_the_account_and_nobody_elses(server, stack, new_user):
    owner, teammate = new_user(server), new_user(server)
    mine = owner.new_container()
    owner.wait_for(mine)
    other = teammate.new_container()
    teammate.wait_for(other)
    assert len(left(stack.engine, mine)) == 2

    close(owner)

    assert owner.log_in().status_code == 422
    eventually(lambda: not left(stack.engine, mine), 60)
    assert len(left(stack.engine, other)) == 2
    assert teammate.status(other) == "running"


def test_an_outage_of_the_docker_host_loses_nothing(stack, own_engine, database_url, tmp_path):
    values = {**stack.server_environment(database_url), **own_engine.environment()}
    server = HurriedServer(tmp_path / "server", values)
    server.start()
    try:
        owner = HttpUser(server.url).sign_up()
        public_id = owner.new_container()
        owner.wait_for(public_id)
        own_engine.kill()

        close(owner)

        assert owner.log_in().status_code == 422
        again = HttpUser(server.url, owner.email).sign_up()
        server.restart()
        own_engine.start()
        eventually(lambda: not left(own_engine, public_id), 90)
        assert emails(server) == [again.email]
    finally:
        server.stop()
