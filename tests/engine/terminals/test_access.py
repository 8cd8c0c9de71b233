"""Who gets a terminal, and until when."""

from __future__ import annotations

import pytest
import requests

from tests.support.stacks import on_postgres
from tests.support.terminal_window import Refused

pytestmark = on_postgres


def refusal_of(open_window, *arguments, **options):
    with pytest.raises(Refused) as refusal:
        open_window(*arguments, **options)
    return refusal.value.status


@pytest.mark.parametrize(
    "origin",
    ["https://elsewhere.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example", "nonsense"],
)
def test_a_page_from_elsewhere_gets_no_terminal(user, container, open_window, origin):
    assert refusal_of(open_window, user, container, origin=origin) == 403


def test_without_an_origin_no_browser_asks(user, container, open_window):
    assert open_window(user, container, origin=None).ready().run("echo he''re").endswith("here")


def test_a_page_behind_a_proxy_that_ends_tls_is_ours(user, container, open_window):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "rexec.example.com"}
    window = open_window(user, container, origin="https://rexec.example.com", headers=headers)
    window.ready()
    assert refusal_of(open_window, user, container, origin="http://rexec.example.com", headers=headers) == 403


def test_after_a_log_out_there_is_no_terminal(server, new_user, open_window):
    user = new_user(server)
    public_id = user.new_container()
    user.wait_for(public_id)
    cookie = user.cookie_header
    user.log_out()
    user.session.headers["Cookie"] = cookie
    status = refusal_of(open_window, user, public_id)
    assert status == 403


def test_an_open_terminal_ends_after_a_log_out(own_hurried, new_user, open_window):
    user = new_user(own_hurried)
    public_id = user.new_container()
    user.wait_for(public_id)
    window = open_window(user, public_id).ready()
    user.log_out()
    assert window.wait_closed(timeout=45) == (4401, "session over")


def test_a_plain_request_is_told_what_the_address_speaks(server, user, new_user, container):
    answer = user.get(f"/containers/{container}/terminal", allow_redirects=False)
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    stranger = new_user(server)
    assert stranger.get(f"/containers/{container}/terminal", allow_redirects=False).status_code == 404


@pytest.mark.parametrize("tab", [0, 9, -1])
def test_a_tab_that_is_none_is_refused(user, container, open_window, tab):
    assert refusal_of(open_window, user, container, tab=tab) == 422


def test_an_upgrade_that_is_no_websocket_handshake_is_refused(user, container):
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    answer = user.get(f"/containers/{container}/terminal", headers=headers, allow_redirects=False)
    assert answer.status_code == 422


def test_a_stranger_without_cookie_is_refused(server, container):
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = requests.get(f"{server.url}/containers/{container}/terminal", headers=headers, timeout=10)
    assert answer.status_code == 403
