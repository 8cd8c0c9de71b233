"""How the engine's log and the live stream are joined, and where a replay begins."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rexec.terminals.replay import before_live, clean_start, newest


def test_a_log_that_ended_before_the_stream_began_is_kept_whole():
    assert before_live(b"one\r\ntwo\r\n", b"three\r\n") == b"one\r\ntwo\r\n"


def test_nothing_live_leaves_the_log_whole():
    assert before_live(b"one\r\n", b"") == b"one\r\n"


def test_lines_in_both_are_taken_from_the_log():
    assert before_live(b"one\r\ntwo\r\nthree\r\n", b"two\r\nthree\r\n$ ") == b"one\r\n"


def test_a_stream_that_begins_inside_a_line_is_found_in_the_log():
    assert before_live(b"one\r\nprompt$ two\r\n", b"two\r\n") == b"one\r\nprompt$ "


def test_an_unfinished_line_is_not_looked_for():
    assert before_live(b"one\r\n$ $ \r\n", b"$ ") == b"one\r\n$ $ \r\n"


def test_a_log_ahead_of_the_stream_ends_where_the_stream_begins():
    lines = [b"line %d\r\n" % number for number in range(200)]
    log, live = b"".join(lines), b"".join(lines[100:150])
    assert before_live(log, live) + live + b"".join(lines[150:]) == log


def test_a_flood_of_equal_lines_is_joined_quickly():
    started = time.monotonic()
    joined = before_live(b"y\r\n" * 300_000, b"y\r\n" * 250_000)
    assert joined == b"y\r\n" * 50_000
    before_live(b"y\r\nx" * 250_000, b"y\r\nz" * 250_000)
    assert time.monotonic() - started < 1


@given(st.lists(st.sampled_from([b"a\r\n", b"b\r\n", b"\r\n", b"$ "]), max_size=30), st.data())
def test_log_and_stream_together_never_lose_a_byte(pieces, data):
    printed = b"".join(pieces)
    attached = data.draw(st.integers(0, len(printed)))
    # The log holds whole lines only.
    log = printed[: printed.rfind(b"\n") + 1]
    live = printed[attached:]
    joined = before_live(log, live) + live
    # Equal lines may hide where the stream began, so that the join may be shorter; it never ends otherwise.
    assert printed.endswith(live)
    assert joined.endswith(live)
    assert log.startswith(before_live(log, live))


def test_a_short_stream_is_not_cut():
    assert newest(b"abc", 10) == b"abc"


def test_a_long_stream_begins_with_a_whole_line():
    stream = b"first line\nsecond\nthird\nfourth line\n"
    assert newest(stream, 28) == b"second\nthird\nfourth line\n"


def test_without_a_line_end_it_begins_with_a_whole_character():
    text = "ä" * 100
    cut = newest(text.encode(), 51)
    assert cut.decode() == "ä" * 25


@pytest.mark.parametrize(
    ("data", "start"),
    [(b"", 0), (b"abc", 0), (b"a\nbcdef", 2), (b"\x80\x80a", 2), (b"\xa4" * 9, 4), (b"abcdefg\n", 0)],
)
def test_a_clean_start_is_near_the_beginning(data, start):
    assert clean_start(data) == start
