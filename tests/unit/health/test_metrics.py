"""`/metrics`: every fact of `/health`, jobs, launches, terminals; in Prometheus's text, for those who may."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from rexec import health
from rexec.extensions import db, utcnow
from rexec.health import access, monitor, totals
from rexec.health.models import HealthReport, MetricTotals
from rexec.health.monitor import Monitor
from rexec.jobs import leases
from rexec.jobs.models import Operation
from rexec.terminals import service as terminals
from tests.support.factories import make_container

LAUNCHED = {"seconds": {"create": 0.02, "start": 0.3, "ours": 0.03, "total": 0.35}}


@pytest.fixture
def looking(app):
    app.extensions[monitor.EXTENSION] = Monitor(app)
    leases.beat("worker", "somebody", 30)
    health.refresh()
    app.extensions[monitor.EXTENSION].look()
    return app.extensions[monitor.EXTENSION]


@pytest.fixture
def scrape(app, looking):
    """Values by name and labels, as a scraper reads them."""

    def read():
        looking.rounds.go()
        answer = app.test_client().get("/metrics")
        assert answer.status_code == 200
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    return read


def ended(kind, outcome, progress=None, **values):
    values |= {"state": outcome, "progress": progress, "finished_at": utcnow()}
    db.session.add(Operation(kind=kind, subject="container:1", **values))
    db.session.commit()


def test_the_facts_of_health_are_there(scrape):
    found = scrape()
    assert found["rexec_health", "ok"] == 1
    assert found["rexec_health", "down"] == 0
    assert found["rexec_check_status", "docker", "ok"] == 1
    assert found["rexec_check_status", "off", "redis"] == 1
    assert found["rexec_check_latency_seconds", "database"] < 5
    assert found["rexec_check_last_ok_seconds", "watcher"] > 1.7e9
    assert found["rexec_health_age_seconds",] < 60
    assert found["process_resident_memory_bytes",] > 1e6


def test_certificates_are_moments(looking, scrape):
    row = db.session.get(HealthReport, 1)
    row.report = {**row.report, "certificates": [{"name": "server", "not_after": "2033-05-18T03:33:20Z"}]}
    db.session.commit()
    looking.look()
    assert scrape()["rexec_certificate_not_after_seconds", "server"] == 2_000_000_000


def test_jobs_are_counted_by_kind_lane_state_and_outcome(scrape):
    db.session.add(Operation(kind="container.stop", subject="container:2"))
    ended("container.launch", "done", LAUNCHED)
    ended("container.launch", "failed")
    ended("container.launch", "cancelled", lane="slow")
    totals.count()
    found = scrape()
    assert found["rexec_jobs", "container.stop", "queued", "quick"] == 1
    assert found["rexec_jobs_ended_total", "container.launch", "done", "quick"] == 1
    assert found["rexec_jobs_ended_total", "container.launch", "failed", "quick"] == 1
    assert found["rexec_jobs_ended_total", "cancelled", "container.launch", "slow"] == 1


def test_the_queues_age_is_that_of_its_oldest_due_job(scrape):
    now = utcnow()
    for seconds in (90, 30, -600):
        due = now - timedelta(seconds=seconds)
        db.session.add(Operation(kind="container.stop", subject=f"container:{seconds}", not_before=due))
    db.session.commit()
    found = scrape()
    assert 90 <= found["rexec_queue_age_seconds", "quick"] < 120
    assert found["rexec_queue_age_seconds", "slow"] == 0


def test_launches_are_a_histogram_by_stage(scrape):
    ended("container.launch", "done", LAUNCHED)
    ended("container.launch", "done", {"seconds": {**LAUNCHED["seconds"], "pull": 400.0, "total": 400.4}})
    totals.count()
    found = scrape()
    assert found["rexec_launch_seconds_bucket", "0.025", "create"] == 2
    assert found["rexec_launch_seconds_bucket", "0.25", "start"] == 0
    assert found["rexec_launch_seconds_bucket", "0.5", "start"] == 2
    assert found["rexec_launch_seconds_bucket", "300.0", "total"] == 1
    assert found["rexec_launch_seconds_bucket", "+Inf", "total"] == 2
    assert found["rexec_launch_seconds_count", "pull"] == 1
    assert found["rexec_launch_seconds_sum", "total"] == pytest.approx(400.75)


def test_each_job_is_counted_once_and_pruning_takes_nothing_back(scrape):
    ended("container.stop", "done")
    totals.count()
    totals.count()
    db.session.query(Operation).delete()
    db.session.commit()
    ended("container.stop", "done")
    totals.count()
    assert scrape()["rexec_jobs_ended_total", "container.stop", "done", "quick"] == 2


def test_a_job_that_is_not_ended_is_not_counted(scrape):
    db.session.add(Operation(kind="container.stop", subject="container:2", state="working"))
    db.session.commit()
    totals.count()
    assert db.session.query(MetricTotals).count() == 0


def test_a_count_that_was_overtaken_counts_later(app, monkeypatch):
    ended("container.stop", "done")
    totals.count()
    ended("container.stop", "done")
    adding = totals._add

    def overtaken(connection, operations):
        connection.execute(db.update(MetricTotals).values(version=MetricTotals.version + 1))
        real = connection.execute
        stale = db.select(db.literal(1).label("version"), MetricTotals.totals)
        with monkeypatch.context() as patch:
            patch.setattr(connection, "execute", lambda s: real(stale if s.is_select else s))
            adding(connection, operations)

    with monkeypatch.context() as patch:
        patch.setattr(totals, "_add", overtaken)
        totals.count()
    assert db.session.query(Operation).filter(Operation.counted_at.is_(None)).count() == 1
    totals.count()
    assert totals.Totals.of(db.session.get(MetricTotals, 1).totals).ended == {
        ("container.stop", "quick", "done"): 2
    }


def test_containers_are_counted_by_status(scrape):
    for status in ("running", "running", "stopped"):
        make_container(status=status)
    found = scrape()
    assert (found["rexec_containers", "running"], found["rexec_containers", "stopped"]) == (2, 1)


def test_terminals_are_those_of_this_process(app, scrape):
    assert ("rexec_terminal_viewers",) not in scrape()
    terminals.hub_of(app)
    try:
        found = scrape()
    finally:
        terminals.stop_hub(app, 5)
    assert found["rexec_terminal_viewers",] == 0
    assert found["rexec_terminals", "main"] == 0
    assert found["rexec_terminal_bytes_total", "output"] == 0


def test_a_scrape_asks_neither_the_database_nor_docker(app, looking, scrape, docker_host):
    scrape()
    statements = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    asked = docker_host.calls
    assert app.test_client().get("/metrics").status_code == 200
    assert (statements, docker_host.calls) == ([], asked)


def test_figures_stay_as_they_were_while_the_database_is_away(looking, scrape):
    make_container(status="running")
    scrape()
    db.drop_all()
    assert scrape()["rexec_containers", "running"] == 1


def test_no_name_of_anybody_is_told(scrape, app):
    row = make_container(status="running")
    db.session.commit()
    scrape()
    text = app.test_client().get("/metrics").text
    for private in (row.name, row.public_id, "@example.com", "10.1.2.3", "sqlite"):
        assert private not in text


@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, {}, 200),
        ({"REMOTE_ADDR": "::1"}, {}, 200),
        ({"REMOTE_ADDR": "203.0.113.9"}, {}, 401),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "203.0.113.9"}, 401),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"Via": "1.1 router"}, 401),
        ({"REMOTE_ADDR": "203.0.113.9"}, {"Authorization": "Bearer guess"}, 401),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"Authorization": "Bearer gu€ss".encode().decode("latin-1")}, 401),
        ({"REMOTE_ADDR": "203.0.113.9"}, {"Authorization": "Basic abc"}, 401),
    ],
)
def test_strangers_need_the_token(app, environ, headers, status):
    answer = app.test_client().get("/metrics", environ_overrides=environ, headers=headers)
    assert answer.status_code == status
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_whoever_has_the_token_may_read(app):
    token = access.token_of(app.extensions["rexec.settings"])
    answer = app.test_client().get(
        "/metrics",
        environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/openmetrics-text"},
    )
    assert answer.status_code == 200
    assert answer.content_type.startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
