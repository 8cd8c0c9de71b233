"""A person with a browser, inside the test's process: forms with a CSRF token, an address of their own."""

from __future__ import annotations

import html
import re
import secrets
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.client import FreshClient
from tests.support.http_user import CSRF, PASSWORD, new_address


class PageUser:
    """Talks to an application without a server.

    Args:
        app: The application.
        email: Made up where left out.
        address: Where the requests come from; one of their own where left out.
    """

    def __init__(self, app: Flask, email: str | None = None, *, address: str | None = None) -> None:
        self.app = app
        self.email = email if email is not None else f"person-{secrets.token_hex(6)}@example.com"
        self.password = PASSWORD
        self.address = address or new_address()
        self.client = FreshClient(app, app.response_class)

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET a page; redirects are not followed."""
        return self.client.get(path, environ_base={"REMOTE_ADDR": self.address}, **options)

    def csrf_token(self) -> str:
        """The token that this browser's forms carry; every page has at least one form for whoever has one."""
        for page in ("/login", "/account"):
            found = CSRF.search(self.get(page).text)
            if found:
                return found[1] or found[2]
        raise AssertionError("no form anywhere")

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """POST a form with a CSRF token; redirects are not followed."""
        fields = {"csrf_token": self.csrf_token(), **(form or {})}
        return self.client.post(path, data=fields, environ_base={"REMOTE_ADDR": self.address}, **options)

    def sign_up(self, path: str = "/signup") -> TestResponse:
        """Ask for an account."""
        return self.post(path, {"email": self.email, "password": self.password})

    def log_in(self, password: str | None = None, path: str = "/login") -> TestResponse:
        """Try to log in."""
        return self.post(path, {"email": self.email, "password": password or self.password})

    def is_logged_in(self) -> bool:
        """Whether a page that needs it opens."""
        answer = self.get("/account")
        assert answer.status_code in {200, 303}, answer.text
        return answer.status_code == 200


def visible(answer: TestResponse) -> str:
    """What a page says: its text without tags, tokens and spaces between words."""
    body = answer.text.partition("<body")[2]
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<dl class=\"error-facts\">.*?</dl>", "", body, flags=re.DOTALL))
    return " ".join(html.unescape(text).split())


def statuses(answer: TestResponse) -> dict[str, str]:
    """The status of each container that a page shows, by its public id."""
    return dict(re.findall(r'data-container-id="(\w+)" data-status="(\w+)"', answer.text))
