"""The image: small, not root, read-only, healthy, and Rexec in it works with the guide's variables alone."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.documents import the_command
from tests.support.http_user import HttpUser
from tests.support.processes import free_port
from tests.support.rexec_image import NAME, RexecContainer
from tests.support.terminal_window import TerminalWindow
from tests.support.waiting import eventually

OWN_SIZE = 150_000_000
STOPS_WITHIN_S = 10
GUIDE = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY")
_databases = itertools.count(1)


def on_one_line(text: str) -> str:
    """A PEM as dashboards hand it on: quoted, with a backslash and an n for each newline."""
    return '"' + text.replace("\n", "\\n") + '"'


def with_blanks(text: str) -> str:
    """A PEM whose newlines became blanks."""
    return text.replace("\n", " ")


def as_base64(text: str) -> str:
    """A PEM that somebody made safe to paste."""
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(scope="module")
def guide_values(engine, postgres, pgbouncer, redis_server):
    """Nothing but the variables of the guide, for a database that is still empty."""
    name = f"image_{next(_databases)}"
    postgres.execute(f"CREATE DATABASE {name}")
    pems = {
        "DOCKER_CA_CERT": with_blanks((engine.certificates / "ca.pem").read_text()),
        "DOCKER_CLIENT_CERT": as_base64((engine.certificates / "cert.pem").read_text()),
        "DOCKER_CLIENT_KEY": on_one_line((engine.certificates / "key.pem").read_text()),
    }
    return {
        "DOCKER_HOST": engine.environment()["DOCKER_HOST"],
        "DOCKER_TLS_VERIFY": "1",
        **pems,
        "DATABASE_URL": pgbouncer.url(name),
        "JWT_SECRET": secrets.token_hex(32),
        "REDIS_URL": redis_server.url(0),
    }


@pytest.fixture(scope="module")
def new_container(rexec_image, plain_engine, session_folder):
    """Makes containers of the image; `options` go to `docker run`."""
    rexec_image.load(plain_engine)
    made = []

    def make(values, *options):
        folder = session_folder / f"image-{len(made)}"
        made.append(RexecContainer(folder, plain_engine, dict(values), options))
        return made[-1]

    yield make
    for container in made:
        container.remove()


@pytest.fixture(scope="module")
def service(new_container, guide_values):
    """The image as a platform runs it, its checks hurried."""
    container = new_container(
        guide_values, "--cap-drop=ALL", "--security-opt=no-new-privileges", "--health-interval=1s"
    )
    container.start()
    return container


@pytest.fixture
def person(service):
    """Somebody who has signed up."""
    person = HttpUser(service.url).sign_up()
    yield person
    person.close()


def test_it_adds_at_most_150_mb_to_its_base(rexec_image):
    assert 0 < rexec_image.own_size() <= OWN_SIZE


def test_a_person_signs_up_launches_and_types(service, person):
    public_id = person.new_container()
    person.wait_for(public_id)
    window = TerminalWindow(service.url, person.cookie_header, public_id).ready()
    assert window.run("echo $((6 * 7))") == "42"
    window.close()
    person.act(public_id, "delete")
    person.wait_for(public_id, None)
    eventually(service.healthy, 60, message="/health ok")


def test_pages_load_what_the_browser_needs_from_the_image(service):
    person = HttpUser(service.url)
    for path in ("vendor/htmx/htmx.min.js", "vendor/xterm/xterm.mjs", "vendor/icons.svg", "css/base.css"):
        assert person.get(f"/static/{path}").status_code == 200, path
    person.close()


def test_its_check_says_healthy_and_says_when_nothing_answers(service, plain_engine):
    eventually(lambda: service.inspect()["State"]["Health"]["Status"] == "healthy", 30)
    command = service.inspect()["Config"]["Healthcheck"]["Test"][1:]
    with pytest.raises(AssertionError):
        plain_engine.docker("exec", "--env", f"PORT={free_port()}", service.name, *command)


def test_nobody_in_it_is_root(service):
    assert service.shell("id -u; id -g").split() == ["10001", "10001"]
    owners = service.shell("stat -c %u /proc/[0-9]*/stat 2>/dev/null | sort -u")
    assert owners == "10001"


def test_nothing_in_it_can_be_changed_and_no_key_stays_on_its_disk(service, plain_engine):
    assert plain_engine.docker("diff", service.name) == ""
    assert service.shell("find /tmp /dev/shm -type f") == ""
    assert service.shell("find /app /opt/rexec -writable ! -type l") == ""
    assert json.loads(plain_engine.docker("inspect", "--format", "{{json .Mounts}}", service.name)) == []


def test_it_stays_below_the_memory_of_the_smallest_plans(service):
    files = "/sys/fs/cgroup/memory.peak /sys/fs/cgroup/memory/memory.max_usage_in_bytes"
    used = service.shell(f"cat {files} 2>/dev/null; true")
    assert 0 < int(used.split()[0]) < 512 * 1024 * 1024
    assert service.inspect()["State"]["OOMKilled"] is False


def test_it_reaps_processes_that_lost_their_parent(service):
    service.shell("sh -c 'sleep 0.2 & echo $! >/dev/shm/orphan'")
    orphan = service.shell("cat /dev/shm/orphan; rm /dev/shm/orphan")
    eventually(lambda: service.shell(f"test -e /proc/{orphan} || echo gone") == "gone", 10)


def test_nothing_of_the_build_is_left_in_it(service):
    assert service.shell("ls /opt/rexec/bin | grep -E 'pip|npm|node' || echo none") == "none"
    kept = "LICENSE README.md app.py migrations pyproject.toml rexec scripts static templates"
    assert service.shell("ls /app").split() == kept.split()


def test_without_variables_it_says_which_are_missing(new_container, plain_engine):
    container = new_container({})
    container.launch()
    assert container.process.wait(30) == 2
    named = [line.split()[1] for line in container.log.splitlines()]
    assert named == [*GUIDE, "DATABASE_URL", "JWT_SECRET"], container.log


def test_sigterm_while_it_waits_for_its_database_ends_it_at_once(new_container, guide_values):
    values = {**guide_values, "DATABASE_URL": f"postgresql://rexec@127.0.0.1:{free_port()}/away"}
    container = new_container(values)
    container.launch()
    eventually(lambda: "database does not answer" in container.log, 30)
    before = time.monotonic()
    code = container.stop(within_s=STOPS_WITHIN_S)
    assert time.monotonic() - before < STOPS_WITHIN_S
    assert code == 0


def waits_for_a_lock(connection):
    """Whether somebody else waits for what this connection holds."""
    # Unlike pg_stat_activity, this is looked up anew each time within a transaction.
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass"
    return connection.execute(f"SELECT EXISTS ({waiting})").fetchone()[0]


def test_sigterm_lets_requests_end_and_ends_within_ten_seconds(new_container, guide_values, postgres, person):
    container = new_container(guide_values)
    container.start()
    late = HttpUser(container.url, email=person.email)
    form = {"email": late.email, "password": late.password, "csrf_token": late.csrf_token()}
    database = postgres.url(guide_values["DATABASE_URL"].rpartition("/")[2])
    with psycopg.connect(database) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        answer = pool.submit(late.session.post, f"{late.url}/login", form, allow_redirects=False, timeout=20)
        eventually(lambda: waits_for_a_lock(holder), message="the log-in waits in the database")
        before = time.monotonic()
        container.process.terminate()
        eventually(lambda: "stopping" in container.log, message="the service stops")
        holder.rollback()
        assert answer.result().status_code == 303
    assert container.process.wait(STOPS_WITHIN_S) == 0
    assert time.monotonic() - before < STOPS_WITHIN_S
    late.close()


def test_doctor_runs_in_it_with_a_file_of_variables(guide_values, service, plain_engine, tmp_path):
    eventually(service.healthy, 60, message="/health ok")
    variables = "".join(f"{name}={value}\n" for name, value in guide_values.items())
    (tmp_path / "rexec.env").write_text(variables, encoding="ascii")
    _, *words = the_command("docs/deploy.md", "docker run --rm").split()
    at = words.index("rexec.env")
    words[at : at + 1] = [str(tmp_path / "rexec.env"), "--network", "host", "--read-only"]
    checks = json.loads(plain_engine.docker(*words, "--json", check=False))["checks"]
    assert [check for check in checks if check["status"] == "fail"] == []
    wanted = {"settings", "key-pair", "client-accepted", "test-container", "database", "redis", "watcher"}
    assert wanted <= {check["name"] for check in checks if check["status"] == "ok"}, checks


def test_it_is_pushed_to_a_registry_and_comes_back(rexec_image, plain_engine, registry):
    rexec_image.load(plain_engine)
    reference = f"{registry.address}/rexec:latest"
    plain_engine.docker("tag", NAME, reference)
    plain_engine.docker("push", reference)
    plain_engine.docker("rmi", reference)
    plain_engine.docker("pull", reference)
    version = plain_engine.docker("run", "--rm", "--network=none", reference, "rexec", "--version")
    assert version.startswith("rexec, version ")
    plain_engine.docker("rmi", reference)
