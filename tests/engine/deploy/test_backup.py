"""Backup and restore, by the very commands of the operations guide."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support.documents import the_command
from tests.support.http_user import HttpUser
from tests.support.server import RexecServer
from tests.support.stacks import on_postgres
from tests.support.terminal_window import TerminalWindow

pytestmark = on_postgres

GUIDE = "docs/operations.md"
IMAGE = "alpine:3.22"


def run(command, folder, **variables):
    """Run a command of the guide as root, in a folder of its own."""
    done = subprocess.run(
        ["sh", "-ec", command.replace("sudo ", "")],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def in_database(postgres):
    """The variables of PostgreSQL's own programs for a database."""

    def variables(name):
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": "rexec",
            "PGDATABASE": name,
            "PATH": f"{postgres.bin_folder}:{os.environ['PATH']}",
        }

    return variables


@pytest.fixture
def on_the_vm(engine):
    """The variables of the Docker command line on the VM, which holds the image that the guide names."""
    engine.docker("tag", "rexec/shell:latest", IMAGE)
    yield {**engine.environment(), "DOCKER_CONFIG": str(engine.folder / "cli")}
    engine.docker("rmi", IMAGE)


def shell(server, person, public_id):
    return TerminalWindow(server.url, person.cookie_header, public_id).ready()


def test_a_restored_database_has_the_people_and_their_containers_with_the_same_shells(
    own_server, new_user, stack, postgres, in_database, tmp_path
):
    person = new_user(own_server)
    public_id = person.new_container()
    person.wait_for(public_id)
    window = shell(own_server, person, public_id)
    window.run("mark=kept")
    window.close()
    before = own_server.values["DATABASE_URL"].rpartition("/")[2]
    run(the_command(GUIDE, "pg_dump"), tmp_path, **in_database(before))
    own_server.stop()
    after = f"{before}_restored"
    postgres.execute(f"CREATE DATABASE {after}")
    run(the_command(GUIDE, "pg_restore"), tmp_path, **in_database(after))
    own_server.values["DATABASE_URL"] = stack.pgbouncer.url(after)
    own_server.start()
    again = HttpUser(own_server.url, email=person.email)
    assert again.log_in().status_code == 303
    again.wait_for(public_id)
    window = shell(own_server, again, public_id)
    assert window.run("echo $mark") == "kept"
    window.close()
    again.act(public_id, "delete")
    again.wait_for(public_id, None)
    again.close()


def test_a_home_is_saved_and_comes_back(server: RexecServer, user, on_the_vm, tmp_path):
    public_id = user.new_container()
    user.wait_for(public_id)
    window = shell(server, user, public_id)
    window.run("echo precious >~/note; chmod 600 ~/note")
    # Nobody would answer the server's pings meanwhile.
    window.close()
    run(the_command(GUIDE, "for home in"), tmp_path, **on_the_vm)
    window = shell(server, user, public_id)
    window.run("rm ~/note")
    back = the_command(GUIDE, "sudo docker run --rm -i").replace("rexec-home-ID", f"rexec-home-{public_id}")
    window.close()
    run(back, tmp_path, **on_the_vm)
    window = shell(server, user, public_id)
    assert window.run("cat ~/note; stat -c %a ~/note").split() == ["precious", "600"]
    window.close()
    user.act(public_id, "delete")
    user.wait_for(public_id, None)
