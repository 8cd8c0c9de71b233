"""The operator's whole path: a bare VM, the set-up script, the image, a year of certificates in a minute.

One test, since each step stands on what the one before has left: that is what it is about.
"""

from __future__ import annotations

import itertools
import json
import shlex
from datetime import timedelta

import pytest

from tests.support.certificates import Authority
from tests.support.http_user import HttpUser
from tests.support.rexec_image import RexecContainer
from tests.support.stacks import on_postgres
from tests.support.terminal_window import TerminalWindow
from tests.support.waiting import eventually

CHECKOUT = "/opt/rexec"
CERTIFICATES = "/etc/docker/certs"
HEALTH_S = 60
PAGES = ("/containers", "/containers/new", "/account", "/billing")
HOUR = timedelta(hours=1)
_databases = itertools.count(1)


def variables_in(printed):
    """The one-line form of what the set-up script prints: NAME=value, a line each."""
    pairs = (line.partition("=") for line in printed.splitlines())
    return {name: value for name, sign, value in pairs if sign and name.isupper() and " " not in name}


class Operator:
    """Somebody with a VM, a platform that runs the image, and its dashboard of variables.

    Args:
        vm: The machine.
        deploy: Makes a container of the image from variables.
        own: What the dashboard holds that the set-up script does not know.
    """

    def __init__(self, vm, deploy, own):
        self.vm = vm
        self.deploy = deploy
        self.own = own
        self.variables = {}
        self.service = None

    def sets_up(self, *options):
        """Runs the set-up script, and pastes the variables that it prints into the dashboard."""
        command = f"{CHECKOUT}/docker/docker-host/setup.sh"
        printed = self.vm.check(
            shlex.join([command, "--host", self.vm.address, "--no-pull", *options]), timeout=300
        )
        self.variables = {**variables_in(printed), **self.own}
        self.own.setdefault("JWT_SECRET", self.variables["JWT_SECRET"])

    def deploys(self):
        """Puts a service with the dashboard's variables in place of the one that runs."""
        if self.service is not None:
            self.service.stop()
        self.service = self.deploy(self.variables)
        self.service.start()

    def reads_health(self, status, **levels):
        """Waits until `/health` says so of the whole, and so of certificates; gives days left by name."""

        def said():
            body = self.service.health()[1]
            found = {one["name"]: one["status"] for one in body.get("certificates", ())}
            assert body.get("status") == status, body
            assert levels.items() <= found.items(), body
            return body

        body = eventually(said, HEALTH_S, interval=0.3, message=f"{status} {levels}")
        return {one["name"]: one["days_left"] for one in body["certificates"]}

    def asks_doctor(self):
        """What fails, by the name of the check, with what it says and its hint."""
        command = ("exec", self.service.name, "rexec", "doctor", "--bind", "0.0.0.0", "--json")
        checks = json.loads(self.service.engine.docker(*command, check=False))["checks"]
        return {one["name"]: one for one in checks if one["status"] == "fail"}

    def lets_certificates_end(self, ends):
        """Puts certificates into place that end when no script would make them end."""
        folder = self.service.folder
        for name in ("ca.pem", "ca-key.pem"):
            (folder / name).write_bytes(self.vm.fetch(f"{CERTIFICATES}/{name}"))
        authority = Authority.of_files(folder / "ca.pem", folder / "ca-key.pem")
        server, client = authority.issue(self.vm.address, ends=ends), authority.issue(ends=ends)
        self.vm.write(f"{CERTIFICATES}/server-cert.pem", server.cert)
        self.vm.write(f"{CERTIFICATES}/server-key.pem", server.key, "0400")
        self.vm.check("systemctl restart docker")
        self.variables |= {"DOCKER_CLIENT_CERT": client.cert, "DOCKER_CLIENT_KEY": client.key}


class Person:
    """Somebody who has signed up and launched a container."""

    def __init__(self, url):
        self.http = HttpUser(url).sign_up()
        self.container = self.http.new_container()
        self.http.wait_for(self.container)

    def types(self, url, line):
        """In a window on the service that runs now; gives what the shell answers."""
        self.http.url = url
        window = TerminalWindow(url, self.http.cookie_header, self.container).ready()
        try:
            return window.run(line)
        finally:
            window.close()

    def reads_every_page(self, url):
        """Fails unless each answers."""
        self.http.url = url
        for path in (*PAGES, f"/containers/{self.container}"):
            assert self.http.get(path).status_code == 200, path


@pytest.fixture
def deploy(plain_engine, rexec_image, tmp_path):
    """Makes containers of the image, and takes them away at the end."""
    rexec_image.load(plain_engine)
    made = []

    def make(variables):
        made.append(RexecContainer(tmp_path / f"deploy-{len(made)}", plain_engine, variables))
        return made[-1]

    yield make
    for container in made:
        container.remove()


@pytest.fixture
def operator(fresh_vm, deploy, postgres, pgbouncer, redis_server):
    """With a fresh VM, an empty database and a Redis."""
    name = f"path_{next(_databases)}"
    postgres.execute(f"CREATE DATABASE {name}")
    return Operator(fresh_vm, deploy, {"DATABASE_URL": pgbouncer.url(name), "REDIS_URL": redis_server.url(0)})


@on_postgres
def test_from_a_bare_vm_to_a_deployment_that_outlives_its_certificates(operator, give_image, stack):
    operator.sets_up()
    give_image(operator.vm)
    operator.deploys()
    person = Person(operator.service.url)
    assert person.types(operator.service.url, "KEPT=before; echo $KEPT") == "before"
    operator.reads_health("ok", ca="ok", client="ok", server="ok")
    assert operator.asks_doctor() == {}

    operator.sets_up("--rotate-client", "--rotate-server", "--days", "10")
    operator.deploys()
    left = operator.reads_health("degraded", ca="ok", client="warning", server="warning")
    assert {left["client"], left["server"]} <= {9, 10}
    assert operator.asks_doctor() == {}

    operator.lets_certificates_end(-HOUR)
    operator.deploys()
    operator.reads_health("down", ca="ok", client="expired", server="expired")
    person.reads_every_page(operator.service.url)
    failed = operator.asks_doctor()
    assert failed.keys() == {"dates", "server-certificate"}
    assert "DOCKER_CLIENT_CERT has expired: run setup.sh --rotate-client" in failed["dates"]["hint"]
    assert "certificate has expired: run setup.sh --rotate-server" in failed["server-certificate"]["hint"]

    operator.sets_up("--rotate-client", "--rotate-server", "--days", "365")
    operator.deploys()
    left = operator.reads_health("ok", ca="ok", client="ok", server="ok")
    assert {left["client"], left["server"]} <= {364, 365}
    assert operator.asks_doctor() == {}
    assert person.types(operator.service.url, "echo $KEPT") == "before"
