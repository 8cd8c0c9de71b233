"""The rules of `tests/unit/jobs/test_leases.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_leases import *  # noqa: F403 - the same tests, another database
