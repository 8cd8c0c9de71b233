"""The fake's HTTP server: keep-alive, a thread for each connection, faults, API and pages."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.stripe_api import Answer, Api, Request, parse
from tests.fakes.stripe_faults import Fault, Faults, failure
from tests.fakes.stripe_pages import Page, Pages
from tests.fakes.stripe_state import API_VERSION, State

LIMIT_OF_CONNECTIONS = 256


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1, and can cut all connections."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = LIMIT_OF_CONNECTIONS

    def __init__(self, port: int, desk: Desk) -> None:
        self.desk = desk
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away; the fake's own mistakes are answered, and kept in `crashes`."""

    def cut(self) -> None:
        """End all connections."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Desk:
    """Takes requests: notes them, lets faults strike, asks the API or the pages.

    Args:
        state: The account.
        api: Answers what begins with /v1/.
    """

    def __init__(self, state: State, api: Api) -> None:
        self.state = state
        self.api = api
        self.pages = Pages(state)
        self.faults = Faults()
        self.latency_s = 0.0
        self.requests: list[Request] = []

    def call(self, request: Request) -> Answer | None:
        """The answer to an API request; None where the connection ends without one."""
        self.requests.append(request)
        if self.latency_s:
            time.sleep(self.latency_s)
        fault = self.faults.take(request.path)
        answer = self._with_fault(request, fault) if fault else self.api.answer(request)
        request.status = answer.status if answer else 0
        return answer

    def _with_fault(self, request: Request, fault: Fault) -> Answer | None:
        if fault.kind == "fail":
            return self._fail(request, fault)
        if fault.executed:
            self.api.answer(request)
        if fault.kind == "drop":
            return None
        released = fault.released.wait(fault.seconds)
        return None if released or fault.executed else self.api.answer(request)

    def _fail(self, request: Request, fault: Fault) -> Answer:
        error = failure(fault.status)
        if fault.status < 500:
            # Refused at the door: nothing is kept for the request's key.
            return Answer(error.status, error.body())
        if fault.executed:
            self.api.answer(request)
            return Answer(error.status, error.body())
        return self.api.answer(request, error)

    def visit(self, method: str, target: str, body: str) -> Page:
        """The answer to a browser."""
        return self.pages.answer(method, target, body)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path.startswith("/v1/"):
            self._call(body)
        else:
            page = self.server.desk.visit(self.command, self.path, body)
            self._send(page.status, page.body, {"Content-Type": page.kind, **page.headers})

    def _call(self, body: str) -> None:
        desk = self.server.desk
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = parse(self.command, self.path, headers, body, desk.state.identifier("req_", 14))
        answer = desk.call(request)
        if answer is None:
            self.close_connection = True
            return
        sent = {
            "Content-Type": "application/json",
            "Request-Id": request.id,
            "Stripe-Version": request.version or API_VERSION,
            **answer.headers,
        }
        if request.idempotency_key:
            sent["Idempotency-Key"] = request.idempotency_key
        self._send(answer.status, json.dumps(answer.body, indent=2).encode(), sent)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Listener:
    """The server in a thread, which may go down and come up again on the same port."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stop: Callable[[], None] | None = None
        self.port = 0
        self.up()

    def up(self) -> None:
        """Listen."""
        if self._stop is not None:
            return
        server = Server(self.port, self._desk)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="stripe", daemon=True)
        thread.start()

        def stop() -> None:
            server.shutdown()
            server.server_close()
            server.cut()
            thread.join(10)

        self._stop = stop

    def down(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._stop is not None:
            self._stop()
            self._stop = None
