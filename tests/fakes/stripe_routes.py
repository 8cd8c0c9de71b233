"""Endpoints by method and path."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.stripe_state import State


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: which of the library's types its parameters have, and what it does."""

    method: str
    pattern: re.Pattern[str]
    parameters: str
    run: Callable[..., dict]
    defaults: dict[str, Any]


ENDPOINTS: list[Endpoint] = []


def endpoint(method: str, path: str, parameters: str, **defaults: Any) -> Callable:
    """Register a function `run(state, params, *ids)`.

    Args:
        method: Of HTTP.
        path: With `{}` for each id.
        parameters: The name of the library's type in `stripe.params`.
        defaults: Handed to the function by name, where one function serves several endpoints.
    """
    pattern = re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))

    def register(run: Callable[..., dict]) -> Callable[..., dict]:
        ENDPOINTS.append(Endpoint(method, pattern, parameters, run, defaults))
        return run

    return register


def find(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]] | None:
    """The endpoint of a request, and the ids in its path."""
    for each in ENDPOINTS:
        match = each.pattern.fullmatch(path)
        if each.method == method and match is not None:
            return each, match.groups()
    return None


__all__ = ["Endpoint", "State", "endpoint", "find"]
