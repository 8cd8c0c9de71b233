"""A queue on PostgreSQL through PgBouncer, with real worker processes on a real Redis."""

import itertools

import pytest
import redis

from rexec.extensions import db
from rexec.jobs.registry import THREADS
from tests.engine.jobs import queue_app
from tests.engine.jobs.worker import Worker
from tests.support.waiting import eventually
from tests.unit.jobs.conftest import add, bell, handle, in_threads, row, runner

__all__ = ["add", "bell", "handle", "in_threads", "row", "runner"]

_numbers = itertools.count(1)


@pytest.fixture
def queue_url(postgres, pgbouncer):
    """Address of an empty database, through the pooler."""
    name = f"queue_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield pgbouncer.url(name).replace("postgres://", "postgresql+psycopg://", 1)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def app(queue_url, request):
    """A small application with the queue's tables; on Redis where the test asks for one."""
    redis = request.getfixturevalue("own_redis") if "own_redis" in request.fixturenames else None
    app = queue_app.make(queue_url, redis.url() if redis else None)
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def new_worker(app, queue_url, own_redis, tmp_path):
    """Starts worker processes with short leases; `log` is what their handlers wrote."""
    workers = []

    def start(**options):
        worker = Worker(tmp_path / f"worker-{len(workers)}", queue_url, own_redis.url(), tmp_path, **options)
        workers.append(worker)
        worker.start()
        return worker

    yield start
    for worker in workers:
        worker.stop()
        print(worker.log)  # noqa: T201 - shown where the test failed


@pytest.fixture
def until(row):
    """Wait until operations are in a state."""

    def wait(state, *operation_ids, timeout=20.0):
        eventually(
            lambda: {row(operation_id).state for operation_id in operation_ids} == {state},
            timeout,
            message=f"operations {operation_ids} {state}",
        )

    return wait


@pytest.fixture
def until_idle(own_redis):
    """Wait until every thread of so many workers waits at Redis for a ring: none looks for rows any more."""

    def wait(workers=1):
        with redis.Redis.from_url(own_redis.url()) as client:
            threads = workers * sum(THREADS.values())
            eventually(lambda: client.info("clients")["blocked_clients"] == threads)

    return wait
