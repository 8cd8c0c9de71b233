"""`rexec` with short intervals, for tests that wait for several of them in a row; all else is the same.

Started as the command is: `python -m tests.support.hurried serve`. Deadlines of answers stay long enough for
a machine that is busy. That the real intervals add up to what is promised, other tests prove.
"""

from __future__ import annotations

import importlib
import socket

from rexec import cli
from rexec.jobs import schedule

BEAT_S = 2.0
KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)

SHORTER: dict[str, dict[str, object]] = {
    "rexec.docker_host.endpoint": {"KEEPALIVE_OPTIONS": KEEPALIVE, "UNACKNOWLEDGED_S": 4},
    "rexec.health.report": {"DOCKER_DEADLINE_S": 2.0, "CERTIFICATES_EVERY_S": 3.0},
    "rexec.health.verdict": {"FRESH_S": 9.0, "GONE_S": 14.0, "STARTING_S": 10.0},
    "rexec.health.monitor": {"LOOK_EVERY_S": 0.5, "REDIS_EVERY_S": 3.0},
    "rexec.health.rounds": {"EVERY_S": 1.0},
    "rexec.jobs.liveness": {"BEAT_S": BEAT_S, "BEAT_LASTS_S": 9.0},
    "rexec.jobs.in_process": {"BEAT_S": BEAT_S},
    "rexec.jobs.rq_worker": {"BEAT_S": BEAT_S, "LONGEST_PAUSE_S": 1.0},
    "rexec.jobs.rows": {"LEASE_S": 5.0},
    "rexec.jobs.keeper": {"RENEW_S": 1.0, "TICK_S": 0.5},
    "rexec.jobs.sweep": {"UNWOKEN_S": 2.0},
    "rexec.jobs.registry": {"RETRY_BACKOFF_S": (0.5, 1.0, 2.0, 4.0), "OUTAGE_RETRY_S": 1.0},
    "rexec.containers.reconcile": {"RECONNECT_S": (0.5, 1.0)},
    "rexec.terminals.hub": {
        "KEEP_TAB_S": 5.0,
        "BEAT_EVERY_S": 2.0,
        "UPKEEP_EVERY_S": 4.0,
        "TICK_S": 1.0,
        "REAP_AFTER_S": (2.0, 10.0),
    },
    "rexec.terminals.upkeep": {"LEASE_S": 8.0},
    "rexec.terminals.viewer": {"PING_EVERY_S": 3.0},
}
"""By module. A name that another module imports is listed there as well."""

PERIODIC = {"health.report": 2.0, "jobs.sweep": 1.0}
"""Seconds between two runs, by the name of the work."""


def hurry() -> None:
    """Shorten the intervals of this process and of what it forks.

    Raises:
        AttributeError: A module has no such constant any more.
    """
    for module_name, values in SHORTER.items():
        module = importlib.import_module(module_name)
        for name, value in values.items():
            getattr(module, name)
            setattr(module, name, value)
    for name, every_s in PERIODIC.items():
        schedule._entries[name].every_s = every_s


if __name__ == "__main__":
    hurry()
    cli.main()
