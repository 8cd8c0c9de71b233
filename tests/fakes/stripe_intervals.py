"""Billing periods; https://docs.stripe.com/billing/subscriptions/billing-cycle."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def after(anchor: int, recurring: dict, times: int = 1) -> int:
    """The moment so many intervals after an anchor; a month without that day ends the period on its last.

    Args:
        anchor: Seconds since the epoch.
        recurring: A price's `recurring`, with `interval` and `interval_count`.
        times: How many intervals.
    """
    count = recurring["interval_count"] * times
    start = datetime.fromtimestamp(anchor, UTC)
    if recurring["interval"] in DAYS:
        return int((start + timedelta(days=DAYS[recurring["interval"]] * count)).timestamp())
    year, month = divmod(start.year * 12 + start.month - 1 + MONTHS[recurring["interval"]] * count, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_end(anchor: int, recurring: dict, start: int) -> int:
    """The end of the period that starts here, in the cycle of an anchor."""
    if anchor > start:
        return anchor
    times = 1
    while after(anchor, recurring, times) <= start:
        times += 1
    return after(anchor, recurring, times)
