"""Ends with 0 when the service in this container answers, with 1 when not: the image's HEALTHCHECK.

It looks at `/health/live` alone, so that a Docker host that is away does not restart the service in a loop.
It needs nothing but sockets, because it starts every half minute on a fraction of a core.
"""

import os
import socket
import sys

WITHIN_S = 4


def is_alive(port: int) -> bool:
    """Say whether `/health/live` on this port of 127.0.0.1 answers with 200."""
    request = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), WITHIN_S) as connection:
            connection.sendall(request)
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not is_alive(int(os.environ.get("PORT") or 8080)))
