"""How far a daemon is."""

import socket

import pytest

from rexec.docker_host import endpoint, is_near


class Connection:
    """Stands in for a TCP socket: says what the kernel measured."""

    family = socket.AF_INET

    def __init__(self, round_trip_us):
        self.round_trip_us = round_trip_us

    def getsockopt(self, level, option, size):
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        return endpoint.TCP_ROUND_TRIP.pack(self.round_trip_us)[:size]


@pytest.mark.parametrize(("round_trip_us", "near"), [(40, True), (600, False), (50_000, False)])
def test_it_is_near_where_the_quickest_round_trip_was_a_fraction_of_a_millisecond(round_trip_us, near):
    assert is_near(Connection(round_trip_us)) is near


def test_a_unix_socket_is_near():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_near(ours)
