"""The ring keeps the newest bytes, at the positions they had in the stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rexec.terminals.ring import CAPACITY, Ring


def content(ring):
    return ring.read(ring.start, len(ring))


def test_an_empty_ring_takes_no_memory():
    assert Ring()._buffer == b""


def test_what_was_added_can_be_read_back():
    ring = Ring(16)
    ring.append(b"hello")
    assert (ring.start, ring.end, content(ring)) == (0, 5, b"hello")


def test_the_oldest_bytes_go_first():
    ring = Ring(8)
    ring.append(b"abcdef")
    ring.append(b"ghij")
    assert (ring.start, ring.end, content(ring)) == (2, 10, b"cdefghij")


def test_more_than_the_capacity_at_once_leaves_its_end():
    ring = Ring(8)
    ring.append(b"ab")
    ring.append(b"0123456789")
    assert (ring.start, ring.end, content(ring)) == (4, 12, b"23456789")


def test_a_position_that_is_gone_gives_nothing():
    ring = Ring(4)
    ring.append(b"abcdefgh")
    assert ring.read(1, 10) == b""
    assert ring.read(ring.end, 10) == b""


def test_it_grows_to_its_capacity_and_no_further():
    ring = Ring()
    ring.append(b"x" * (2 * CAPACITY))
    ring.append(b"y")
    assert len(ring._buffer) == CAPACITY
    assert len(ring) == CAPACITY


def test_memory_is_given_back_and_positions_stay():
    ring = Ring(1024 * 1024)
    ring.append(bytes(range(256)) * 4096)
    end, tail = ring.end, ring.read(ring.end - 1000, 1000)
    ring.keep_newest(1000)
    assert (ring.end, len(ring), content(ring)) == (end, 1000, tail)
    assert len(ring._buffer) <= 4096


@given(
    st.integers(min_value=1, max_value=64),
    st.lists(st.one_of(st.binary(max_size=100), st.integers(min_value=0, max_value=80))),
)
def test_it_is_the_end_of_the_stream_whatever_is_added_or_given_back(capacity, steps):
    ring, stream, kept = Ring(capacity), b"", 0
    for step in steps:
        if isinstance(step, int):
            if len(ring._buffer) > step:
                ring.keep_newest(step)
                kept = min(kept, step)
        else:
            ring.append(step)
            stream += step
            kept = min(kept + len(step), capacity)
        assert ring.end == len(stream)
        assert len(ring) <= capacity
        assert content(ring) == stream[ring.start :]
        assert len(ring) >= kept


@pytest.mark.parametrize("limit", [0, 1, 5, 100])
def test_a_read_is_limited(limit):
    ring = Ring(64)
    ring.append(b"0123456789")
    assert ring.read(3, limit) == b"3456789"[:limit]
