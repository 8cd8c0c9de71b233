"""A reading of what a container takes up, from the daemon's answer."""

from __future__ import annotations

import pytest

from rexec.docker_host.usage import read_usage


def answer(**memory):
    return {
        "read": "2026-01-31T12:00:00.123456789Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 16_130_936}},
        "memory_stats": {"usage": 9_000_000, **memory},
        "pids_stats": {"current": 2},
    }


@pytest.mark.parametrize(
    ("kept", "memory"),
    [
        ({"total_inactive_file": 2_000_000, "inactive_file": 1}, 7_000_000),
        ({"inactive_file": 3_000_000}, 6_000_000),
        ({"inactive_file": 10_000_000}, 0),
        ({}, 9_000_000),
    ],
)
def test_memory_is_what_cannot_be_given_back_at_once(kept, memory):
    found = read_usage(answer(stats=kept))
    assert (found.memory_bytes, found.cpu_ns, found.pids) == (memory, 16_130_936, 2)
    assert found.read_at.isoformat() == "2026-01-31T12:00:00.123456+00:00"


def test_a_container_that_does_not_run_has_no_reading():
    stopped = {"read": "0001-01-01T00:00:00Z", "cpu_stats": {"cpu_usage": {"total_usage": 0}}}
    assert read_usage({**stopped, "memory_stats": {}, "pids_stats": {}}) is None
