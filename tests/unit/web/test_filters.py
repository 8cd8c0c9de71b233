"""Sizes, times and durations read as the pages name them."""

from datetime import UTC, datetime, timedelta

import pytest

from rexec.extensions import utcnow
from rexec.web import filters


@pytest.mark.parametrize(
    ("count", "text"), [(64, "64 MB"), (512, "512 MB"), (1024, "1 GB"), (1536, "1.5 GB"), (None, "–")]
)
def test_megabytes_are_named_as_the_plans_name_them(count, text):
    assert filters.megabytes(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 KB"),
        (4096, "4 KB"),
        (5_452_595, "5.2 MB"),
        (149_946_368, "143 MB"),
        (2**31, "2 GB"),
        (None, "–"),
    ],
)
def test_bytes_are_shown_in_the_unit_a_person_expects(count, text):
    assert filters.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.412, "0.41 s"),
        (9.5, "9.50 s"),
        (42, "42 s"),
        (60, "1 min"),
        (3_599, "59 min"),
        (7_200, "2 h"),
        (90_000, "1 d"),
    ],
)
def test_a_span_is_one_number_with_one_unit(seconds, text):
    assert filters.duration(seconds) == text


def test_a_moment_is_told_relative_to_now():
    assert filters.ago(utcnow()) == "just now"
    assert filters.ago(utcnow() - timedelta(minutes=4, seconds=5)) == "4 min ago"
    assert filters.ago(None) == "never"


def test_a_moment_keeps_its_absolute_form_for_title_and_attribute():
    moment = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert filters.datetime_iso(moment) == "2026-03-01T12:30:05Z"
    assert filters.datetime_full(moment) == "2026-03-01 12:30:05 UTC"
