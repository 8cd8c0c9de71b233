"""The rules of `tests/unit/jobs/test_context.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_context import *  # noqa: F403 - the same tests, another database
