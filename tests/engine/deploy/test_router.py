"""Behind a platform's router: https is known, people are told apart, terminals outlive its idle time-out."""

from __future__ import annotations

import time

import pytest

from rexec.accounts.limits import PER_ADDRESS
from tests.support.http_user import new_address
from tests.support.router import TUNNEL_S, Router, raw_cookies
from tests.support.server import HurriedServer
from tests.support.stacks import on_postgres
from tests.support.terminal_window import Refused, TerminalWindow

pytestmark = on_postgres

TRIES = int(PER_ADDRESS.split()[0])


@pytest.fixture
def behind(stack, database_url, tmp_path):
    """Makes a router with so many hops, and behind it `rexec serve` as a platform runs it."""
    made = []

    def make(hops=1):
        certificates = stack.engine.certificates
        values = {
            "DOCKER_HOST": stack.engine.environment()["DOCKER_HOST"],
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CA_CERT_FILE": str(certificates / "ca.pem"),
            "DOCKER_CLIENT_CERT_FILE": str(certificates / "cert.pem"),
            "DOCKER_CLIENT_KEY_FILE": str(certificates / "key.pem"),
            "DATABASE_URL": database_url,
            "JWT_SECRET": stack.server_environment(database_url)["JWT_SECRET"],
            "REDIS_URL": stack.redis_url(),
            **({"TRUSTED_PROXY_HOPS": str(hops)} if hops > 1 else {}),
        }
        server = HurriedServer(tmp_path / "server", values, "serve", "--bind", "0.0.0.0")
        router = Router(tmp_path / "router", server.port, hops)
        made.extend((server, router))
        server.start()
        router.start()
        return router

    yield make
    for program in reversed(made):
        program.stop()


def wrong_log_in(router, address):
    """The status of one attempt from an address of loopback, with a claim to come from elsewhere."""
    visitor = router.visitor(address)
    visitor.session.headers["X-Forwarded-For"] = new_address()
    status = visitor.log_in().status_code
    visitor.close()
    return status


@pytest.mark.parametrize("hops", [1, 3])
def test_cookies_are_secure_and_people_are_told_apart_by_their_real_address(behind, hops):
    router = behind(hops)
    visitor = router.visitor()
    page = visitor.get("/login")
    assert "Strict-Transport-Security" in page.headers
    assert raw_cookies(page)
    assert all("; Secure" in cookie for cookie in raw_cookies(page))
    visitor.close()
    assert [wrong_log_in(router, "127.0.0.2") for _ in range(TRIES)] == [422] * TRIES
    assert wrong_log_in(router, "127.0.0.2") == 429
    assert wrong_log_in(router, "127.0.0.3") == 422


def test_a_terminal_outlives_the_idle_time_out_and_a_foreign_page_is_refused(behind):
    router = behind()
    person = router.visitor().sign_up()
    public_id = person.new_container()
    person.wait_for(public_id)
    window = TerminalWindow(router.url, person.cookie_header, public_id, tls=router.tls()).ready()
    assert window.run("mark=kept; echo $((6 * 7))") == "42"
    with pytest.raises(Refused) as refusal:
        TerminalWindow(
            router.url, person.cookie_header, public_id, origin="https://elsewhere.example", tls=router.tls()
        )
    assert refusal.value.status == 403
    idle_since = time.monotonic()
    while time.monotonic() - idle_since < TUNNEL_S + 1:
        window.read(0.5)
        assert window.closed is None
    assert window.pings >= 1
    assert window.run("echo $mark") == "kept"
    window.close()
    person.act(public_id, "delete")
    person.wait_for(public_id, None)
    person.close()
