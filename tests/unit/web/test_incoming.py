"""When a request is whole, whatever pieces it comes in."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rexec.web.incoming import MAX_HEAD, Expects, IncomingRequest, Refused

GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: here\r\ncontent-LENGTH: 5\r\n\r\nhello"


def whole(data, max_body=1000):
    incoming = IncomingRequest(max_body)
    incoming.feed(data)
    return incoming.is_whole()


def test_a_head_without_a_body_is_whole():
    assert whole(GET)
    assert not whole(GET[:-1])


def test_a_body_is_waited_for():
    assert whole(POST)
    assert not whole(POST[:-1])


@given(st.lists(st.sampled_from([GET, POST, b"\r\n" + GET]), min_size=1, max_size=4), st.data())
def test_requests_come_out_as_they_went_in_whatever_the_pieces(requests, data):
    stream = b"".join(requests)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    incoming, taken = IncomingRequest(1000), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        incoming.feed(stream[start:end])
        while incoming.is_whole():
            taken.append(incoming.take())
    assert taken == [request.removeprefix(b"\r\n") for request in requests]
    assert incoming.leftover() == b""


def test_what_follows_a_request_is_kept():
    incoming = IncomingRequest(1000)
    incoming.feed(GET + b"frames")
    assert incoming.is_whole()
    assert (incoming.take(), incoming.leftover()) == (GET, b"frames")


def test_a_body_that_is_too_large_leaves_the_head_to_be_refused():
    incoming = IncomingRequest(4)
    incoming.feed(POST[:-5])
    assert incoming.is_whole()
    assert incoming.oversized
    assert incoming.take() == POST[:-5]


def test_who_asks_before_sending_is_told_once_and_the_application_not_at_all():
    incoming = IncomingRequest(1000)
    incoming.feed(POST[:-5].replace(b"Host: here", b"Host: here\r\nExpect: 100-Continue"))
    assert not incoming.is_whole()
    assert incoming.expects is Expects.CONTINUE
    incoming.feed(b"hello")
    assert incoming.is_whole()
    assert incoming.take() == POST


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: chunked", HTTPStatus.LENGTH_REQUIRED),
        (b"Transfer-Encoding: gzip\r\nContent-Length: 3", HTTPStatus.LENGTH_REQUIRED),
        (b"Content-Length: 3\r\nContent-Length: 3", HTTPStatus.BAD_REQUEST),
        (b"Content-Length: 3, 3", HTTPStatus.BAD_REQUEST),
        (b"Content-Length: 0x3", HTTPStatus.BAD_REQUEST),
        (b"Content-Length: \xc2\xb2", HTTPStatus.BAD_REQUEST),
        (b"Content-Length: ", HTTPStatus.BAD_REQUEST),
        (b"Content-Length: 9999999999999999999999", HTTPStatus.BAD_REQUEST),
        (b"X: " + b"y" * MAX_HEAD, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
    ],
)
def test_a_length_that_two_could_read_differently_is_refused(head, status):
    with pytest.raises(Refused) as refusal:
        whole(b"POST / HTTP/1.1\r\n" + head + b"\r\n\r\n")
    assert refusal.value.status == status


def test_a_head_that_does_not_end_is_refused_at_its_limit():
    incoming = IncomingRequest(1000)
    incoming.feed(b"GET / HTTP/1.1\r\n" + b"x" * MAX_HEAD)
    with pytest.raises(Refused):
        incoming.is_whole()
