"""What all suites share: real services, started when a session first needs them, and clean ends.

Everything lives in one temporary folder and on free ports, so that several sessions run side by side.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from rexec.docker_host import DockerHost
from tests.support import reports
from tests.support.engine import DEPLOYMENT_LABEL, Engine
from tests.support.http_user import HttpUser
from tests.support.server import HurriedServer, RexecServer
from tests.support.services import PgBouncer, Postgres, Redis, Registry
from tests.support.stacks import POSTGRES, SQLITE, PostgresStack, SqliteStack, Stack

TESTS = Path(__file__).parent
DEADLINE_S = 240
"""How long a test may take before it fails: far more than the slowest needs, far less than CI has."""


def _interrupt(received: int, _frame: object) -> None:
    """End the session, once: a second signal must not interrupt the fixtures that clean up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(received).name)


CLONE_NEWNET = 0x40000000
"""unshare(2)"""
IPV6_OFF = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
"""Of the links that are made from now on in the network namespace of whoever writes it."""


def _take_a_network_of_its_own() -> None:
    """Daemons share the firewall of their network namespace, and would undo each other's rules."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "cannot make a network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    if IPV6_OFF.exists():
        # The address that a container's link gets after its start has Chromium drop what it loads.
        IPV6_OFF.write_text("1")


def pytest_configure() -> None:
    """Let SIGTERM end the session as Ctrl-C does, also where a shell started it with Ctrl-C ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if "PYTEST_XDIST_WORKER" in os.environ:
        _take_a_network_of_its_own()


def _suite(path: Path) -> str:
    return path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its suite's name, and order their files so that the machine is kept busy."""
    for item in items:
        suite = _suite(item.path)
        if suite in {"engine", "browser"}:
            item.add_marker(suite)
    items[:] = _in_turns(items)


def _in_turns(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files of browser and engine tests in turns, since the first use the processor and the second wait.

    The short ones come last, so that all processes end together.
    """
    files: dict[str, list[list[pytest.Item]]] = {"browser": [], "engine": [], "": []}
    for path, of_file in itertools.groupby(items, key=lambda item: item.path):
        files[_suite(path) if _suite(path) in files else ""].append(list(of_file))
    turns = itertools.zip_longest(files["engine"], files["browser"], fillvalue=[])
    return [item for turn in turns for file in turn for item in file] + list(itertools.chain(*files[""]))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run engine tests and browser tests marked `smoke` on both stacks, other browser tests on the first."""
    if "stack" not in metafunc.fixturenames:
        return
    markers = list(metafunc.definition.iter_markers())
    if any(mark.name == "parametrize" and "stack" in mark.args[0] for mark in markers):
        return
    both = _suite(metafunc.definition.path) == "engine" or any(mark.name == "smoke" for mark in markers)
    metafunc.parametrize("stack", [POSTGRES, SQLITE] if both else [POSTGRES], indirect=True, scope="session")


def _too_late(*_arguments: object) -> None:
    pytest.fail(f"the test did not end within {DEADLINE_S} s")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Fail a test that hangs, so that the others still run and say what they find."""
    previous = signal.signal(signal.SIGALRM, _too_late)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.fixture(scope="session")
def session_folder():
    """A short path that every user can walk to: sockets and PostgreSQL's own user need that."""
    folder = Path(tempfile.mkdtemp(prefix="rexec-", dir=os.environ.get("REXEC_TEST_FOLDER")))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def engine(session_folder):
    """The session's Docker daemon. Tests that stop it or break it ask for `own_engine`."""
    engine = Engine(session_folder / "engine")
    try:
        engine.start()
        yield engine
    finally:
        engine.end()


@pytest.fixture(scope="session")
def engine_client(engine):
    """A connection to the session's daemon that stays open: the command takes ten times as long."""
    client = DockerHost(engine.settings())
    yield client
    client.close()


@pytest.fixture
def own_engine(session_folder):
    """A Docker daemon for this test alone, to be killed, frozen or restarted."""
    engine = Engine(Path(tempfile.mkdtemp(prefix="engine-", dir=session_folder)))
    try:
        engine.start()
        yield engine
    finally:
        engine.end()


def _running(program):
    """Start a program, hand it out, and stop it."""
    try:
        program.start()
        yield program
    finally:
        program.stop()


@pytest.fixture(scope="session")
def postgres(session_folder):
    """The session's PostgreSQL, without the pooler."""
    yield from _running(Postgres(session_folder / "postgres"))


@pytest.fixture(scope="session")
def pgbouncer(session_folder, postgres):
    """The session's PgBouncer, in transaction mode."""
    yield from _running(PgBouncer(session_folder / "pgbouncer", postgres.port))


@pytest.fixture(scope="session")
def redis_server(session_folder):
    """The session's Redis. Tests that stop it ask for `own_redis`."""
    yield from _running(Redis(session_folder / "redis"))


@pytest.fixture
def own_redis(tmp_path):
    """A Redis for this test alone, to be killed, frozen or restarted."""
    yield from _running(Redis(tmp_path / "redis"))


@pytest.fixture(scope="session")
def registry(session_folder):
    """The session's image registry; empty at first."""
    yield from _running(Registry(session_folder / "registry"))


@pytest.fixture
def own_registry(tmp_path):
    """An image registry for this test alone."""
    yield from _running(Registry(tmp_path / "registry"))


@pytest.fixture(scope="session")
def postgres_stack(engine, postgres, pgbouncer, redis_server):
    """PostgreSQL with Redis and RQ; made once, also where tests go back and forth between the stacks."""
    return PostgresStack(engine, postgres, pgbouncer, redis_server)


@pytest.fixture(scope="session")
def sqlite_stack(engine, session_folder):
    """SQLite with jobs in the web process; made once too."""
    return SqliteStack(engine, session_folder / "sqlite")


@pytest.fixture(scope="session")
def stack(request) -> Stack:
    """The stack that this test runs on."""
    return request.getfixturevalue("sqlite_stack" if request.param == SQLITE else "postgres_stack")


@pytest.fixture
def database_url(stack):
    """A fresh, migrated database."""
    url = stack.new_database()
    yield url
    stack.drop_database(url)


@pytest.fixture
def redis_url(stack):
    """An empty Redis database; None on the stack without Redis."""
    return stack.redis_url()


@pytest.fixture(scope="session")
def server(stack, session_folder):
    """`rexec serve`, shared by the session: tests use people of their own and leave it running."""
    folder = session_folder / f"server-{stack.name}"
    yield from _running(RexecServer(folder, stack.server_environment(stack.new_database())))


@pytest.fixture
def own_server(stack, database_url, tmp_path):
    """`rexec serve` for this test alone, with a database of its own, to be stopped, killed or restarted."""
    yield from _running(RexecServer(tmp_path / "server", stack.server_environment(database_url)))


@pytest.fixture
def own_hurried(stack, database_url, tmp_path):
    """The same with short intervals."""
    yield from _running(HurriedServer(tmp_path / "server", stack.server_environment(database_url)))


@pytest.fixture
def new_user():
    """Makes people: `new_user(server)` has signed up and is logged in."""
    people: list[HttpUser] = []

    def make(server: RexecServer, **values: str) -> HttpUser:
        person = HttpUser(server.url, **values)
        people.append(person)
        return person.sign_up()

    yield make
    for person in people:
        person.close()


@pytest.fixture
def user(server, new_user):
    """Somebody who has signed up with the shared server."""
    return new_user(server)


@pytest.fixture(autouse=True)
def _remove_containers(request):
    """Take away the containers that a test left on the session's daemon."""
    # The stack asks for its daemon only when it is made, so that pytest does not know of it.
    if not {"engine", "stack"}.intersection(request.fixturenames):
        yield
        return
    engine, client = request.getfixturevalue("engine"), request.getfixturevalue("engine_client")
    before = _container_ids(client)
    yield
    engine.remove(_container_ids(client) - before)


def _container_ids(client: DockerHost) -> set[str]:
    return {found["Id"] for found in client.list_containers({DEPLOYMENT_LABEL: None})}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of every running server's log beside a failed test."""
    outcome = yield
    report = outcome.get_result()
    reports.remember(item, report)
    if report.when == "call" and report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, RexecServer):
                report.sections.append((f"log of {name}", value.log[-8000:]))
