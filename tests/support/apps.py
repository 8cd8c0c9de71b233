"""The application in the test's own process, as most tests below a browser use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from rexec import create_app
from rexec.config import Settings
from rexec.extensions import db
from tests.support.client import FreshClient


@contextmanager
def application(settings: Settings, docker_host: Any = None) -> Iterator[Flask]:
    """Give an application in its context, and close what it holds in the end.

    Args:
        settings: What it is made with.
        docker_host: Stands in for the daemon; the real one where None.
    """
    app = create_app(settings, docker_host=docker_host)
    app.testing = True
    app.test_client_class = FreshClient
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if docker_host is None:
        app.extensions["rexec.docker_host"].close()
