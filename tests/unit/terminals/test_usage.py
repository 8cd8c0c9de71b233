"""What a container takes up is told to whoever asks, and asked of the daemon seldom."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from rexec.docker_host import ContainerUsage
from rexec.docker_host.errors import DockerUnreachable
from rexec.terminals import usage

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def reading(seconds, cpu_s, memory=5_000_000, pids=3):
    return ContainerUsage(NOON + timedelta(seconds=seconds), round(cpu_s * 1e9), memory, pids)


def asked(viewer, times=1):
    viewer.control(type="usage")
    viewer.until(lambda: viewer.state_names().count("usage") == times)
    return {key: viewer.last("usage")[key] for key in ("memory", "cpus", "pids")}


@pytest.fixture
def always_fresh(monkeypatch):
    """Each question takes a reading of its own."""
    monkeypatch.setattr(usage, "FRESH_S", 0.0)


def test_processors_are_known_from_the_second_reading_on(container, browser, always_fresh):
    container.usages = [reading(0, 1.0), reading(4, 2.0, memory=6_000_000, pids=4)]
    viewer = browser()
    assert asked(viewer) == {"memory": 5_000_000, "cpus": None, "pids": 3}
    assert asked(viewer, 2) == {"memory": 6_000_000, "cpus": 0.25, "pids": 4}


def test_a_container_started_in_between_is_measured_anew(container, browser, always_fresh):
    container.usages = [reading(0, 9.0), reading(4, 0.1)]
    viewer = browser()
    asked(viewer)
    assert asked(viewer, 2)["cpus"] is None


def test_many_who_ask_at_once_are_told_of_one_reading(container, browser):
    container.usages = [reading(0, 1.0)]
    viewers = [browser() for _ in range(3)]
    assert len({tuple(asked(viewer).items()) for viewer in viewers}) == 1
    assert container.usages_asked == 1


def test_a_daemon_that_fails_is_asked_again_with_the_next_question(container, browser):
    container.usages = [DockerUnreachable(), None, reading(0, 1.0)]
    viewer = browser()
    viewer.control(type="usage")
    while container.usages:
        viewer.control(type="usage")
        viewer.read()
    viewer.until(lambda: viewer.has("usage"))


def test_readings_that_take_long_leave_threads_for_terminals(container, browser, monkeypatch):
    monkeypatch.setattr(usage, "_slots", threading.BoundedSemaphore(1))
    usage._slots.acquire()
    container.usages = [reading(0, 1.0)]
    viewer = browser()
    viewer.control(type="usage")
    viewer.control(type="ping", t=1)
    viewer.until(lambda: viewer.has("pong"))
    assert container.usages_asked == 0
    usage._slots.release()
    asked(viewer)
