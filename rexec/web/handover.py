"""How a view gives its connection away: the socket leaves the HTTP server for good."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any, Final

Take = Callable[[socket.socket, bytes], None]
"""Gets the socket, and the bytes already read from it, in a pool thread."""

KEY: Final = "rexec.hand_over"
"""Where a view finds the function to call with a `Take`, in its WSGI environment."""


class HandedOver(Exception):
    """The view has given its connection away: nothing is to be answered.

    Args:
        take: Who gets it.
    """

    def __init__(self, take: Take) -> None:
        self.take = take
        super().__init__()


class HandOver:
    """Lets an application hand connections over.

    Args:
        application: Whose views may do so.
    """

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Call the application.

        Raises:
            HandedOver: A view has given the connection away; its own answer is dropped.
        """
        takers: list[Take] = []
        environ[KEY] = takers.append
        body: Iterable[bytes] = self._application(environ, start_response)
        if takers:
            if hasattr(body, "close"):
                body.close()
            raise HandedOver(takers[0])
        return body
