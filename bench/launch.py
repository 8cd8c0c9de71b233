"""From the form's POST until the container runs, against `docker run -d` with the same limits and volume.

    python bench/launch.py [ROUNDS]

Starts a daemon of its own, then `rexec serve` on SQLite with jobs in the web process, and on PostgreSQL
behind PgBouncer with Redis and RQ. In each round one container is launched by the page and one by the command
line, in turns, on the same network; both are removed again. Asking whether it runs is part of our time, as it
is for a person.
"""

from __future__ import annotations

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rexec.docker_host.spec import OPEN_FILES, SYSCTLS
from tests.support.engine import SHELL_IMAGE, Engine
from tests.support.http_user import HttpUser
from tests.support.server import RexecServer
from tests.support.services import PgBouncer, Postgres, Redis
from tests.support.stacks import PostgresStack, SqliteStack, Stack
from tests.support.waiting import eventually

LOOP = (Path(__file__).resolve().parents[1] / "rexec" / "containers" / "shell_loop.sh").read_text()
MOST_RATIO = {"sqlite-inprocess": 1.05, "postgres-redis-rq": 1.15}
MOST_OWN_MS = 40.0
ASK_FIRST_S = 0.2
"""No daemon starts a container sooner, and asking takes time from it on the same two cores."""
ASK_EVERY_S = 0.01
WARM_UP = 2
SETTLE_S = 0.3
"""The daemon takes a network and a shim apart after it has answered; whoever comes next would wait for it."""


def run_docker(environment: dict[str, str], *arguments: str) -> str:
    """Run the Docker command line and return what it printed."""
    done = subprocess.run(["docker", *arguments], env=environment, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def by_command_line(environment: dict[str, str], network: str) -> float:
    """Seconds of one `docker run -d` with the limits that a container of the free plan gets."""
    name = f"bench-{secrets.token_hex(4)}"
    limits = (
        *("--memory=512m", "--memory-swap=512m", "--cpus=0.5", "--pids-limit=256", "--init", "-t", "-i"),
        *(f"--sysctl={name}={value}" for name, value in SYSCTLS.items()),
        *("--user=0:0", "--workdir=/root"),
        *(
            f"--ulimit=nofile={OPEN_FILES}:{OPEN_FILES}",
            "--ulimit=core=0:0",
            "--restart=unless-stopped",
            "--cap-drop=ALL",
        ),
        *(
            "--cap-add=CHOWN",
            "--cap-add=DAC_OVERRIDE",
            "--cap-add=FOWNER",
            "--cap-add=SETUID",
            "--cap-add=SETGID",
        ),
        *("--cap-add=KILL", "--cap-add=NET_BIND_SERVICE", "--cap-add=SYS_CHROOT", "--cap-add=AUDIT_WRITE"),
        *("--security-opt=no-new-privileges:true", "--log-driver=local", "--log-opt=max-size=512k"),
        *("--log-opt=max-file=2", "--env=TERM=xterm-256color", "--env=HOME=/root", "--label=bench=1"),
    )
    began = time.perf_counter()
    run_docker(
        environment,
        *("run", "-d", "--name", name, "--hostname", name, "--network", network, "--entrypoint", ""),
        *("--mount", f"type=volume,source={name},target=/root", *limits, SHELL_IMAGE, "/bin/sh", "-c", LOOP),
    )
    took = time.perf_counter() - began
    run_docker(environment, "rm", "-f", name)
    run_docker(environment, "volume", "rm", name)
    time.sleep(SETTLE_S)
    return took


def by_page(user: HttpUser, token: str) -> tuple[float, str]:
    """Seconds from the POST until the status page says that it runs, and the container's id."""
    began = time.perf_counter()
    answer = user.session.post(
        user.url + "/containers",
        data={"name": "lab", "image": "shell", "csrf_token": token},
        headers={"Referer": user.url + "/containers/new"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 303, answer.text
    public_id = answer.headers["Location"].rpartition("/")[2]
    time.sleep(ASK_FIRST_S)
    while 'data-status="running"' not in user.get(f"/containers/{public_id}/status").text:
        time.sleep(ASK_EVERY_S)
    return time.perf_counter() - began, public_id


def measure(stack: Stack, engine: Engine, folder: Path, rounds: int) -> dict[str, float]:
    """Medians of one stack, in milliseconds."""
    server = RexecServer(folder / f"server-{stack.name}", stack.server_environment(stack.new_database()))
    server.start()
    environment = {**os.environ, **engine.environment(), "DOCKER_CONFIG": str(folder / "cli")}
    user = HttpUser(server.url).sign_up()
    try:
        eventually(server.healthy, 30)
        token = user.csrf_token("/containers/new")
        pages, commands, own = [], [], []
        network = ""
        for number in range(rounds + WARM_UP):
            if number % 2 and network:
                commands.append(by_command_line(environment, network))
            took, public_id = by_page(user, token)
            pages.append(took)
            own.append(took - daemon_time(user, public_id))
            network = run_docker(
                environment, "inspect", "-f", "{{.HostConfig.NetworkMode}}", f"rexec-{public_id}"
            )
            user.act(public_id, "delete")
            user.wait_for(public_id, None)
            time.sleep(SETTLE_S)
            if number % 2 == 0:
                commands.append(by_command_line(environment, network))
    finally:
        user.close()
        server.stop()
    page, command = statistics.median(pages[WARM_UP:]), statistics.median(commands[WARM_UP:])
    return {
        "page": 1000 * page,
        "command": 1000 * command,
        "own": 1000 * statistics.median(own[WARM_UP:]),
        "ratio": page / command,
    }


def daemon_time(user: HttpUser, public_id: str) -> float:
    """Seconds that the daemon took for create and start, as the container's page says."""
    words = user.get(f"/containers/{public_id}").text
    found = words.partition("running in ")[2].partition("<")[0].replace(",", " ").replace(":", " ").split()
    return float(found[found.index("create") + 1]) + float(found[found.index("start") + 1])


def main() -> None:
    """Measure both stacks and print a table; exit with 1 where a limit is broken."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    broken = False
    with tempfile.TemporaryDirectory(prefix="rexec-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        engine = Engine(folder / "engine")
        postgres = Postgres(folder / "postgres")
        redis = Redis(folder / "redis")
        running = [engine, postgres, redis]
        try:
            for part in running:
                part.start()
            pgbouncer = PgBouncer(folder / "pgbouncer", postgres.port)
            pgbouncer.start()
            running.append(pgbouncer)
            stacks = SqliteStack(engine, folder / "sqlite"), PostgresStack(engine, postgres, pgbouncer, redis)
            print(f"medians of {rounds}: {'page ms':>20} {'docker run ms':>14} {'ratio':>6} {'own ms':>7}")
            for stack in stacks:
                found = measure(stack, engine, folder, rounds)
                times = f"{found['page']:10.0f} {found['command']:14.0f}"
                print(f"{stack.name:24} {times} {found['ratio']:6.2f} {found['own']:7.1f}", flush=True)
                broken |= found["ratio"] > MOST_RATIO[stack.name] or found["own"] > MOST_OWN_MS
        finally:
            for part in reversed(running):
                part.stop()
    sys.exit(int(broken))


if __name__ == "__main__":
    main()
