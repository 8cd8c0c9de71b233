"""Work is added once where one that waits will do."""

from __future__ import annotations

import pytest

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation


@pytest.fixture(autouse=True)
def _kind(handle):
    for kind in ("thing.look", "thing.touch"):
        handle(lambda _context: None, kind)


def subjects(added):
    return [operation.subject for operation in added]


def test_what_waits_already_is_not_added_again(app):
    assert subjects(jobs.add_once("thing.look", "thing:1")) == ["thing:1"]
    assert subjects(jobs.add_once("thing.look", "thing:1", "thing:2")) == ["thing:2"]
    assert jobs.add_once("thing.look") == []


def test_another_kind_or_one_that_was_begun_does_not_count(app):
    jobs.add("thing.touch", "thing:1")
    [operation] = jobs.add_once("thing.look", "thing:1")
    operation.started_at = utcnow()
    db.session.flush()
    assert subjects(jobs.add_once("thing.look", "thing:1")) == ["thing:1"]
    assert db.session.query(Operation).count() == 3
