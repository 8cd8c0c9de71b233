"""A terminal between two socket pairs: one end plays the container, the others play browsers."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import time

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from rexec.docker_host import HijackedStream
from rexec.terminals.admission import Admission, Identity
from rexec.terminals.loop import Loop
from rexec.terminals.openers import Openers
from rexec.terminals.session import Session
from rexec.terminals.viewer import Viewer
from tests.support.waiting import eventually


class Container:
    """The container's end; a source for sessions."""

    def __init__(self):
        self.older = None
        self.at_once = b""
        self.sizes = []
        self.failures = []
        self.discard_failures = []
        self.usages = []
        self.usages_asked = 0
        self.discarded = 0
        self.opened = 0
        self.sock = None

    def open(self):
        if self.failures:
            raise self.failures.pop(0)
        ours, self.sock = socket.socketpair()
        ours.setblocking(False)
        self.opened += 1
        self.sock.sendall(self.at_once)
        return HijackedStream(ours, b"")

    def log(self):
        return self.older

    def resize(self, cols, rows):
        self.sizes.append((cols, rows))

    def usage(self):
        self.usages_asked += 1
        found = self.usages.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def discard(self):
        if self.discard_failures:
            raise self.discard_failures.pop()
        self.discarded += 1

    def say(self, data):
        self.sock.sendall(data)

    def hear(self, count, timeout=5):
        self.sock.settimeout(timeout)
        heard = b""
        while len(heard) < count:
            heard += self.sock.recv(min(count - len(heard), 65536))
        return heard

    def hears_nothing(self):
        return not select.select([self.sock], [], [], 0.2)[0]


class Browser:
    """A browser's end of a WebSocket."""

    def __init__(self, loop, session, buffer=None):
        ours, self.sock = socket.socketpair()
        ours.setblocking(False)
        if buffer is not None:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.websocket = Connection(ConnectionType.CLIENT)
        self.states, self.output, self.closed = [], b"", None
        admission = Admission("id", "name", 1, Identity(1, 1), b"")

        def admit():
            self.viewer = Viewer(loop, ours, admission, session)
            session.join(self.viewer)
            self.viewer.begin(b"")

        loop.call_soon(admit)

    def send(self, event):
        self.sock.sendall(self.websocket.send(event))

    def type(self, data):
        self.send(BytesMessage(data=data))

    def control(self, **message):
        self.send(TextMessage(data=json.dumps(message)))

    def resize(self, cols, rows):
        self.control(type="resize", cols=cols, rows=rows)

    def read(self, timeout=0.05):
        if self.closed is not None or not select.select([self.sock], [], [], timeout)[0]:
            return
        with contextlib.suppress(ConnectionResetError):
            self.websocket.receive_data(self.sock.recv(65536) or None)
        for event in self.websocket.events():
            if isinstance(event, BytesMessage):
                self.output += bytes(event.data)
            elif isinstance(event, TextMessage):
                self.states.append(json.loads(event.data))
            elif isinstance(event, CloseConnection):
                self.closed = int(event.code)
            elif isinstance(event, Ping):
                self.send(event.response())

    def until(self, reached, timeout=10):
        deadline = time.monotonic() + timeout
        while not reached():
            assert time.monotonic() < deadline, (self.states[-5:], self.output[-200:], self.closed)
            self.read()

    def state_names(self):
        return [state.get("state", state["type"]) for state in self.states]

    def has(self, name):
        return name in self.state_names()

    def last(self, name):
        return next(state for state in reversed(self.states) if state.get("state", state["type"]) == name)


@pytest.fixture
def loop():
    loop = Loop()
    loop.start()
    yield loop
    loop.stop(5)


@pytest.fixture
def container():
    container = Container()
    yield container
    if container.sock is not None:
        container.sock.close()


@pytest.fixture
def news():
    return []


@pytest.fixture
def make_session(loop, container, news):
    made = []

    def make(keep_s=30.0):
        loop.call_soon(lambda: made.append(Session(loop, Openers(2), container, keep_s, news.append)))
        eventually(lambda: made)
        return made[-1]

    yield make
    done = []
    for session in made:
        loop.call_soon(session.retire)
    loop.call_soon(lambda: done.append(True))
    eventually(lambda: done)


class Browsers:
    """Opens browsers on one terminal, which is made with the first, as the hub does."""

    def __init__(self, loop, make_session):
        self._loop, self._make_session = loop, make_session
        self._session = None
        self.made = []

    @property
    def session(self):
        if self._session is None:
            self._session = self._make_session()
        return self._session

    def __call__(self, buffer=None):
        self.made.append(Browser(self._loop, self.session, buffer))
        return self.made[-1]


@pytest.fixture
def browser(loop, make_session):
    browsers = Browsers(loop, make_session)
    yield browsers
    for made in browsers.made:
        made.sock.close()
