"""A PostgreSQL that is there and says nothing: whoever asks it gives up, and comes back by itself."""

import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from rexec import postgres
from rexec.extensions import engine_options, prepare
from tests.support.proxy import TcpProxy
from tests.support.server import RexecServer
from tests.support.stacks import on_postgres
from tests.support.waiting import eventually

pytestmark = on_postgres
DEADLINE_S = 0.5


@pytest.fixture
def way(stack):
    with TcpProxy(stack.pgbouncer.port) as way:
        yield way


@pytest.fixture
def through(way, stack, database_url):
    """The database's address by that way."""
    return database_url.replace(f":{stack.pgbouncer.port}/", f":{way.port}/")


@pytest.fixture
def database(through, monkeypatch):
    """An engine as the application has it, less patient."""
    monkeypatch.setattr(postgres.DeadlineConnection, "deadline_s", DEADLINE_S)
    url = through.replace("postgres://", "postgresql+psycopg://", 1)
    engine = create_engine(url, **engine_options(url))
    prepare(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def server(stack, through, tmp_path):
    """`rexec serve` with its database at the end of that way."""
    server = RexecServer(tmp_path / "server", stack.server_environment(through))
    server.start()
    yield server
    server.stop()


def ask(database, question="SELECT 1"):
    with database.connect() as connection:
        return connection.scalar(text(question))


def test_an_answer_that_does_not_come_is_an_error_in_time(database, way):
    with database.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        way.blackhole()
        started = time.monotonic()
        with pytest.raises(OperationalError, match=r"no answer within"):
            connection.scalar(text("SELECT 2"))
        assert DEADLINE_S <= time.monotonic() - started < DEADLINE_S + 5
        assert connection.invalidated


def test_no_late_answer_is_taken_for_another_question(database, way):
    assert ask(database) == 1
    way.blackhole()
    with pytest.raises(OperationalError):
        ask(database, "SELECT 2")
    way.forward()
    assert eventually(lambda: ask(database, "SELECT 3")) == 3


def test_a_question_that_takes_too_long_is_given_up(database):
    with pytest.raises(OperationalError, match=r"no answer within"):
        ask(database, f"SELECT pg_sleep({DEADLINE_S * 4})")
    assert ask(database) == 1


def test_a_mistake_is_still_told_as_one_and_keeps_the_connection(database):
    with database.connect() as connection:
        with pytest.raises(OperationalError, match="canceling statement"):
            connection.execute(text("SET LOCAL statement_timeout = 50; SELECT pg_sleep(5)"))
        assert not connection.invalidated


def test_an_error_names_no_value_of_its_statement(database):
    with database.connect() as connection, pytest.raises(ProgrammingError, match="nowhere") as caught:
        connection.execute(text("SELECT 1 FROM nowhere WHERE hash = :hash"), {"hash": "a-secret"})
    assert "a-secret" not in str(caught.value)


def test_a_page_says_so_and_comes_back(way, user):
    assert user.get("/containers").status_code == 200
    way.blackhole()
    started = time.monotonic()
    answer = user.get("/containers")
    assert answer.status_code == 503
    assert time.monotonic() - started < 2 * postgres.DEADLINE_S + 5
    way.forward()
    eventually(lambda: user.get("/containers").status_code == 200, 30)
