"""HAProxy in the place of a platform's router: TLS, forwarded headers, time-outs for what is idle."""

from __future__ import annotations

import ssl
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter

from tests.support.certificates import Authority
from tests.support.http_user import HttpUser
from tests.support.processes import Program, free_port, listens

HOST = "localhost"
IDLE_S = 10
"""After so long without a request a connection is closed."""
TUNNEL_S = 6
"""After so long without a byte either way a WebSocket is closed: just more than hurried pings may take."""

DEFAULTS = f"""
defaults
  mode http
  timeout connect 5s
  timeout client {IDLE_S}s
  timeout server {IDLE_S}s
  timeout http-keep-alive {IDLE_S}s
  timeout tunnel {TUNNEL_S}s
  option forwardfor
"""


class Router(Program):
    """Ends TLS and hands on over plain HTTP, through further proxies where it is told to.

    Args:
        folder: For its certificate and settings.
        target_port: Of Rexec, on 127.0.0.1.
        hops: How many proxies a request passes; each adds the address it saw, the first alone says https.
    """

    def __init__(self, folder: Path, target_port: int, hops: int = 1) -> None:
        super().__init__(folder)
        self.ports = [free_port() for _ in range(hops)]
        self.target_port = target_port
        self.authority = Authority("Router")

    @property
    def url(self) -> str:
        """The public address."""
        return f"https://{HOST}:{self.ports[0]}"

    @property
    def bundle(self) -> Path:
        """The file of whom its clients trust."""
        return self.folder / "ca.pem"

    def launch(self) -> None:
        """Write its certificate and settings, then start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pair = self.authority.issue(HOST)
        self.bundle.write_text(self.authority.cert, encoding="ascii")
        (self.folder / "site.pem").write_text(pair.cert + pair.key, encoding="ascii")
        (self.folder / "haproxy.cfg").write_text(self._settings(), encoding="ascii")
        super().launch()

    def _settings(self) -> str:
        sections = [DEFAULTS]
        targets = [*self.ports[1:], self.target_port]
        for number, (port, target) in enumerate(zip(self.ports, targets, strict=True)):
            tls = f"ssl crt {self.folder / 'site.pem'} alpn h2,http/1.1" if number == 0 else ""
            sections.append(f"listen hop{number}\n  bind 127.0.0.1:{port} {tls}")
            if number == 0:
                sections.append("  http-request set-header X-Forwarded-Proto https")
            sections.append(f"  server next 127.0.0.1:{target}")
        return "\n".join(sections) + "\n"

    def command(self) -> list[str]:
        """Runs in the foreground."""
        return ["/usr/sbin/haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")]

    def is_ready(self) -> bool:
        """Say whether it accepts connections."""
        return all(listens(port) for port in self.ports)

    def tls(self) -> ssl.SSLContext:
        """Trusts this router."""
        return ssl.create_default_context(cafile=str(self.bundle))

    def visitor(self, address: str = "127.0.0.1") -> HttpUser:
        """Somebody from this address of loopback, who claims another one in a forwarded header."""
        person = HttpUser(self.url)
        person.session.verify = str(self.bundle)
        person.session.mount("https://", _From(address))
        return person


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options) -> None:
        super().init_poolmanager(*arguments, **options, source_address=(self.address, 0))


def raw_cookies(answer: requests.Response) -> list[str]:
    """Every Set-Cookie header of an answer, whole."""
    return answer.raw.headers.getlist("Set-Cookie")
