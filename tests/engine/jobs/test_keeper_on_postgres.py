"""The rules of `tests/unit/jobs/test_keeper.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_keeper import *  # noqa: F403 - the same tests, another database
