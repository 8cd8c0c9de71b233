"""The rules of `tests/unit/jobs/test_outcomes.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_outcomes import *  # noqa: F403 - the same tests, another database
