"""`rexec serve`, idle, with Redis and PostgreSQL: memory of all its processes, and seconds until ready.

    .venv/bin/python bench/serve.py [ROUNDS]

Starts a Docker daemon, PostgreSQL and Redis of its own.
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.engine import Engine
from tests.support.server import RexecServer
from tests.support.services import Postgres, Redis

MOST_MB = 200.0
MOST_READY_S = 5.0
SETTLE_S = 15.0


def processes_below(pid: int) -> list[int]:
    """A process and everything it started, however deep."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in processes_below(int(child)))]


def pss_mb(pid: int) -> float:
    """A process's share of memory: its own pages, and its part of those it shares (proc(5), Pss)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def measure(folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until ready and megabytes when idle of one start."""
    server = RexecServer(folder, environment)
    began = time.monotonic()
    server.start()
    ready_s = time.monotonic() - began
    try:
        time.sleep(SETTLE_S)
        return ready_s, sum(pss_mb(pid) for pid in processes_below(server.pid))
    finally:
        server.stop()


def main() -> None:
    """Print a table of what was measured and what is wanted."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory(prefix="rexec-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        services = (Engine(folder / "engine"), Postgres(folder / "postgres"), Redis(folder / "redis"))
        engine, postgres, redis = services
        try:
            for service in services:
                service.start()
            postgres.execute("CREATE DATABASE rexec")
            environment = {
                **engine.environment(),
                "DATABASE_URL": postgres.url("rexec"),
                "REDIS_URL": redis.url(0),
                "JWT_SECRET": "0123456789abcdef" * 2,
            }
            runs = [measure(folder / f"serve-{number}", environment) for number in range(rounds)]
        finally:
            for service in reversed(services):
                service.stop()
    ready_s, memory_mb = (statistics.median(values) for values in zip(*runs, strict=True))
    print("| `rexec serve`, idle | median | at most |\n|---|---|---|")
    print(f"| all processes, PSS | {memory_mb:.0f} MB | {MOST_MB:.0f} MB |")
    print(f"| until ready | {ready_s:.1f} s | {MOST_READY_S:.0f} s |")


if __name__ == "__main__":
    main()
