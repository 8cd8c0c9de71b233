"""The parts alone, as somebody who scales out runs them."""

from __future__ import annotations

import shlex

import pytest

from tests.support.documents import commands
from tests.support.server import RexecServer
from tests.support.stacks import on_postgres
from tests.support.terminal_window import TerminalWindow
from tests.support.waiting import eventually

pytestmark = on_postgres


class Part(RexecServer):
    """A part that serves no pages."""

    def is_ready(self):
        """As soon as it has said something."""
        return bool(self.log)


@pytest.fixture
def parts(own_server, stack, database_url, tmp_path):
    """Web, worker and watcher, each started by its command in the guide; `serve` has migrated and ended."""
    own_server.stop()
    values = {**own_server.values}
    wanted = [
        command
        for command in commands("docs/operations.md")
        if command.split()[1] in {"web", "worker", "watcher"}
    ]
    made = {}
    for command in wanted:
        _, name, *options = shlex.split(command)
        certificates = stack.engine.certificates
        pems = {"DOCKER_CA_CERT": "ca", "DOCKER_CLIENT_CERT": "cert", "DOCKER_CLIENT_KEY": "key"}
        values.update({key: (certificates / f"{file}.pem").read_text() for key, file in pems.items()})
        values.pop("DOCKER_CERT_PATH", None)
        kind = RexecServer if name == "web" else Part
        made[name] = kind(tmp_path / name, values, name, *options)
    for part in made.values():
        part.launch()
    yield made
    for part in made.values():
        part.stop()


def test_web_worker_and_watcher_alone_make_the_same_service(parts, new_user):
    web = parts["web"]
    web.wait_ready()
    eventually(web.healthy, 60, message="/health ok")
    person = new_user(web)
    public_id = person.new_container()
    person.wait_for(public_id)
    window = TerminalWindow(web.url, person.cookie_header, public_id).ready()
    assert window.run("echo $((6 * 7))") == "42"
    window.close()
    person.act(public_id, "delete")
    person.wait_for(public_id, None)
    for name, part in parts.items():
        assert part.stop(within_s=10) == 0, name
