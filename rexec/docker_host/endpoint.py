"""Where the daemon is, and the socket options that every connection to it carries."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from rexec.config import DockerSettings

IDLE_BEFORE_PROBE_S: Final = 30
PROBE_INTERVAL_S: Final = 10
PROBES: Final = 3
UNACKNOWLEDGED_S: Final = 20
STREAM_UNACKNOWLEDGED_S: Final = 120
UNANSWERED: Final = 2
"""More than one: a probe that was sent this very moment is no sign of anything."""
TCP_SILENCE: Final = struct.Struct("=2xBB48xII")
"""The fields tcpi_retransmits, tcpi_probes, tcpi_last_data_recv and tcpi_last_ack_recv of linux/tcp.h."""

NEAR_US: Final = 300
"""Round trips on one machine take some 50 µs, within a data centre twice that and more."""
TCP_ROUND_TRIP: Final = struct.Struct("=148xI")
"""The field tcpi_min_rtt there, in microseconds."""

KEEPALIVE_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    # NAT forgets an idle connection after minutes, without telling anybody.
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_BEFORE_PROBE_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_INTERVAL_S),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


def socket_options(*, stream: bool) -> list[tuple[int, int, int]]:
    """Options for a TCP connection to the daemon.

    Args:
        stream: A terminal's connection: the kernel counts a reader that is merely slow (a zero window)
            against TCP_USER_TIMEOUT too, so a large paste into a busy program gets more patience than a
            request. Keepalive's probes are counted against it as well, in place of their number: `is_cut_off`
            tells sooner.
    """
    patience = STREAM_UNACKNOWLEDGED_S if stream else UNACKNOWLEDGED_S
    return [*KEEPALIVE_OPTIONS, (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience * 1000)]


def is_cut_off(sock: socket.socket) -> bool:
    """Say whether a connection's other end acknowledges nothing any more.

    A reader that is merely slow acknowledges each probe of its window.

    Args:
        sock: With the options of `socket_options`. A Unix socket cannot be cut off.
    """
    if sock.family == socket.AF_UNIX:
        return False
    retransmits, probes, data_ms, acknowledgement_ms = _tcp_info(sock, TCP_SILENCE)
    silence_s = min(data_ms, acknowledgement_ms) / 1000
    return retransmits + probes >= UNANSWERED and silence_s >= UNACKNOWLEDGED_S


def is_near(sock: socket.socket) -> bool:
    """Say whether a connection's other end is so near that waking up for an answer takes as long as its way.

    Args:
        sock: Connected.
    """
    if sock.family == socket.AF_UNIX:
        return True
    (round_trip_us,) = _tcp_info(sock, TCP_ROUND_TRIP)
    return round_trip_us < NEAR_US


def _tcp_info(sock: socket.socket, fields: struct.Struct) -> tuple[int, ...]:
    return fields.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, fields.size))


class Deadline:
    """One moment by which several steps have to be done.

    Args:
        seconds: From now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """Seconds left.

        Raises:
            TimeoutError: None are.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


@dataclass(frozen=True)
class Endpoint:
    """The daemon's address.

    Args:
        kind: Unix socket, TCP in the clear, or TLS.
        host: Name or address, without brackets.
        port: TCP port; with a Unix socket only what requests are addressed to.
        path: Of the Unix socket.
    """

    kind: Literal["unix", "tcp", "tls"]
    host: str = "localhost"
    port: int = 80
    path: str = ""

    @classmethod
    def of(cls, settings: DockerSettings) -> Endpoint:
        """The address in the settings, which were checked when they were read."""
        if settings.host.startswith("unix://"):
            return cls("unix", path=settings.host.removeprefix("unix://"))
        parts = urlsplit(settings.host)
        return cls("tls" if settings.uses_tls else "tcp", parts.hostname or "", parts.port or 2376)

    @property
    def authority(self) -> str:
        """Host and port as a URL or a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """The URL that requests are addressed to."""
        return f"{'https' if self.kind == 'tls' else 'http'}://{self.authority}"

    def connect(self, deadline: Deadline, *, stream: bool) -> socket.socket:
        """Open a connection, without TLS.

        Looking up a name is the system's business and has the system's own deadline.

        Raises:
            OSError: As the system reports it.
        """
        if self.kind == "unix":
            return connect_unix(self.path, deadline.left())
        failure: OSError | None = None
        for family, kind, protocol, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in socket_options(stream=stream):
                    sock.setsockopt(*option)
                sock.settimeout(deadline.left())
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure or OSError("the name has no address")


def connect_unix(path: str, timeout_s: float | None) -> socket.socket:
    """Open a Unix socket.

    Raises:
        OSError: As the system reports it.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return sock
