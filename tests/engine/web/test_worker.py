"""Clients of every kind, and what they cost the others."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from rexec.web import worker as worker_module
from tests.engine.web.conftest import answer
from tests.support.waiting import eventually


def dribble(sock, data, stop):
    """Send one byte a second, until the server has had enough."""
    for number in range(len(data)):
        if stop.wait(1):
            return
        try:
            sock.sendall(data[number : number + 1])
        except OSError:
            return


@pytest.fixture
def short_deadline(monkeypatch):
    monkeypatch.setattr(worker_module, "READ_DEADLINE_S", 2.0)


def test_eight_clients_that_send_a_body_byte_by_byte_delay_nobody(served, short_deadline):
    stop = threading.Event()
    slow = [served.connect() for _ in range(8)]
    threads = []
    for sock in slow:
        sock.sendall(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n")
        threads.append(threading.Thread(target=dribble, args=(sock, b"x" * 1000, stop)))
        threads[-1].start()
    delays = [served.delay() for _ in range(50)]
    assert max(delays) < 0.5
    assert [answer(sock)[0] for sock in slow] == [408] * 8
    stop.set()
    for thread, sock in zip(threads, slow, strict=True):
        thread.join()
        sock.close()
    assert "/echo" not in served.app.calls


def test_a_head_that_never_ends_is_given_up(served, short_deadline):
    sock = served.connect()
    sock.sendall(b"GET / HTTP/1.1\r\nHost: he")
    assert answer(sock)[0] == 408
    sock.close()


def test_six_clients_that_linger_on_closing_delay_nobody(served):
    lingering = [served.connect() for _ in range(6)]
    for sock in lingering:
        assert served.get("/", sock, Connection="close") == (200, b"ok")
    # None of them closes; gunicorn would wait 2 s for each, one after the other.
    delays = [served.delay() for _ in range(20)]
    assert max(delays) < 0.1
    for sock in lingering:
        assert sock.recv(100) == b""
        sock.close()


def test_clients_that_do_not_read_their_answer_hold_no_thread(served):
    greedy = [served.connect(receive_buffer=4096) for _ in range(8)]
    for sock in greedy:
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: here\r\n\r\n")
    eventually(lambda: served.app.calls.count("/big") == 8)
    assert served.delay() < 0.5
    status, body = answer(greedy[0])
    assert (status, len(body)) == (200, 4_000_000)
    for sock in greedy:
        sock.close()


def test_a_connection_serves_one_request_after_the_other(served):
    sock = served.connect()
    for _ in range(5):
        assert served.get("/", sock) == (200, b"ok")
    assert served.worker.nr_conns == 1
    sock.close()


def test_requests_sent_together_are_answered_in_order(served):
    sock = served.connect()
    one = b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\none"
    sock.sendall(one + one.replace(b"one", b"two") + b"\r\n" + one.replace(b"one", b"six"))
    data = b""
    while data.count(b"HTTP/1.1 200") < 3 or not data.endswith(b"six"):
        data += sock.recv(65536)
    assert data.index(b"one") < data.index(b"two") < data.index(b"six")
    sock.close()


def test_a_body_in_pieces_arrives_whole(served):
    sock = served.connect()
    body = bytes(range(256)) * 200
    sock.sendall(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body))
    for start in range(0, len(body), 5000):
        sock.sendall(body[start : start + 5000])
    assert answer(sock) == (200, body)
    sock.close()


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(served):
    sock = served.connect()
    sock.sendall(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    sock.sendall(b"body")
    assert answer(sock) == (200, b"body")
    sock.close()


def test_a_body_that_is_too_large_is_not_waited_for(served):
    sock = served.connect()
    sock.sendall(b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 99999999\r\n\r\n")
    # The application refuses it by the length alone; this one answers with what it got.
    status, body = answer(sock)
    assert (status, body) == (200, b"")
    assert sock.recv(100) == b""
    sock.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /echo HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: -3\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nHost: here\r\nContent-Length: +3\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
    ],
)
def test_a_request_that_cannot_be_framed_is_refused(served, head, status):
    sock = served.connect()
    sock.sendall(head)
    assert answer(sock)[0] == status
    assert "/echo" not in served.app.calls
    sock.close()


def test_an_error_in_the_application_is_answered_and_ends_nothing(served):
    assert served.get("/fail")[0] == 500
    assert served.get() == (200, b"ok")


def test_a_handed_over_connection_is_nobodys_but_the_takers(served, settled):
    for number in range(20):
        sock = served.connect()
        sock.sendall(b"GET /take HTTP/1.1\r\nHost: here\r\n\r\nbehind %d" % number)
        eventually(lambda count=number: len(served.app.taken) == count + 1)
        taken, leftover = served.app.taken[-1]
        taken.setblocking(True)
        while len(leftover) < len(b"behind %d" % number):
            leftover += taken.recv(100)
        assert leftover == b"behind %d" % number
        taken.sendall(b"mine now")
        assert sock.recv(100) == b"mine now"
        taken.close()
        sock.close()
    settled()
    assert served.get() == (200, b"ok")


def test_connections_are_counted_right_after_every_kind_of_end(served, settled, short_deadline):
    served.get()
    served.get("/fail")
    served.connect().close()
    half = served.connect()
    half.sendall(b"GET / HT")
    half.close()
    cut = served.connect()
    cut.sendall(b"GET /big HTTP/1.1\r\nHost: here\r\n\r\n")
    cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    cut.close()
    settled()
    assert served.worker._watched == set()
    assert len(served.worker._open) == 0


def test_one_address_has_so_many_connections_and_the_idlest_goes(serve, monkeypatch):
    monkeypatch.setattr(worker_module, "PER_ADDRESS", 10)
    served = serve(hops=0)
    idle = [served.connect() for _ in range(30)]
    assert served.get() == (200, b"ok")
    eventually(lambda: served.worker.nr_conns <= 10)
    for sock in idle:
        sock.close()


def test_behind_a_proxy_the_address_says_nothing(serve, monkeypatch):
    monkeypatch.setattr(worker_module, "PER_ADDRESS", 5)
    served = serve(hops=1)
    idle = [served.connect() for _ in range(30)]
    eventually(lambda: served.worker.nr_conns == 30)
    for sock in idle:
        sock.close()


def test_idle_connections_make_room_when_there_are_too_many(serve):
    served = serve(hops=1, connections=20)
    idle = [served.connect() for _ in range(40)]
    eventually(lambda: served.worker.nr_conns >= 20)
    assert served.get() == (200, b"ok")
    for sock in idle:
        sock.close()


def test_stopping_lets_a_request_finish_and_takes_no_more(served):
    busy, idle = served.connect(), served.connect()
    served.get("/", idle)
    busy.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
    assert served.app.started.acquire(timeout=10)
    started = time.monotonic()
    served.worker.handle_exit(None, None)
    eventually(lambda: "stopping" in served.platform.events)
    with pytest.raises(ConnectionRefusedError):
        served.connect()
    served.app.let_go.set()
    assert answer(busy) == (200, b"ok")
    eventually(served.ended, 10)
    assert time.monotonic() - started < 5
    assert served.platform.events == ["stopping", "stopped"]
    busy.close()
    idle.close()


def test_stopping_does_not_wait_for_ever(served):
    busy = served.connect()
    busy.sendall(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
    assert served.app.started.acquire(timeout=10)
    started = time.monotonic()
    served.worker.handle_exit(None, None)
    eventually(served.ended, 10)
    assert time.monotonic() - started < 6
    busy.close()
