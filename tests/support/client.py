"""A test client whose requests share nothing but cookies, although the test itself is in a context."""

from __future__ import annotations

import contextvars
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class FreshClient(FlaskClient):
    """Gives each request an application context of its own, as a server does.

    Flask reuses the context it finds, and with it `g`, where Flask-Login keeps who is logged in: the second
    request of a test would be answered for the person of the first.
    """

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        """Send a request, out of sight of the test's own context."""
        return contextvars.Context().run(super().open, *arguments, **options)
