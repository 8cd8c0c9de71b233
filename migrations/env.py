"""Runs migrations on the database of the current app, one process at a time."""

from alembic import context
from flask import current_app

db = current_app.extensions["sqlalchemy"]
options = current_app.extensions["migrate"].configure_args

LOCK = 7_269_886_563
"""A number of ours for PostgreSQL's advisory locks."""


def run() -> None:
    """Upgrade or downgrade in one transaction, so that a migration that fails leaves nothing half done."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=db.metadata, transactional_ddl=True, **options
        )
        if connection.dialect.name == "sqlite":
            _run_on_sqlite(connection)
            return
        # A large table takes what it takes, and so does waiting for another process that migrates.
        connection.connection.driver_connection.deadline_s = None
        with context.begin_transaction():
            # Held by the transaction, not by the session: PgBouncer hands sessions around.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            context.run_migrations()


def _run_on_sqlite(connection) -> None:
    # A table that is rebuilt is dropped first, and with foreign keys on that would delete what points at it.
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("BEGIN IMMEDIATE")
    context.run_migrations()
    connection.commit()
    driver.execute("PRAGMA foreign_keys=ON")


run()
