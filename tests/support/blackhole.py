"""A port at which packets vanish, as behind a firewall that drops them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from tests.support.waiting import eventually


@contextlib.contextmanager
def blackhole() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops further packets, as a firewall does."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)

        def is_full() -> bool:
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                return True
            return False

        eventually(is_full, message="the queue is full")
        yield listener.getsockname()[1]
