"""The rules of `tests/unit/jobs/test_sweep.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_sweep import *  # noqa: F403 - the same tests, another database
