"""A person with a browser that runs no scripts: a cookie jar, forms, and an address of their own."""

from __future__ import annotations

import itertools
import re
import secrets
from typing import Any

import requests

from tests.support.waiting import eventually

PASSWORD = "correct-horse-battery-staple"
CSRF = re.compile(r'name="csrf_token"[^>]*\bvalue="([^"]+)"|\bvalue="([^"]+)"[^>]*name="csrf_token"')
_addresses = itertools.count(secrets.randbelow(1 << 16))


def new_address() -> str:
    """An address of the network for benchmarks (RFC 2544) that no other person of this test session has."""
    number = next(_addresses)
    return f"198.18.{number // 250 % 250}.{number % 250 + 1}"


class HttpUser:
    """Talks to a running Rexec over HTTP.

    Args:
        url: The server's address.
        email: Made up where left out, so that no two tests share a person.
    """

    def __init__(self, url: str, email: str | None = None, password: str = PASSWORD) -> None:
        self.url = url
        self.email = email or f"person-{secrets.token_hex(6)}@example.com"
        self.password = password
        self.address = new_address()
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["X-Forwarded-For"] = self.address

    def close(self) -> None:
        """Close its connections."""
        self.session.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a page; redirects are followed."""
        return self.session.get(self.url + path, timeout=options.pop("timeout", 30), **options)

    def csrf_token(self, page: str = "/login") -> str:
        """The token in the forms of a page."""
        found = CSRF.search(self.get(page).text)
        assert found, f"no csrf_token on {page}"
        return found[1] or found[2]

    def post(
        self, path: str, form: dict[str, str] | None = None, *, page: str | None = None, **options: Any
    ) -> requests.Response:
        """POST a form with the CSRF token of `page`, or of the path itself; redirects are not followed."""
        token = self.csrf_token(page or path)
        options.setdefault("allow_redirects", False)
        return self.session.post(
            self.url + path,
            data={**(form or {}), "csrf_token": token},
            headers={"Referer": self.url + (page or path)},
            timeout=options.pop("timeout", 30),
            **options,
        )

    def sign_up(self) -> HttpUser:
        """Make an account and be logged in."""
        answer = self.post("/signup", {"email": self.email, "password": self.password})
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return self

    def log_in(self) -> requests.Response:
        """Log in with the account's own password."""
        return self.post("/login", {"email": self.email, "password": self.password})

    def log_out(self) -> requests.Response:
        """Log out."""
        return self.post("/logout", page="/account")

    def new_container(self, name: str = "lab", image: str = "shell") -> str:
        """Ask for a container; returns its public id."""
        answer = self.post("/containers", {"name": name, "image": image}, page="/containers/new")
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return answer.headers["Location"].rstrip("/").rpartition("/")[2]

    def act(self, public_id: str, verb: str) -> requests.Response:
        """Press one of the buttons of a container: start, stop, restart, retry, cancel, delete."""
        return self.post(f"/containers/{public_id}/{verb}", page="/containers/new")

    def status(self, public_id: str) -> str | None:
        """What the container's page says its status is; None when the page is gone."""
        answer = self.get(f"/containers/{public_id}")
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        for element in re.findall(r"<[^>]*\bdata-container-id=[^>]*>", answer.text):
            found = re.search(r'data-status="(\w+)"', element)
            if f'data-container-id="{public_id}"' in element and found:
                return found[1]
        raise AssertionError(f"the page of {public_id} names no status")

    def wait_for(self, public_id: str, status: str | None = "running", timeout: float = 30.0) -> None:
        """Wait until the container's page says `status`; None for until it is gone."""

        def reached() -> bool:
            now = self.status(public_id)
            assert now == status, f"the page says {now}"
            return True

        eventually(reached, timeout, message=f"container {public_id} {status or 'gone'}")

    @property
    def cookie_header(self) -> str:
        """The Cookie header of its session, for a WebSocket."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)
