"""Every response carries the headers, and a proxy is believed only as far as it is trusted."""

import re

import pytest

PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9", "X-Forwarded-Host": "rexec.example"}


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/static/css/tokens.css"])
def test_the_policy_allows_no_inline_script_or_style(get, path):
    policy = get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_the_nonce_of_the_policy_is_new_for_each_response(client):
    nonces = {
        re.search(r"'nonce-([^']+)'", client.get("/").headers["Content-Security-Policy"]).group(1)
        for _ in range(3)
    }
    assert len(nonces) == 3


def test_pages_carry_no_inline_script_handler_or_style(client):
    for path in ("/", "/login", "/signup", "/nowhere"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page)
        assert not re.search(r"\sstyle=", page)
        assert not re.search(r"\son[a-z]+=", page)


def test_a_page_is_not_kept_by_caches_and_a_versioned_file_is(get):
    assert get("/login").headers["Cache-Control"] == "no-store"
    address = re.search(r'href="(/static/v/[^"]+\.css)"', get("/login").text).group(1)
    version = address.split("/")[3]
    assert "immutable" in get(address).headers["Cache-Control"]
    assert get(address.replace(version, "of-another-release")).headers["Cache-Control"] == "no-cache"
    assert get(address.replace(f"/v/{version}", "")).headers["Cache-Control"] == "no-cache"


def test_a_proxy_is_not_believed_on_loopback(client):
    response = client.get("/containers", headers=PROXY)
    assert "Strict-Transport-Security" not in response.headers
    assert "rexec.example" not in response.headers["Location"]


def test_the_trusted_proxy_is_believed(make_app):
    client = make_app(trusted_proxy_hops=1).test_client()
    response = client.get("/login", headers=PROXY)
    assert "Strict-Transport-Security" in response.headers
    assert "; Secure;" in response.headers["Set-Cookie"]


def test_several_trusted_proxies_need_not_each_say_that_it_was_https(make_app):
    client = make_app(trusted_proxy_hops=3).test_client()
    chain = {"X-Forwarded-For": "198.51.100.7, 203.0.113.1, 10.0.0.1", "X-Forwarded-Proto": "https"}
    response = client.get("/login", headers=chain)
    assert "Strict-Transport-Security" in response.headers
    assert "; Secure;" in response.headers["Set-Cookie"]


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(client):
    cookie = client.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_an_https_address_makes_cookies_secure(make_app):
    client = make_app(app_url="https://rexec.example").test_client()
    assert "; Secure;" in client.get("/login").headers["Set-Cookie"]


def test_the_request_id_of_the_router_is_kept_when_it_is_sound(client):
    assert client.get("/", headers={"X-Request-Id": "abc-123_XYZ"}).headers["X-Request-Id"] == "abc-123_XYZ"
    unsound = client.get("/", headers={"X-Request-Id": "<b>"}).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{16}", unsound)
