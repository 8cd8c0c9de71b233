"""The first admin, by the link that `rexec serve` logs; and `rexec users` beside a running service."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.support.http_user import HttpUser
from tests.support.server import REXEC, clean_environment

LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/join/[\w-]{40,})")


def links(server):
    """The paths of the links in a server's log, oldest first."""
    return [path for _, path in LINK.findall(server.log)]


def become_admin(server, path):
    """Sign up by a link; returns the person and the answer."""
    person = HttpUser(server.url)
    return person, person.post(path, {"email": person.email, "password": person.password}, page="/login")


def test_the_logged_link_makes_the_first_admin_and_no_second(own_server):
    first = links(own_server)
    assert len(first) == 1, own_server.log
    own_server.restart()
    assert len(links(own_server)) == 2
    admin, answer = become_admin(own_server, links(own_server)[1])
    assert answer.status_code == 303
    assert admin.get("/admin").status_code == 200
    for path in links(own_server):
        assert become_admin(own_server, path)[1].status_code == 404
    own_server.restart()
    assert len(links(own_server)) == 2, "a link was logged although there is an admin"
    assert admin.get("/admin").status_code == 200, "a restart logged the admin out"


@pytest.mark.parametrize("stack", ["postgres-redis-rq"], indirect=True)
def test_no_link_reaches_the_log_by_being_opened(own_server):
    path = links(own_server)[0]
    HttpUser(own_server.url).get(path)
    assert own_server.log.count(path) == 1


def test_users_made_by_command_can_log_in_and_are_shut_out_at_once(own_server):
    person = HttpUser(own_server.url)
    made = subprocess.run(
        [str(REXEC), "users", "create", person.email, "--stdin", "--admin"],
        cwd=own_server.folder,
        env=own_server.environment(),
        input=person.password,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert person.password not in made.stdout + made.stderr
    assert person.log_in().status_code == 303
    listed = json.loads(own_server.run("users", "list", "--json").stdout)["users"]
    assert [(user["email"], user["admin"]) for user in listed] == [(person.email, True)]
    own_server.run("users", "disable", person.email)
    assert person.get("/account", allow_redirects=False).status_code == 303


def test_settings_that_cannot_work_end_the_command_with_code_2(tmp_path):
    done = subprocess.run(
        [str(REXEC), "users", "list"],
        cwd=tmp_path,
        env=clean_environment({"DOCKER_HOST": "tcp://203.0.113.1:2375"}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "DOCKER_TLS_VERIFY" in done.stderr
    assert "Traceback" not in done.stderr
