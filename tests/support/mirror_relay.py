"""Debian's mirror, as this machine's apt reaches it, for machines of the tests that reach nothing else."""

from __future__ import annotations

import contextlib
import ctypes
import http.server
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

CLONE_NEWNET = 0x40000000
"""setns(2)"""
FALLBACK = "http://deb.debian.org/debian"
PASSED_ON = ("If-Modified-Since", "Range", "If-Range")
PASSED_BACK = ("Content-Type", "Content-Length", "Last-Modified", "Content-Range", "Accept-Ranges")
PATIENCE_S = 60


def _sites() -> dict[str, str]:
    """The addresses that apt has for Debian and its security updates."""
    template = "$(SITE) $(RELEASE) $(ORIGIN)"
    command = ["apt-get", "indextargets", "--format", template, "Created-By: Packages", "Component: main"]
    lines = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    sites = {"debian": FALLBACK}
    for line in reversed(lines):
        site, release, *_ = [*line.split(), "", ""]
        if site.endswith("/debian"):
            sites["debian"] = site
        elif release.endswith("-security") and "debian" in site:
            sites["security"] = site
    sites.setdefault("security", sites["debian"] + "-security")
    return sites


def _proxies() -> dict[str, str]:
    """The proxies of the environment and of apt's settings, apt's first."""
    found = urllib.request.getproxies()
    for scheme in ("http", "https"):
        command = ["apt-config", "shell", "value", f"Acquire::{scheme}::Proxy"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        value = done.stdout.strip().removeprefix("value=").strip("'")
        if value:
            found[scheme] = value
    return found


def _ancestors() -> list[int]:
    """Process ids of this process's parents, the nearest first."""
    found, pid = [], os.getppid()
    while pid:
        found.append(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


def _enter_the_machines_network() -> None:
    """Take this thread out of the test's own network namespace, from which nothing is reached.

    Whoever made that namespace runs outside it and is an ancestor; the oldest may not be ours to look into.
    """
    if os.geteuid() != 0:
        return
    readable = [pid for pid in _ancestors() if os.access(f"/proc/{pid}/ns/net", os.R_OK)]
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{readable[-1]}/ns/net").open("rb") as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "cannot enter the machine's network")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sites: dict[str, str]
    opener: urllib.request.OpenerDirector

    def setup(self) -> None:
        super().setup()
        _enter_the_machines_network()

    def do_GET(self) -> None:
        name, _, path = self.path.lstrip("/").partition("/")
        headers = {key: self.headers[key] for key in PASSED_ON if key in self.headers}
        # Whoever presses Ctrl-C in the middle of a download is no failure of ours.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            try:
                request = urllib.request.Request(f"{self.sites[name]}/{path}", headers=headers)  # noqa: S310
                with self.opener.open(request, timeout=PATIENCE_S) as answer:
                    self._pass_back(answer)
            except KeyError:
                self.send_error(HTTPStatus.NOT_FOUND)
            except urllib.error.HTTPError as answer:
                self._pass_back(answer, with_body=False)
            except OSError as error:
                self.send_error(HTTPStatus.BAD_GATEWAY, str(error))

    def _pass_back(self, answer, *, with_body: bool = True) -> None:
        self.send_response(answer.status)
        for key in PASSED_BACK:
            if with_body and key in answer.headers:
                self.send_header(key, answer.headers[key])
        if not with_body:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if with_body:
            shutil.copyfileobj(answer, self.wfile, 1 << 18)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class MirrorRelay:
    """An HTTP server with /debian and /security, which are this machine's mirrors of them.

    It takes the machine's own way out, with the proxy and the authorities that are set there, also where the
    tests have a network of their own. What it serves is signed by Debian, so that nobody has to trust it.
    """

    def __init__(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler(_proxies()))
        handler = type("Handler", (_Handler,), {"sites": _sites(), "opener": opener})
        self._server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Serve until it is stopped."""
        self._thread.start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def sources(self, suite: str, host: str) -> str:
        """An /etc/apt/sources.list for a machine that reaches this one as `host`."""
        base = f"http://{host}:{self.port}"
        return f"deb {base}/debian {suite} main\ndeb {base}/security {suite}-security main\n"
