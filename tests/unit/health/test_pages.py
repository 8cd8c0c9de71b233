"""`/health` and `/health/live`: from memory, truthful, and silent about what is nobody's business."""

import json
import time

import pytest
from sqlalchemy import event

from rexec import health
from rexec.extensions import db
from rexec.health import live, monitor
from rexec.health.monitor import Monitor, Snapshot
from rexec.jobs import leases


@pytest.fixture
def looking(app):
    """A monitor that looks when a test says so."""
    app.extensions[monitor.EXTENSION] = Monitor(app)
    return app.extensions[monitor.EXTENSION]


@pytest.fixture
def whole(app, looking):
    """A deployment in which everything works."""
    leases.beat("worker", "somebody", 30)
    health.refresh()
    looking.look()
    return app.test_client()


def test_a_whole_deployment_answers_ok(whole):
    answer = whole.get("/health")
    assert answer.status_code == 200
    assert answer.json["status"] == "ok"
    assert answer.json["checks"]["docker"]["server_version"] == "26.1.5"
    assert answer.json["checks"]["redis"]["status"] == "off"
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_request_asks_the_database_or_docker(whole, docker_host):
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    asked = docker_host.calls
    for _ in range(5):
        assert whole.get("/health").status_code == 200
        assert whole.get("/health/live").status_code == 200
    assert statements == []
    assert docker_host.calls == asked


def test_no_request_is_counted_against_anybody(whole):
    assert {whole.get("/health").status_code for _ in range(200)} == {200}


def test_no_request_starts_a_session(whole):
    assert "Set-Cookie" not in whole.get("/health").headers


def test_an_unreachable_docker_host_is_seen_within_three_reports(app, looking, whole, docker_host):
    docker_host.reachable = False
    statuses = []
    for _ in range(3):
        health.refresh()
        looking.look()
        statuses.append((whole.get("/health").status_code, whole.get("/health").json["status"]))
    assert statuses == [(200, "degraded"), (200, "degraded"), (503, "down")]
    assert whole.get("/health").json["checks"]["docker"]["error"].startswith("docker_refused: ")
    docker_host.reachable = True
    health.refresh()
    looking.look()
    assert whole.get("/health").json["status"] == "ok"


def test_a_deployment_without_a_worker_is_down(app, looking):
    for _ in range(3):
        health.refresh()
    looking.look()
    answer = app.test_client().get("/health")
    assert answer.status_code == 503
    assert answer.json["checks"]["worker"]["status"] == "down"


def test_a_database_that_went_away_is_down_after_three_looks(app, looking, whole):
    db.drop_all()
    for _ in range(3):
        looking.look()
    answer = whole.get("/health")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"]["status"] == "down"


def test_no_address_path_or_foreign_text_is_shown(app, looking, whole, docker_host, tmp_path):
    docker_host.reachable = False
    db.drop_all()
    for _ in range(3):
        looking.look()
    shown = json.dumps(whole.get("/health").json)
    for private in ("10.1.2.3", str(tmp_path), "sqlite", "no such table", "SELECT"):
        assert private not in shown


def test_before_the_first_look_it_is_not_ok(app):
    answer = app.test_client().get("/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "down"
    assert set(answer.json["checks"]) == {
        "database",
        "redis",
        "docker",
        "worker",
        "watcher",
        "certificates",
    }


def test_a_monitor_that_stopped_looking_is_not_believed(app, looking, whole):
    looking.snapshot = Snapshot(looking.snapshot.body, time.monotonic() - 21)
    assert whole.get("/health").status_code == 503


def test_live_needs_nothing_but_the_process(app, docker_host):
    docker_host.reachable = False
    db.drop_all()
    answer = app.test_client().get("/health/live")
    assert (answer.status_code, answer.json["status"]) == (200, "live")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_thread_that_does_not_move_ends_the_life(app):
    age = [0.5]
    app.extensions[live.EXTENSION] = {"terminals": lambda: age[0]}
    client = app.test_client()
    assert client.get("/health/live").status_code == 200
    age[0] = 11.0
    answer = client.get("/health/live")
    assert (answer.status_code, answer.json["stuck"]) == (503, ["terminals"])


def test_two_watchers_count_strikes_together(app, looking, whole, docker_host):
    docker_host.reachable = False
    for _ in range(3):
        app.extensions.pop(health.report.EXTENSION)
        health.refresh()
    looking.look()
    assert whole.get("/health").json["checks"]["docker"]["status"] == "down"


def test_the_body_has_what_is_promised_and_nothing_else(whole):
    body = whole.get("/health").json
    assert list(body) == ["status", "version", "checked_at", "checks", "certificates", "warnings"]
    assert list(body["checks"]) == ["database", "redis", "docker", "worker", "watcher", "certificates"]
    for name, check in body["checks"].items():
        further = {"server_version"} if name == "docker" else set()
        assert set(check) == {"status", "latency_ms", "last_ok", "error"} | further


def test_the_age_of_the_answer_is_told(looking, whole):
    looking.snapshot = Snapshot(looking.snapshot.body, time.monotonic() - 7)
    assert whole.get("/health").headers["Age"] == "7"


def test_two_watchers_leave_one_report(app, whole):
    health.refresh()
    health.refresh()
    assert db.session.query(health.report.HealthReport).count() == 1
