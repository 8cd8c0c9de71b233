"""A server that says one word to whoever connects."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator

GREETING = b"hello\n"


class _Greet(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        # Whoever only looks whether somebody listens is gone by now.
        with contextlib.suppress(OSError):
            self.request.sendall(GREETING)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


@contextlib.contextmanager
def listening(address: str, port: int) -> Iterator[None]:
    """Greet at an address of this machine until the block ends."""
    with _Server((address, port), _Greet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(10)
