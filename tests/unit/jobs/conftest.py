"""A small application with a queue on SQLite, a bell that remembers, and handlers that a test declares."""

import threading
from types import SimpleNamespace

import pytest
from flask import Flask

from rexec import jobs
from rexec.extensions import db, engine_options, prepare
from rexec.jobs import backends, registry
from rexec.jobs.models import Operation
from rexec.jobs.runner import Runner


class RecordingBell:
    """Remembers who was rung for, in place of a queue."""

    def __init__(self):
        self.rung = []
        self.unanswered = 0

    def ring(self, operation_id, lane):
        self.rung.append((operation_id, lane))

    def pending(self, lane):
        return self.unanswered


@pytest.fixture
def app(tmp_path):
    url = f"sqlite:///{tmp_path / 'queue.db'}"
    app = Flask(__name__)
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(url))
    app.extensions["rexec.settings"] = SimpleNamespace(redis_url=None)
    db.init_app(app)
    jobs.init_app(app)
    with app.app_context():
        prepare(db.engine)
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def bell(app):
    recording = RecordingBell()
    app.extensions[backends.EXTENSION] = recording
    return recording


@pytest.fixture
def runner(app, bell):
    made = Runner(app, bell)
    yield made
    made.stop(5)


@pytest.fixture
def handle(monkeypatch):
    """Declare a handler for the length of a test."""
    monkeypatch.setattr(registry, "_handlers", {})

    def declare(work, kind="test.work", **options):
        jobs.handler(kind, **options)(work)
        return kind

    return declare


@pytest.fixture
def add(app):
    """Add a committed operation and give its id."""

    def added(kind="test.work", subject="thing:1", **values):
        operation = jobs.add(kind, subject)
        for name, value in values.items():
            setattr(operation, name, value)
        db.session.commit()
        return operation.id

    return added


@pytest.fixture
def row(app):
    """The operation as the database has it now."""

    def read(operation_id):
        db.session.rollback()
        db.session.expire_all()
        return db.session.get(Operation, operation_id)

    return read


@pytest.fixture
def in_threads():
    """Run functions at the same moment and give their results."""

    def run(*functions):
        results = [None] * len(functions)
        start = threading.Barrier(len(functions))

        def call(number):
            start.wait(timeout=10)
            results[number] = functions[number]()

        threads = [threading.Thread(target=call, args=(number,)) for number in range(len(functions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert not any(thread.is_alive() for thread in threads)
        return results

    return run
