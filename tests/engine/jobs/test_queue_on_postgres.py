"""The rules of `tests/unit/jobs/test_queue.py`, on PostgreSQL through PgBouncer."""

from tests.unit.jobs.test_queue import *  # noqa: F403 - the same tests, another database
