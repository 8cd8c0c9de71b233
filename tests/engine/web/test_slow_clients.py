"""Clients that dribble, linger or send nonsense cost nobody else anything, on the whole service."""

import contextlib
import socket
import statistics
import threading
import time

import pytest

from tests.support.stacks import on_postgres

pytestmark = on_postgres

FORM = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n"


@pytest.fixture
def connect(server):
    """Opens raw connections to the server and closes them after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))


def answer(connection):
    """Everything the server sends until it closes or has sent a whole small response."""
    data = b""
    while chunk := connection.recv(65536):
        data += chunk
        head, found, body = data.partition(b"\r\n\r\n")
        if found and f"content-length: {len(body)}".encode() in head.lower():
            break
    return data


def seconds_to(connect, path):
    """How long one request on a fresh connection takes."""
    connection = connect()
    began = time.perf_counter()
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert b" 200 " in answer(connection)[:20]
    return time.perf_counter() - began


@contextlib.contextmanager
def dribbling(connections, every_s):
    """Sends one more byte on each connection, again and again, until the block ends."""
    ended = threading.Event()

    def dribble():
        while not ended.wait(every_s):
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(b"x")

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("start", [FORM, b"POST /login HTTP/1.1\r\nX-Slow: "], ids=["body", "head"])
def test_eight_clients_that_send_a_byte_a_second_delay_nobody(connect, start):
    usual = statistics.median(seconds_to(connect, "/health/live") for _ in range(15))
    slow = [connect() for _ in range(8)]
    for connection in slow:
        connection.sendall(start)
    with dribbling(slow, every_s=1.0):
        for path in ("/health/live", "/login"):
            beside = [seconds_to(connect, path) for _ in range(15)]
            assert statistics.median(beside) < usual + 0.1


def test_six_clients_that_linger_on_closing_delay_nobody(connect):
    usual = statistics.median(seconds_to(connect, "/health/live") for _ in range(15))
    for _ in range(6):
        # Asked to close and answered, but this side stays open.
        connection = connect()
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b" 200 " in answer(connection)[:20]
    beside = [seconds_to(connect, "/health/live") for _ in range(15)]
    assert statistics.median(beside) < usual + 0.1


def test_what_is_no_request_at_all_is_told_so(connect):
    connection = connect()
    connection.sendall(b"nonsense\r\n\r\n")
    assert answer(connection).startswith(b"HTTP/1.1 400 ")
