"""Pages say that work waits, from this process's memory alone."""

import pytest

from rexec.health import monitor
from rexec.health.monitor import Monitor, Snapshot


def remember(app, **statuses):
    checks = {name: {"status": status} for name, status in statuses.items()}
    watching = Monitor(app)
    watching.snapshot = Snapshot({"checks": checks}, taken_at=0.0)
    app.extensions[monitor.EXTENSION] = watching


@pytest.mark.parametrize(
    ("redis", "worker", "waits"),
    [
        ("ok", "ok", False),
        ("off", "ok", False),
        ("ok", "warning", False),
        ("warning", "ok", True),
        ("down", "ok", True),
        ("ok", "down", True),
    ],
)
def test_work_waits_without_redis_or_without_a_worker(app, redis, worker, waits):
    remember(app, redis=redis, worker=worker)
    assert monitor.work_waits(app) is waits


def test_nothing_is_said_before_the_first_look(app):
    assert not monitor.work_waits(app)
    app.extensions[monitor.EXTENSION] = Monitor(app)
    assert not monitor.work_waits(app)
