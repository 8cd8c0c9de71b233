"""The loop: how it waits."""

import select
import socket
import threading

import pytest

from rexec.terminals import loop as module
from rexec.terminals.loop import READ, Loop
from rexec.terminals.stream import EngineStream
from tests.support.waiting import eventually

PATIENCE_S = 20


class Waits:
    """An epoll that remembers for how long it was asked to wait, and what came of it."""

    def __init__(self):
        self.real = select.epoll()
        self.asked = []
        self.found = {}

    def __getattr__(self, name):
        return getattr(self.real, name)

    def poll(self, timeout, most):
        self.asked.append(timeout)
        ready = self.real.poll(timeout, most)
        self.found.update({descriptor: timeout for descriptor, _ in ready})
        return ready


class Answered:
    """A descriptor whose answer was seen."""

    def __init__(self, sock):
        self.sock = sock
        self.seen = threading.Event()

    def fileno(self):
        return self.sock.fileno()

    def on_events(self, mask):
        self.sock.recv(1)
        self.seen.set()


@pytest.fixture
def waits(monkeypatch):
    waits = Waits()
    monkeypatch.setattr(module.select, "epoll", lambda: waits)
    return waits


@pytest.fixture
def loop(waits):
    loop = Loop()
    yield loop
    loop.stop(PATIENCE_S)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


@pytest.fixture
def idle_machine(monkeypatch):
    """Whatever else runs on it."""
    monkeypatch.setattr(module, "AWAKE_S", PATIENCE_S)
    monkeypatch.setattr(module, "LENT_S", PATIENCE_S)


def do(loop, function):
    """Have the loop do something, and wait until it has come round once more."""
    for step in (function, lambda: None):
        done = threading.Event()
        loop.call_soon(lambda step=step, done=done: (step(), done.set()))
        assert done.wait(PATIENCE_S)


def test_an_answer_that_is_on_its_way_is_waited_for_without_sleeping(loop, waits, pair, idle_machine):
    ours, theirs = pair
    answered = Answered(ours)
    loop.register(answered, READ)
    loop.start()
    awake = threading.Event()
    loop.call_soon(lambda: (loop.stay_awake(), awake.set()))
    assert awake.wait(PATIENCE_S)
    theirs.send(b"x")
    assert answered.seen.wait(PATIENCE_S)
    loop.stop(PATIENCE_S)
    assert waits.found[ours.fileno()] == 0


def test_it_sleeps_where_no_answer_comes(loop, waits):
    loop.start()
    do(loop, loop.stay_awake)
    eventually(lambda: waits.asked[-1] > 0)


def test_it_sleeps_for_a_while_where_somebody_else_wants_the_processor(loop, waits, monkeypatch):
    monkeypatch.setattr(module, "AWAKE_S", PATIENCE_S)
    monkeypatch.setattr(module, "LENT_S", 0.0)
    monkeypatch.setattr(module, "ASLEEP_S", 10 * PATIENCE_S)
    loop.start()
    do(loop, loop.stay_awake)
    assert waits.asked.count(0) == 1
    do(loop, loop.stay_awake)
    assert waits.asked.count(0) == 1


def test_what_is_typed_for_a_near_engine_keeps_it_awake(loop, pair, monkeypatch):
    calls = []
    monkeypatch.setattr(loop, "stay_awake", lambda: calls.append("awake"))
    stream = EngineStream(loop, pair[0], bytes, int, int)
    stream.send(b"x")
    assert (calls, pair[1].recv(1)) == (["awake"], b"x")


def test_what_is_typed_for_a_far_engine_does_not(loop, pair, monkeypatch):
    monkeypatch.setattr("rexec.terminals.stream.is_near", lambda _: False)
    monkeypatch.setattr(loop, "stay_awake", lambda: pytest.fail("kept awake"))
    EngineStream(loop, pair[0], bytes, int, int).send(b"x")
