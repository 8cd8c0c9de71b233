"""The pool of kept connections to the daemon.

One adapter, one pool, one address: nothing in the environment (proxies, CA bundles) or in a request can send
it elsewhere.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from rexec.docker_host.endpoint import Endpoint, connect_unix, socket_options


class _Reconnecting:
    """Tells when a kept connection had to be opened anew: the daemon may be another version by now."""

    on_reconnect: Callable[[], None] | None = None
    _was_open = False

    def connect(self) -> None:
        if self._was_open and self.on_reconnect is not None:
            self.on_reconnect()
        super().connect()  # type: ignore[misc]  # the connection class beside this one has it
        self._was_open = True


class _TCPConnection(_Reconnecting, HTTPConnection):
    pass


class _TLSConnection(_Reconnecting, HTTPSConnection):
    pass


class _UnixConnection(_Reconnecting, HTTPConnection):
    socket_path = ""

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else None
        return connect_unix(self.socket_path, timeout)


class DaemonAdapter(HTTPAdapter):
    """Sends every request over one pool to one daemon.

    Args:
        endpoint: The daemon's address.
        context: For TLS; None otherwise.
        pool_size: Connections that are kept; more are opened under load and closed afterwards.
        on_reconnect: Called when a kept connection is opened anew, from the thread that needs it.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        context: ssl.SSLContext | None,
        *,
        pool_size: int,
        on_reconnect: Callable[[], None],
    ) -> None:
        super().__init__(pool_connections=1, pool_maxsize=pool_size)
        self._pool_size = pool_size
        self._endpoint = endpoint
        self._context = context
        self._on_reconnect = on_reconnect
        self._lock = threading.Lock()
        self._pool = self._make_pool()

    def _make_pool(self) -> HTTPConnectionPool:
        endpoint = self._endpoint
        shared = {"on_reconnect": staticmethod(self._on_reconnect)}
        options: dict[str, Any] = {"maxsize": self._pool_size, "block": False}
        if endpoint.kind == "unix":
            pool = HTTPConnectionPool(endpoint.host, **options)
            pool.ConnectionCls = type(
                "UnixConnection", (_UnixConnection,), {**shared, "socket_path": endpoint.path}
            )
            return pool
        options["socket_options"] = socket_options(stream=False)
        if self._context is None:
            pool = HTTPConnectionPool(endpoint.host, endpoint.port, **options)
            pool.ConnectionCls = type("TCPConnection", (_TCPConnection,), shared)
            return pool
        pool = HTTPSConnectionPool(endpoint.host, endpoint.port, ssl_context=self._context, **options)
        pool.ConnectionCls = type("TLSConnection", (_TLSConnection,), shared)
        return pool

    def reset(self) -> None:
        """Close the idle connections; those in use end with their request."""
        with self._lock:
            stale, self._pool = self._pool, self._make_pool()
        stale.close()

    def close(self) -> None:
        """Close the pool; a later request opens connections again."""
        self.reset()
        super().close()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The one pool; `requests` asks for it with arguments that do not matter here."""
        del request, verify, proxies, cert
        return self._pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context has verification and our certificate in it."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """The path, never a proxy's absolute form."""
        del proxies
        return request.path_url
