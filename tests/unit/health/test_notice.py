"""Pages say that work waits, and admins what is broken, from this process's memory alone."""

import time
from datetime import timedelta

import pytest

from rexec.accounts import service as accounts
from rexec.extensions import db, utcnow
from rexec.health import monitor
from rexec.health.monitor import Monitor, Snapshot
from rexec.health.verdict import Seen, put_together
from tests.support.page_user import PageUser, visible


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


OK = {"status": "ok", "latency_ms": 1.2, "last_ok": "2026-05-01T12:00:00Z", "error": None}
OFF = {**OK, "status": "off"}
DOWN = {**OK, "status": "down", "error": "docker_refused: It cannot be reached."}


def look(app, *, docker=OK, redis=OFF, days=100, age_s=0.0):
    """Put into this process's memory what it would see."""
    now = utcnow()
    ends = (now + timedelta(days=days, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = {"docker": docker, "worker": OK, "certificates": [{"name": "client", "not_after": ends}]}
    body = put_together(Seen(OK, redis, (now, report), now, now - timedelta(hours=1)))
    watching = Monitor(app)
    watching.snapshot = Snapshot(body, time.monotonic() - age_s)
    app.extensions[monitor.EXTENSION] = watching


@pytest.fixture
def person(app):
    somebody = PageUser(app)
    somebody.sign_up()
    return somebody


@pytest.fixture
def admin(person):
    accounts.find(person.email).is_admin = True
    db.session.commit()
    return person


def said(person, path):
    return visible(person.get(path))


def test_a_service_in_order_says_nothing(app, admin):
    look(app)
    assert "data-health" not in admin.get("/admin").text
    assert "data-health" not in admin.get("/containers").text


@pytest.mark.parametrize("path", ["/admin", "/containers"])
def test_what_is_broken_is_on_every_page_of_an_admin(app, admin, path):
    look(app, docker=DOWN)
    assert "The Docker host is down: docker_refused: It cannot be reached." in said(admin, path)
    assert "rexec doctor says why, and what to do." in said(admin, path)
    assert 'data-health="bad"' in admin.get(path).text


def test_nobody_else_is_told(app, person):
    look(app, docker=DOWN)
    assert "data-health" not in person.get("/containers").text


@pytest.mark.parametrize(
    ("days", "sentence", "kind", "elsewhere"),
    [
        (20, "The client certificate expires in 20 days", "warn", False),
        (2, "The client certificate expires in 2 days", "bad", True),
        (-3, "The client certificate expired on", "bad", True),
    ],
)
def test_a_certificate_that_ends_is_told_where_it_is_in_time(app, admin, days, sentence, kind, elsewhere):
    look(app, days=days)
    assert sentence in said(admin, "/admin")
    assert "Make new certificates on the VM with setup.sh" in said(admin, "/admin")
    assert "rexec doctor" not in said(admin, "/admin")
    assert f'data-health="{kind}"' in admin.get("/admin").text
    assert (sentence in said(admin, "/containers")) is elsewhere


def test_an_admin_hears_of_redis_once(app, admin, person):
    look(app, redis={**DOWN, "error": "gave no answer in time"})
    page = said(admin, "/containers")
    assert "Redis is down: gave no answer in time." in page
    assert "Work waits" not in page


def test_an_instance_that_does_not_look_says_so(app, admin):
    look(app, age_s=60)
    assert "has not looked lately" in said(admin, "/admin")
    assert "rexec doctor says why" in said(admin, "/admin")


def test_the_admin_page_shows_how_long_certificates_last(app, admin):
    look(app, days=10)
    assert "client: 10 days left" in said(admin, "/admin")
    look(app, days=-3)
    assert "client: expired" in said(admin, "/admin")
