"""Which pages may open a terminal, and what an upgrade request must look like."""

from __future__ import annotations

import pytest

from rexec.errors import InvalidInput
from rexec.terminals.handshake import accept, is_own_origin

HEADERS = {
    "Host": "rexec.example.com",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("origin", "scheme", "host", "app_url"),
    [
        (None, "http", "127.0.0.1:8080", None),
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080", None),
        ("https://rexec.example.com", "https", "rexec.example.com", None),
        ("https://rexec.example.com", "https", "rexec.example.com:443", None),
        ("https://REXEC.example.com:443", "https", "rexec.example.com", None),
        # The proxy ended TLS and did not say so.
        ("https://rexec.example.com", "http", "rexec.example.com", None),
        # The proxy sends its own name for us.
        ("https://rexec.example.com", "http", "10.0.0.3:8080", "https://rexec.example.com"),
        ("http://[::1]:8080", "http", "[::1]:8080", None),
    ],
)
def test_our_own_pages_may(origin, scheme, host, app_url):
    assert is_own_origin(origin, scheme=scheme, host=host, app_url=app_url)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.example",
        "https://rexec.example.com.evil.example",
        "https://rexec.example.com@evil.example",
        "https://rexec.example.com:8443",
        "http://rexec.example.com",
        "https://",
        "https://rexec.example.com:port",
        "file:///etc/passwd",
    ],
)
def test_other_pages_may_not(origin):
    assert not is_own_origin(
        origin, scheme="https", host="rexec.example.com", app_url="https://rexec.example.com"
    )


def test_a_handshake_is_answered_without_compression():
    headers = {**HEADERS, "Sec-WebSocket-Extensions": "permessage-deflate"}
    answer = accept(headers.items(), "/containers/x/terminal").decode().lower()
    assert answer.startswith("http/1.1 101 ")
    # The key of RFC 6455, 1.3, and what it asks for.
    assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in answer
    assert "extensions" not in answer


@pytest.mark.parametrize("missing", ["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])
def test_an_incomplete_handshake_is_refused(missing):
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    with pytest.raises(InvalidInput):
        accept(headers.items(), "/containers/x/terminal")
