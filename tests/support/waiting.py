"""Waiting for a condition, with a deadline; the suite never sleeps for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    check: Callable[[], T], timeout: float = 20.0, *, interval: float = 0.05, message: str = ""
) -> T:
    """Call `check` until it returns something true, and return that.

    Args:
        check: Asked again and again; an AssertionError in it counts as "not yet".
        timeout: Seconds until giving up.
        interval: Seconds between two questions.
        message: What was waited for, for the failure.

    Raises:
        AssertionError: Nothing true came in time; names the last answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            answer = check()
        except AssertionError as error:
            last: object = error
        else:
            if answer:
                return answer
            last = answer
        if time.monotonic() > deadline:
            what = message or getattr(check, "__name__", "condition")
            raise AssertionError(f"not within {timeout} s: {what}; last answer: {last!r}")
        time.sleep(interval)
