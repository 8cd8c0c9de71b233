"""The same migrations build SQLite and PostgreSQL, agree with the models, and can be taken back."""

import itertools
import os
import subprocess
import sys

import flask_migrate
import pytest
from sqlalchemy import inspect

from rexec import create_app
from rexec.config import Settings
from rexec.extensions import db

numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_app(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    if request.param == "postgresql":
        name = f"empty_{next(numbers)}"
        request.getfixturevalue("postgres").execute(f"CREATE DATABASE {name}")
        url = request.getfixturevalue("pgbouncer").url(name)
    settings = Settings.from_env({"DATABASE_URL": url, "JWT_SECRET": "m" * 32}, instance_dir=tmp_path)
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables():
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_an_empty_database_goes_to_head_and_back(empty_database_app):
    flask_migrate.upgrade()
    assert tables() == set(db.metadata.tables)
    flask_migrate.downgrade(revision="base")
    assert tables() == set()


def test_models_and_migrations_agree(empty_database_app):
    flask_migrate.upgrade()
    # Ends with an error that lists what a new migration would have to do.
    flask_migrate.check()


def test_two_instances_that_start_at_once_both_end_at_head(empty_database_app, tmp_path):
    script = (
        "import os, pathlib; from rexec import create_app; from rexec.config import Settings;"
        "from rexec.supervisor import migrate;"
        "app = create_app(Settings.from_env(os.environ, instance_dir=pathlib.Path(os.environ['FOLDER'])));"
        "app.app_context().push(); migrate(within_s=5)"
    )
    url = empty_database_app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", "")
    environ = {**os.environ, "DATABASE_URL": url, "JWT_SECRET": "m" * 32, "FOLDER": str(tmp_path)}
    starting = [subprocess.Popen([sys.executable, "-c", script], env=environ) for _ in range(3)]
    assert [process.wait(timeout=30) for process in starting] == [0, 0, 0]
    assert tables() == set(db.metadata.tables)


def test_a_database_at_head_is_left_alone(empty_database_app):
    flask_migrate.upgrade()
    flask_migrate.upgrade()
    assert tables() == set(db.metadata.tables)
