"""The operator hears of trouble once a day and level, of its end once, and nobody waits for their chat."""

import logging
import threading
from datetime import timedelta

import pytest

from rexec.extensions import db, utcnow
from rexec.health import alerts
from rexec.health.alerts import Alerts, State, is_news, of_body, of_certificate, of_check
from rexec.health.certificates import Expiry
from rexec.health.ledger import RowLedger
from tests.support.waiting import eventually

NOW = utcnow()
HOUR = timedelta(hours=1)
DOWN = State("docker", "down", "The Docker host is down: refused.", NOW - timedelta(minutes=1))
WELL = State("docker", "ok", "The Docker host works again.")


class Chat:
    """Takes what is posted; does not when told so."""

    def __init__(self):
        self.said = []
        self.tries = 0
        self.open = True

    def __call__(self, text):
        self.tries += 1
        if self.open:
            self.said.append(text)
        return self.open


@pytest.fixture
def chat():
    return Chat()


def told(chat, *texts):
    eventually(lambda: chat.said == list(texts), message=f"{texts} said")


@pytest.mark.parametrize(
    ("before", "news"),
    [
        ({}, True),
        ({"down": HOUR}, False),
        ({"down": 23 * HOUR}, False),
        ({"down": 24 * HOUR}, True),
        ({"warning": HOUR}, True),
        ({"down": 2 * HOUR, "ok": HOUR}, False),
    ],
)
def test_trouble_is_news_once_for_each_level_and_day(before, news):
    assert is_news(DOWN, {level: NOW - ago for level, ago in before.items()}, NOW) is news


def test_trouble_that_comes_back_and_stays_is_news_on_the_same_day():
    stays = State("docker", "down", "", NOW - timedelta(minutes=11))
    assert is_news(stays, {"down": NOW - 2 * HOUR, "ok": NOW - HOUR}, NOW)
    assert not is_news(stays, {"down": NOW - HOUR}, NOW)


def test_two_that_disagree_do_not_contradict_each_other_at_every_look(app, chat):
    sees, does_not = Alerts(app, chat), Alerts(app, chat)
    stays = State("redis", "down", "Redis is down: refused.", NOW - HOUR)
    well = State("redis", "ok", "Redis works again.")
    sees.consider([stays])
    told(chat, stays.text)
    does_not.consider([well])
    told(chat, stays.text, well.text)
    moment = RowLedger().read()["redis"]["ok"]
    before = {"down": moment - HOUR, "ok": moment}
    assert not is_news(stays, before, moment + timedelta(minutes=9))
    assert is_news(stays, before, moment + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("before", "news"),
    [
        ({}, False),
        ({"down": HOUR}, True),
        ({"down": 2 * HOUR, "ok": HOUR}, False),
        ({"down": 48 * HOUR}, True),
    ],
)
def test_an_end_is_news_once_and_only_after_trouble(before, news):
    assert is_news(WELL, {level: NOW - ago for level, ago in before.items()}, NOW) is news


def test_of_two_watchers_one_tells(app, chat):
    watchers = [Alerts(app, chat), Alerts(app, chat)]
    for _ in range(2):
        for watcher in watchers:
            watcher.consider([DOWN])
    told(chat, DOWN.text)
    for watcher in watchers:
        watcher.consider([WELL])
    told(chat, DOWN.text, WELL.text)


def test_who_read_before_another_wrote_has_lost(app):
    ledger, now = RowLedger(), utcnow()
    assert ledger.move("docker", "down", None, now)
    assert not ledger.move("docker", "down", None, now)
    assert ledger.move("docker", "down", now, now + HOUR)
    assert not ledger.move("docker", "down", now, now + 2 * HOUR)
    assert ledger.read() == {"docker": {"down": now + HOUR}}
    assert ledger.move("docker", "down", now + HOUR, None)
    assert ledger.read() == {}


def test_what_did_not_arrive_is_told_again_later(app, chat):
    watcher = Alerts(app, chat)
    chat.open = False
    watcher.consider([DOWN])
    eventually(lambda: chat.tries == 1)
    eventually(lambda: RowLedger().read() == {})
    watcher.consider([DOWN])
    assert chat.tries == 1, "a chat that does not answer is left alone for a while"
    chat.open = True
    watcher._not_before.clear()
    watcher.consider([DOWN])
    told(chat, DOWN.text)


def test_nobody_waits_for_the_chat(app):
    go = threading.Event()
    arrived = []
    watcher = Alerts(app, lambda text: go.wait(30) and not arrived.append(text))
    watcher.consider([DOWN])
    watcher.consider([State("worker", "down", "The worker is down: gone.")])
    assert arrived == []
    go.set()
    eventually(lambda: len(arrived) == 2)


def test_without_a_chat_there_is_a_line_in_the_log_each_day(app, caplog):
    watcher = Alerts(app, None)
    with caplog.at_level(logging.INFO, logger="rexec.health.alerts"):
        for state in (DOWN, DOWN, WELL, WELL):
            watcher.consider([state])
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", DOWN.text),
        ("INFO", WELL.text),
    ]


def test_a_database_that_is_gone_is_told_of_without_it(app, chat):
    db.drop_all()
    watcher = Alerts(app, chat)
    database = State("database", "down", "The database is down: gave no answer in time.")
    for _ in range(2):
        watcher.consider([database, DOWN])
    told(chat, database.text)
    watcher.consider([State("database", "ok", "The database works again.")])
    told(chat, database.text, "The database works again.")


def check(status, error=None):
    return {"status": status, "latency_ms": None, "last_ok": "2026-05-01T12:00:00Z", "error": error}


def test_a_warning_is_not_told_before_the_third_strike():
    assert of_check("docker", check("warning", "refused")) is None
    assert of_check("docker", check("off")) is None
    down = of_check("docker", check("down", "docker_refused: It cannot be reached."))
    assert down.text == "The Docker host is down: docker_refused: It cannot be reached."
    assert down.since.year == 2026


def test_a_web_process_tells_what_no_watcher_can():
    checks = {name: check("down", "gone") for name in ("database", "redis", "docker", "worker", "watcher")}
    assert {state.subject for state in of_body({"checks": checks})} == {"database", "redis", "watcher"}


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (40, "ok", "is renewed, until"),
        (20, "warning", "expires in 20 days"),
        (2, "critical", "expires in 2 days"),
        (-2, "expired", "expired on"),
    ],
)
def test_certificates_are_told_of_by_level(days, level, words):
    state = of_certificate(Expiry("client", NOW + timedelta(days=days, hours=1)), NOW)
    assert (state.subject, state.level) == ("certificate:client", level)
    assert words in state.text


def test_a_report_gives_all_of_it(app):
    report = {
        "docker": check("down", "refused"),
        "worker": check("ok"),
        "certificates": [{"name": "ca", "not_after": "2020-01-01T00:00:00Z"}],
    }
    assert [(state.subject, state.level) for state in alerts.of_report(report, NOW)] == [
        ("docker", "down"),
        ("worker", "ok"),
        ("certificate:ca", "expired"),
    ]
