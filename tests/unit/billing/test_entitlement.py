"""What subscriptions entitle to, by their status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from rexec.billing.entitlement import GRACE, Entitlement, entitlement, is_live

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NOTHING = Entitlement()


@dataclass
class Held:
    status: str
    plan: str | None = "pro"
    overdue_since: datetime | None = None


def of(*held, now=NOW):
    return entitlement(held, now)


@pytest.mark.parametrize("status", ["active", "trialing"])
def test_what_is_paid_for_or_tried_out_entitles(app, status):
    assert of(Held(status)) == Entitlement("pro")


@pytest.mark.parametrize(
    "status", ["unpaid", "paused", "incomplete", "canceled", "incomplete_expired", "new"]
)
def test_nothing_else_does(app, status):
    assert of(Held(status)) == NOTHING


def test_what_is_overdue_entitles_for_seven_days(app):
    since = NOW - timedelta(days=2)
    assert of(Held("past_due", overdue_since=since)) == Entitlement("pro", since + GRACE)
    assert of(Held("past_due", overdue_since=since), now=since + GRACE) == NOTHING
    assert timedelta(days=7) == GRACE


def test_the_largest_of_several_counts(app):
    assert of(Held("active", "pro"), Held("active", "team")) == Entitlement("team")
    assert of(Held("active", "team"), Held("canceled", "pro")) == Entitlement("team")


def test_an_overdue_larger_one_counts_until_its_time_is_over_then_the_smaller(app):
    since = NOW - timedelta(days=1)
    held = Held("active", "pro"), Held("past_due", "team", since)
    assert of(*held) == Entitlement("team", since + GRACE)
    assert of(*held, now=since + GRACE) == Entitlement("pro")


def test_of_two_alike_the_one_that_is_not_overdue_counts(app):
    since = NOW - timedelta(days=1)
    assert of(Held("past_due", "pro", since), Held("active", "pro")) == Entitlement("pro")


@pytest.mark.parametrize("plan", [None, "platinum"])
def test_a_plan_that_is_not_in_the_file_entitles_to_nothing(app, plan):
    assert of(Held("active", plan)) == NOTHING


def test_what_may_come_back_is_to_be_looked_after():
    assert [is_live(status) for status in ("active", "past_due", "unpaid", "paused")] == [True] * 4
    assert [is_live(status) for status in ("canceled", "incomplete_expired", "incomplete")] == [False] * 3
