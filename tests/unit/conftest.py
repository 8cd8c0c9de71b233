"""Unit tests: nothing leaves the process. Sockets are blocked; databases are SQLite in memory."""

from __future__ import annotations

import socket

import pytest
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event

from tests.support.settings import make_settings


def _blocked(*_arguments: object, **_options: object) -> None:
    raise AssertionError("a unit test tried to use the network; put it into tests/engine")


@pytest.fixture(autouse=True, scope="module")
def _no_network():
    """Make every way to another process by socket fail; socketpair, within this one, stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "bind", "sendto"):
            patch.setattr(socket.socket, name, _blocked)
        for name in ("getaddrinfo", "gethostbyname", "create_server"):
            patch.setattr(socket, name, _blocked)
        yield


@pytest.fixture
def settings(tmp_path):
    """Settings without any service; a module may override this fixture."""
    return make_settings(instance_dir=tmp_path)


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory):
    """Compiled templates, kept between the applications of a session: compiling took most of the time."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def docker_host():
    """What stands in for the daemon; None is a client that never gets as far as a socket."""


@pytest.fixture
def app(settings, docker_host, compiled_templates):
    """The application on an empty SQLite database in memory."""
    from rexec.extensions import db
    from tests.support.apps import application

    with application(settings, docker_host) as app:
        app.jinja_env.bytecode_cache = compiled_templates
        db.create_all()
        yield app


@pytest.fixture
def client(app):
    """A client without cookies of anybody."""
    return app.test_client()


@pytest.fixture
def queries(app):
    """The statements that were sent to the database since it was last cleared."""
    from rexec.extensions import db

    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)
