"""What a web process does now and then beside looking: count for `/metrics`, and tell the operator.

In a thread of its own, because a database that does not answer holds whoever asks it for seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from rexec.health import alerts, figures

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger(__name__)

EVERY_S = 10.0

Body = dict[str, Any]


class Rounds:
    """Comes round every ten seconds.

    Args:
        app: Its context is pushed for each question to the database.
        body: Gives the last answer to `/health`, None before the first look.
    """

    def __init__(self, app: Flask, body: Callable[[], Body | None]) -> None:
        self.figures: figures.Figures | None = None
        self._app = app
        self._body = body
        self._stopping = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="health-rounds", daemon=True).start()

    def stop(self) -> None:
        """End the thread at its next turn."""
        self._stopping.set()

    def go(self) -> None:
        """Come round once."""
        body = self._body()
        if body is not None:
            alerts.of(self._app).consider(alerts.of_body(body))
        try:
            with self._app.app_context():
                self.figures = figures.read()
        except SQLAlchemyError as error:
            log.debug("the figures stay as they were: %s", type(error).__name__)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S if self.figures else 1.0):
            self.go()
