"""The daemon's event stream: one connection that stays open, and says so when it is lost."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from requests import Response

from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.errors import DockerUnreachable
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.translate import FOREIGN

NANOSECONDS = 10**9


class EventStream(Iterator[dict[str, Any]]):
    """Events as they happen.

    Iterating blocks without a read deadline: a quiet daemon is no error. A dead connection is found by TCP
    keepalive within a minute. The iteration ends by itself only after `close`; everything else raises.

    Args:
        session: For the translation of errors.
        answer: The daemon's, still streaming.
    """

    def __init__(self, session: DaemonSession, answer: Response) -> None:
        self.opened_ns = _second_of(answer)
        """When the daemon answered, by its own clock, in nanoseconds; to the second, rounded down."""
        self._session = session
        self._answer = answer
        connection = answer.raw.connection
        if connection is None or connection.sock is None:
            raise DockerUnreachable(code="docker_closed", detail="the event stream ended at once")
        self._sock: socket.socket = connection.sock
        # The deadline of the request would otherwise end a quiet stream.
        self._sock.settimeout(None)
        self._chunks = answer.raw.stream(16 * 1024, decode_content=False)
        self._lines: list[bytes] = []
        self._rest = b""
        self._closed = False
        self._reading = threading.Lock()

    def __next__(self) -> dict[str, Any]:
        with self._reading:
            try:
                while not self._lines and not self._closed:
                    self._read()
                if self._closed:
                    self._answer.close()
                    raise StopIteration
                event: dict[str, Any] = json.loads(self._lines.pop(0))
            except FOREIGN as error:
                self._answer.close()
                if self._closed:
                    raise StopIteration from None
                raise self._session.translated(error) from error
            return event

    def _read(self) -> None:
        chunk = next(self._chunks, b"")
        if not chunk and not self._closed:
            # A daemon that stops ends the stream politely, which must not look like the end of the news.
            raise DockerUnreachable(code="docker_closed", detail="the event stream ended")
        *complete, self._rest = (self._rest + chunk).split(b"\n")
        self._lines.extend(line for line in complete if line.strip())

    def close(self) -> None:
        """End the iteration, from any thread, at once."""
        self._closed = True
        # A connection that is gone already is what was asked for.
        with contextlib.suppress(OSError):
            # On the plain socket: SSLSocket's own shutdown changes state that the reading thread is using.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        if self._reading.acquire(blocking=False):
            try:
                self._answer.close()
            finally:
                self._reading.release()


def _second_of(answer: Response) -> int:
    """RFC 9110, section 6.6.1: a server with a clock dates its answers."""
    dated = parsedate_to_datetime(answer.headers["Date"])
    return int(dated.timestamp()) * NANOSECONDS


def open_events(
    session: DaemonSession, since_ns: int | None, labels: Mapping[str, str | None]
) -> EventStream:
    """Ask for events.

    Args:
        session: The daemon.
        since_ns: Unix time from which to begin, in nanoseconds, for what was missed; the daemon remembers the
            last 256 events.
        labels: What the objects must carry; a value of None asks for the name alone. Events of volumes and
            networks name no labels, so that with labels only containers' come.

    Raises:
        DockerHostError: The daemon is away or refuses.
    """
    params: dict[str, str] = {"filters": label_filter(labels)}
    if since_ns is not None:
        params["since"] = "{}.{:09}".format(*divmod(since_ns, NANOSECONDS))

    def ask(client: EngineClient) -> Response:
        return client.checked(client.ask("GET", "/events", params=params, stream=True))

    return EventStream(session, session.call(ask))


def label_filter(labels: Mapping[str, str | None]) -> str:
    """The daemon's JSON for "carries all of these labels"."""
    return json.dumps({"label": label_list(labels)})


def label_list(labels: Mapping[str, str | None]) -> list[str]:
    """Labels as the daemon's filters write them."""
    return [name if value is None else f"{name}={value}" for name, value in labels.items()]
