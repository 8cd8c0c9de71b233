"""The containers page of somebody with 200 containers, against a page of the same frame with one query.

    python bench/pages.py [ROUNDS]

On SQLite and on PostgreSQL behind PgBouncer, without and with 10,000 containers of others in the table. Pages
are rendered in this process, in turns, so that both have the same luck.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flask import Flask, render_template_string
from flask.testing import FlaskClient

from rexec import create_app
from rexec.accounts.models import User
from rexec.containers.models import Container
from rexec.extensions import db
from rexec.web.access import login_required
from tests.support.factories import make_user
from tests.support.page_user import PageUser
from tests.support.services import PgBouncer, Postgres
from tests.support.settings import make_settings
from tests.support.stacks import migrate

MOST_RATIO = 3.0
MINE, OTHERS, OTHER_PEOPLE = 200, 10_000, 100
FRAME = (
    '{% extends "base.html" %}{% block title %}Frame{% endblock %}{% block content %}Nothing.{% endblock %}'
)


def add_frame(app: Flask) -> None:
    """A page that is nothing but the frame; who is logged in is its one query."""

    @app.get("/frame")
    @login_required
    def frame() -> str:
        return render_template_string(FRAME, host=None)


def add_containers(owner_id: int, count: int, *, moving: bool) -> None:
    """Containers that exist in the database only; of one's own, every tenth moves."""
    db.session.execute(
        db.insert(Container),
        [
            {
                "public_id": f"{owner_id}x{number}",
                "owner_id": owner_id,
                "name": f"lab-{number}",
                "image": "ubuntu",
                "image_reference": "ubuntu:24.04",
                "shell": "/bin/bash",
                "status": "starting" if moving and number % 10 == 0 else "running",
                "memory_mb": 512,
                "cpu_millis": 500,
                "pids": 256,
            }
            for number in range(count)
        ],
    )
    db.session.commit()


def p95_ms(times: list[float]) -> float:
    """The 95th percentile, in milliseconds."""
    return 1000 * statistics.quantiles(times, n=20)[-1]


def in_turns(client: FlaskClient, rounds: int, *paths: str) -> list[list[float]]:
    """Seconds of each request, path by path."""
    times: list[list[float]] = [[] for _ in paths]
    for number in range(rounds + 5):
        for path, taken in zip(paths, times, strict=True):
            began = time.perf_counter()
            answer = client.get(path)
            took = time.perf_counter() - began
            assert answer.status_code == 200, (path, answer.status_code)
            if number >= 5:
                taken.append(took)
    return times


def measure(database_url: str, name: str, rounds: int) -> bool:
    """Print the lines of one database; False where a limit is broken."""
    migrate(database_url)
    app = create_app(make_settings(database_url=database_url))
    add_frame(app)
    with app.app_context():
        user = PageUser(app)
        user.sign_up()
        mine = db.session.scalars(db.select(User.id).where(User.email == user.email)).one()
        add_containers(mine, MINE, moving=True)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("alone", lambda: None),
            ("with 10,000 of others", add_others),
        ]
        good = True
        for words, prepare in steps:
            prepare()
            frame, page, fragment = in_turns(
                user.client, rounds, "/frame", "/containers", "/containers?fragment=list"
            )
            ratio = p95_ms(page) / p95_ms(frame)
            good &= ratio <= MOST_RATIO
            times = f"{p95_ms(frame):8.1f} {p95_ms(page):8.1f} {p95_ms(fragment):8.1f}"
            print(f"{name:12} {words:24} {times} {ratio:6.2f}", flush=True)
        db.session.remove()
        db.engine.dispose()
    return good


def add_others() -> None:
    """Ten thousand containers of a hundred other people."""
    for _ in range(OTHER_PEOPLE):
        add_containers(make_user().id, OTHERS // OTHER_PEOPLE, moving=False)


def main() -> None:
    """Measure both databases; exit with 1 where a limit is broken."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix="rexec-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        postgres = Postgres(folder / "postgres")
        postgres.start()
        pgbouncer = PgBouncer(folder / "pgbouncer", postgres.port)
        try:
            pgbouncer.start()
            print(f"p95 in ms of {rounds}{'':24} frame     page fragment  ratio")
            postgres_url = pgbouncer.url("postgres").replace("postgres://", "postgresql+psycopg://", 1)
            good = measure(f"sqlite:///{folder}/bench.sqlite3", "SQLite", rounds)
            good &= measure(postgres_url, "PostgreSQL", rounds)
        finally:
            pgbouncer.stop()
            postgres.stop()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
