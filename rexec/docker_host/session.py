"""One client of the daemon for the whole process: negotiation, deadlines, repeats, translation of errors."""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from docker.constants import DEFAULT_DOCKER_API_VERSION

from rexec.config import DockerSettings
from rexec.docker_host.endpoint import Endpoint
from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.errors import DockerAPIError, DockerHostError, DockerRejected, DockerUnreachable
from rexec.docker_host.tls import TLSMaterial
from rexec.docker_host.translate import FOREIGN, translate
from rexec.docker_host.transport import DaemonAdapter

OLDEST_API: Final = "1.41"
"""Docker engine 20.10."""

T = TypeVar("T")


class DaemonSession:
    """What every call to the daemon goes through. Thread-safe; survives a fork.

    Args:
        settings: The daemon's address and our certificates.
        connect_timeout: Seconds for TCP to connect.
        read_timeout: Seconds between two pieces of an answer, where a call names no other.
        pool_size: Connections that are kept open.
    """

    def __init__(
        self, settings: DockerSettings, *, connect_timeout: float, read_timeout: float, pool_size: int
    ) -> None:
        self.endpoint = Endpoint.of(settings)
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._settings = settings
        self._pool_size = pool_size
        self._lock = threading.RLock()
        self._material: TLSMaterial | None = None
        self._context: ssl.SSLContext | None = None
        self._client: EngineClient | None = None
        self._adapter: DaemonAdapter | None = None
        self._owner = 0
        self._negotiated = False

    @property
    def material(self) -> TLSMaterial | None:
        """Our certificates, checked; None without TLS.

        Raises:
            DockerTLSError: They cannot work.
        """
        if self.endpoint.kind == "tls" and self._material is None:
            self._material = TLSMaterial.of(self._settings)
        return self._material

    @property
    def context(self) -> ssl.SSLContext | None:
        """The SSLContext that every connection of the process shares; None without TLS.

        Raises:
            DockerTLSError: The certificates cannot work.
        """
        with self._lock:
            if self._context is None and self.material is not None:
                self._context = self.material.context()
            return self._context

    def client(self) -> EngineClient:
        """The docker-py client, its version negotiated.

        Raises:
            DockerHostError: The certificates cannot work, or the daemon does not answer.
        """
        client = self._connected_client()
        if not self._negotiated:
            # Without the lock: in an outage each caller waits for its own deadline, not for everybody's.
            client.negotiated_version = self._newest_common(self._offered_version(client))
            self._negotiated = True
        return client

    def _connected_client(self) -> EngineClient:
        with self._lock:
            # A forked child must not speak on its parent's TLS connections.
            if self._client is None or self._owner != os.getpid():
                self._client = self._make_client()
                self._owner = os.getpid()
                self._negotiated = False
            return self._client

    def _make_client(self) -> EngineClient:
        self._adapter = DaemonAdapter(
            self.endpoint, self.context, pool_size=self._pool_size, on_reconnect=self.forget_version
        )
        return EngineClient(
            self.endpoint.base_url,
            self._adapter,
            version=OLDEST_API,
            deadlines=(self.connect_timeout, self.read_timeout),
        )

    def _offered_version(self, client: EngineClient) -> str:
        for repeated in (False, True):
            try:
                answer = client.checked(
                    client.get(f"{self.endpoint.base_url}/_ping", timeout=client.deadlines)
                )
            except FOREIGN as error:
                failure = self.translated(error)
                if repeated or failure.code != "docker_closed":
                    raise failure from error
                self.drop_idle_connections()
            else:
                return str(answer.headers.get("Api-Version", ""))
        raise AssertionError("the second attempt returns or raises")

    @staticmethod
    def _newest_common(offered: str) -> str:
        if not offered.replace(".", "", 1).isdigit():
            raise DockerAPIError(code="docker_protocol", detail="the answer names no API version")
        newest = min(offered, DEFAULT_DOCKER_API_VERSION, key=_numbers)
        if _numbers(newest) < _numbers(OLDEST_API):
            raise DockerRejected(code="docker_version", detail=f"the daemon offers API {offered}")
        return newest

    def forget_version(self) -> None:
        """Negotiate again before the next call."""
        self._negotiated = False

    def call(self, action: Callable[[EngineClient], T], *, idempotent: bool = True) -> T:
        """Do something with the client.

        A kept connection that turns out dead (a daemon that restarted meanwhile) is no error of a call that
        may be repeated; nor is a daemon that became another version.

        Args:
            action: What to do; called twice at most.
            idempotent: Whether a second time does no harm.

        Raises:
            DockerHostError: Whatever went wrong.
        """
        try:
            return self._attempt(action)
        except DockerUnreachable as error:
            self.forget_version()
            if error.code != "docker_closed" or not idempotent:
                raise
            self.drop_idle_connections()
        except DockerRejected as error:
            if error.code != "docker_version":
                raise
            self.forget_version()
        return self._attempt(action)

    def _attempt(self, action: Callable[[EngineClient], T]) -> T:
        client = self.client()
        try:
            return action(client)
        except FOREIGN as error:
            raise self.translated(error) from error

    def translated(self, error: BaseException) -> DockerHostError:
        """An exception from below as one of ours."""
        return translate(error, self._material)

    def drop_idle_connections(self) -> None:
        """Close what the pool keeps."""
        if self._adapter is not None:
            self._adapter.reset()

    def close(self) -> None:
        """Close every kept connection; a later call opens them again."""
        with self._lock:
            if self._client is not None and self._owner == os.getpid():
                self._client.close()
            self._client = None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
