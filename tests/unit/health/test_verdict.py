"""The answer of `/health`: who is vital, what only degrades, and what an old report means."""

from datetime import UTC, datetime, timedelta

import pytest

from rexec.health.verdict import Seen, http_status, put_together

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
OK = {"status": "ok", "latency_ms": 1.2, "last_ok": "2026-05-01T12:00:00Z", "error": None}
OFF = {"status": "off", "latency_ms": None, "last_ok": None, "error": None}
LONG_AGO = NOW - timedelta(hours=1)


def check(status):
    return {**OK, "status": status, "error": None if status == "ok" else "refused"}


def seen(*, age_s=5.0, certificates=(), database=OK, redis=OFF, started_at=LONG_AGO, **reported):
    stored = {
        "docker": {**OK, "server_version": "26.1.5"},
        "worker": OK,
        **reported,
        "certificates": [
            {"name": name, "not_after": (NOW + left).strftime("%Y-%m-%dT%H:%M:%SZ")}
            for name, left in certificates
        ],
    }
    report = None if age_s is None else (NOW - timedelta(seconds=age_s), stored)
    return Seen(database=database, redis=redis, report=report, now=NOW, started_at=started_at)


def test_everything_in_order_is_ok():
    body = put_together(seen(redis=OK))
    assert body["status"] == "ok"
    assert http_status(body) == 200
    assert body["warnings"] == []
    assert set(body) == {"status", "version", "checked_at", "checks", "certificates", "warnings"}
    assert set(body["checks"]) == {"database", "redis", "docker", "worker", "watcher", "certificates"}
    assert body["checked_at"] == "2026-05-01T12:00:00Z"
    assert body["checks"]["docker"]["server_version"] == "26.1.5"
    for shown in body["checks"].values():
        assert {"status", "latency_ms", "last_ok", "error"} <= set(shown)


@pytest.mark.parametrize("name", ["docker", "worker"])
@pytest.mark.parametrize(("status", "overall", "code"), [("warning", "degraded", 200), ("down", "down", 503)])
def test_what_the_watcher_sees_counts(name, status, overall, code):
    body = put_together(seen(**{name: check(status)}))
    assert (body["status"], http_status(body)) == (overall, code)
    assert f"{name}: refused" in body["warnings"]


def test_a_dead_database_is_down():
    body = put_together(seen(database=check("down")))
    assert (body["status"], http_status(body)) == ("down", 503)


def test_a_dead_redis_degrades_only():
    body = put_together(seen(redis=check("down")))
    assert (body["status"], http_status(body)) == ("degraded", 200)


def test_a_deployment_without_redis_is_whole():
    assert put_together(seen(redis=OFF))["checks"]["redis"]["status"] == "off"
    assert put_together(seen(redis=OFF))["status"] == "ok"


@pytest.mark.parametrize(("age_s", "status"), [(0, "ok"), (25, "ok"), (26, "warning"), (46, "down")])
def test_an_old_report_means_that_the_watcher_is_gone(age_s, status):
    body = put_together(seen(age_s=age_s))
    assert body["checks"]["watcher"]["status"] == status
    assert body["status"] == {"ok": "ok", "warning": "degraded", "down": "down"}[status]


@pytest.mark.parametrize("age_s", [None, 3600])
def test_a_service_that_just_started_waits_for_its_first_report(age_s):
    body = put_together(seen(age_s=age_s, started_at=NOW - timedelta(seconds=5)))
    assert body["checks"]["watcher"]["status"] == "warning"
    assert body["status"] == "degraded"
    assert put_together(seen(age_s=age_s))["status"] == "down"


def test_an_old_report_is_not_believed():
    docker = put_together(seen(age_s=60))["checks"]["docker"]
    assert (docker["status"], docker["latency_ms"]) == ("warning", None)
    assert docker["error"] == "not looked at lately"


def test_a_database_that_cannot_be_read_does_not_accuse_the_watcher():
    body = put_together(seen(age_s=60, database=check("down")))
    assert body["checks"]["watcher"]["status"] == "warning"


@pytest.mark.parametrize(
    ("left", "level", "overall", "days"),
    [
        (timedelta(days=31), "ok", "ok", 31),
        (timedelta(days=30, hours=23), "warning", "degraded", 30),
        (timedelta(days=29, hours=23), "warning", "degraded", 29),
        (timedelta(days=12), "warning", "degraded", 12),
        (timedelta(days=4), "warning", "degraded", 4),
        (timedelta(days=3, hours=23), "critical", "degraded", 3),
        (timedelta(days=2, hours=23), "critical", "degraded", 2),
        (timedelta(seconds=30), "critical", "degraded", 0),
        (timedelta(seconds=-1), "expired", "down", -1),
        (timedelta(days=-3), "expired", "down", -3),
    ],
)
def test_certificates_are_announced_before_they_end(left, level, overall, days):
    body = put_together(seen(certificates=[("ca", timedelta(days=3000)), ("client", left)]))
    assert body["status"] == overall
    shown = body["certificates"][1]
    assert (shown["name"], shown["status"], shown["days_left"]) == ("client", level, days)
    assert body["certificates"][0]["status"] == "ok"
    assert (body["checks"]["certificates"]["status"] == "down") == (level == "expired")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=20), "client certificate expires in 20 days (2026-05-21)"),
        (timedelta(days=15), "client certificate expires in 15 days (2026-05-16)"),
        (timedelta(days=14), "client certificate expires in 14 days (2026-05-15), renew it now"),
        (timedelta(days=1, hours=1), "client certificate expires in 1 day (2026-05-02), renew it now"),
        (timedelta(hours=3), "client certificate expires today (2026-05-01), renew it now"),
        (timedelta(hours=-13), "client certificate expired on 2026-04-30, renew it now"),
    ],
)
def test_a_certificate_that_ends_soon_is_a_sentence(left, words):
    assert put_together(seen(certificates=[("client", left)]))["warnings"] == [words]


def test_a_local_socket_has_no_certificates():
    body = put_together(seen())
    assert body["checks"]["certificates"]["status"] == "off"
    assert body["certificates"] == []
