"""`/health` at 200 requests a second on one core against `/health/live` in the same run, good days and bad.

    .venv/bin/python bench/health.py [--seconds 20] [--case WORDS]

The server is kept on one core, the client on another. Both pages take turns of a tenth of a second; a
request's time counts from when it was due, so that one slow answer is not hidden by those that wait behind
it. Starts a Docker daemon, PostgreSQL and Redis of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rexec.web.server import THREADS
from tests.support.engine import Engine
from tests.support.proxy import TcpProxy
from tests.support.server import RexecServer
from tests.support.services import Postgres, Redis
from tests.support.waiting import eventually

RATE = 200
TURN_S = 0.1
MOST_RATIO = 1.3
MOST_MS = 5.0
SETTLE_S = 45.0
SLOW_CLIENTS = 4 * THREADS


@dataclass
class Stand:
    """Everything that `/health` is about, each part behind a way that can be shut."""

    server: RexecServer
    docker: TcpProxy
    database: TcpProxy
    redis: TcpProxy


class Asker:
    """One kept connection that asks at its times and reads whole answers."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, path: str) -> None:
        """Send a request and read its answer to the end."""
        self._sock.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._receive()

    def _receive(self) -> bytes:
        data = self._sock.recv(65536)
        assert data, "the server closed the connection"
        return data

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


def turn(asker: Asker, path: str) -> list[float]:
    """Milliseconds of each request of one turn, from when it was due."""
    began, took = time.perf_counter(), []
    for number in range(int(RATE * TURN_S)):
        due = began + number / RATE
        while (left := due - time.perf_counter()) > 0:
            time.sleep(left if left > 0.001 else 0)
        asker.ask(path)
        took.append(1000 * (time.perf_counter() - due))
    return took


def measure(port: int, seconds: float) -> dict[str, list[float]]:
    """Milliseconds by page."""
    asker = Asker(port)
    took: dict[str, list[float]] = {"/health": [], "/health/live": []}
    try:
        for path in took:
            turn(asker, path)
        for _ in range(int(seconds / (2 * TURN_S))):
            for path in took:
                took[path] += turn(asker, path)
    finally:
        asker.close()
    return took


def p99(times: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(times, n=100)[-1]


def below(pid: int) -> list[int]:
    """The processes that a process started, however deep."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(deeper for child in children for deeper in below(int(child)))]


def keep_apart(server: RexecServer) -> None:
    """The server with all its threads on the first core, this client on the last."""
    cores = sorted(os.sched_getaffinity(0))
    for pid in below(server.pid):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {cores[0]})
    os.sched_setaffinity(0, {cores[-1]})


@contextmanager
def nothing(_stand: Stand) -> Iterator[None]:
    """A good day."""
    yield


@contextmanager
def slow_clients(stand: Stand) -> Iterator[None]:
    """More clients than threads that send a body and never end it, and as many that never read."""
    socks = []
    for number in range(SLOW_CLIENTS):
        sock = socket.create_connection(("127.0.0.1", stand.server.port))
        socks.append(sock)
        if number % 2:
            sock.sendall(b"POST /login HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000\r\n\r\nemail=")
        else:
            sock.sendall(b"GET /static/css/components.css HTTP/1.1\r\nHost: bench\r\n\r\n" * 20)
    try:
        yield
    finally:
        for sock in socks:
            sock.close()


def shut(name: str, part: str) -> Callable[[Stand], contextlib.AbstractContextManager[None]]:
    """A way that swallows everything, until `/health` has noticed and while it is measured."""

    @contextmanager
    def case(stand: Stand) -> Iterator[None]:
        way: TcpProxy = getattr(stand, part)
        way.blackhole()
        try:
            eventually(lambda: stand.server.health()[1]["checks"][name]["status"] == "down", 90.0)
            yield
        finally:
            way.forward()
            way.cut()
            eventually(stand.server.healthy, 90.0)

    return case


CASES: dict[str, Callable[[Stand], contextlib.AbstractContextManager[None]]] = {
    "everything works": nothing,
    "the daemon blackholed": shut("docker", "docker"),
    "the database blackholed": shut("database", "database"),
    "Redis blackholed": shut("redis", "redis"),
    f"{SLOW_CLIENTS} slow clients": slow_clients,
}


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """A whole service on services of its own."""
    with contextlib.ExitStack() as stack:
        engine = Engine(folder / "engine")
        stack.callback(engine.end)
        engine.start()
        postgres, redis = Postgres(folder / "postgres"), Redis(folder / "redis")
        for program in (postgres, redis):
            stack.callback(program.stop)
            program.start()
        postgres.execute("CREATE DATABASE rexec")
        ways = [stack.enter_context(TcpProxy(port)) for port in (engine.port, postgres.port, redis.port)]
        docker, database, cache = ways
        environment = {
            **engine.environment(),
            "DOCKER_HOST": f"tcp://127.0.0.1:{docker.port}",
            "DATABASE_URL": postgres.url("rexec").replace(f":{postgres.port}/", f":{database.port}/"),
            "REDIS_URL": redis.url(0).replace(f":{redis.port}/", f":{cache.port}/"),
            "JWT_SECRET": "0123456789abcdef" * 2,
        }
        server = RexecServer(folder / "server", environment)
        stack.callback(server.stop)
        server.start()
        eventually(server.healthy, SETTLE_S)
        keep_apart(server)
        yield Stand(server, docker, database, cache)


def main() -> None:
    """Print a table; exit with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each case, both pages together")
    parser.add_argument("--case", default="", help="only cases whose name has these words")
    wanted = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory(prefix="rexec-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with stand(folder) as whole:
            print("| p99 of 200 requests a second | `/health` ms | `/health/live` ms | ratio | medians ms |")
            print("|---|---|---|---|---|", flush=True)
            for words, case in CASES.items():
                if wanted.case not in words:
                    continue
                with case(whole):
                    took = measure(whole.server.port, wanted.seconds)
                health, live = (p99(times) for times in took.values())
                medians = " / ".join(f"{statistics.median(times):.2f}" for times in took.values())
                good &= health / live <= MOST_RATIO and health <= MOST_MS
                print(
                    f"| {words} | {health:.2f} | {live:.2f} | {health / live:.2f} | {medians} |", flush=True
                )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
