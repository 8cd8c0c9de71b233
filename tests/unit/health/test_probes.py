"""A probe has a deadline, believes the third failure, and tells no more than it should."""

import threading

import pytest

from rexec.errors import Unavailable
from rexec.health.probes import FAILED, SILENT, Probe, ProbeFailed
from tests.support.waiting import eventually


class Dependency:
    """Fails with whatever a test puts here."""

    def __init__(self):
        self.error = None

    def __call__(self):
        if self.error is not None:
            raise self.error
        return {"server_version": "26.1.5"}


@pytest.fixture
def dependency():
    return Dependency()


@pytest.fixture
def probe(dependency):
    return Probe("docker", dependency, deadline_s=5)


def test_an_answer_is_ok_with_its_latency(probe):
    shown = probe.check()
    assert (shown["status"], shown["error"], shown["server_version"]) == ("ok", None, "26.1.5")
    assert shown["latency_ms"] >= 0
    assert shown["last_ok"].endswith("Z")


def test_three_failures_in_a_row_are_down_and_one_success_brings_it_back(probe, dependency):
    first = probe.check()["last_ok"]
    dependency.error = ProbeFailed("refused")
    assert [probe.check()["status"] for _ in range(4)] == ["warning", "warning", "down", "down"]
    assert probe.check()["last_ok"] == first
    dependency.error = None
    assert probe.check()["status"] == "ok"
    dependency.error = ProbeFailed("refused")
    assert probe.check()["status"] == "warning"


def test_what_was_known_stays_during_an_outage(probe, dependency):
    probe.check()
    dependency.error = ProbeFailed("refused")
    assert probe.check()["server_version"] == "26.1.5"


def test_our_errors_are_told_with_their_code(probe, dependency):
    dependency.error = Unavailable("It does not answer.")
    assert probe.check()["error"] == "unavailable: It does not answer."


def test_nothing_of_a_foreign_error_is_told_but_its_kind_in_the_log(probe, dependency, caplog):
    dependency.error = ConnectionError("could not connect to db.internal:5432 as admin with hunter2")
    assert probe.check()["error"] == FAILED
    assert "ConnectionError" in caplog.text
    assert "hunter2" not in caplog.text


def test_strikes_go_on_where_another_process_counted(probe, dependency):
    before = probe.check()
    dependency.error = ProbeFailed("refused")
    other = Probe("docker", dependency, deadline_s=5)
    other.resume(before, failures=2)
    shown = other.check()
    assert (shown["status"], shown["last_ok"]) == ("down", before["last_ok"])
    assert shown["server_version"] == "26.1.5"


def test_silence_is_a_failure_after_the_deadline_and_blocks_nobody():
    go = threading.Event()
    asked = []

    def hang():
        asked.append(1)
        assert go.wait(30)
        return {}

    probe = Probe("docker", hang, deadline_s=0.05)
    assert [probe.check()["error"] for _ in range(3)] == [SILENT] * 3
    assert len(asked) == 1, "a hanging dependency is not asked again while it hangs"
    go.set()
    eventually(lambda: probe.check()["status"] == "ok")
