"""The notation of forms in which Stripe takes parameters: `items[0][price]=...`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from tests.fakes.stripe_errors import RefusedParameter

PIECE = re.compile(r"\[([^\[\]]*)\]")


def decode(text: str) -> dict:
    """Nested dictionaries, lists and strings from a form or query.

    Args:
        text: URL-encoded; lists are `name[0]`, `name[1]` or a repeated `name[]`.
    """
    found: dict = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        pieces = [head, *PIECE.findall(name[len(head) :])] if bracket else [name]
        _put(found, pieces, value, name)
    return {name: _with_lists(value) for name, value in found.items()}


def _put(found: dict, pieces: list[str], value: str, name: str) -> None:
    for piece in pieces[:-1]:
        key = str(len(found)) if piece == "" else piece
        inner = found.setdefault(key, {})
        if not isinstance(inner, dict):
            raise RefusedParameter(f"Invalid object: {name}", name)
        found = inner
    last = pieces[-1]
    found[str(len(found)) if last == "" else last] = value


def _with_lists(value: object) -> object:
    if not isinstance(value, dict):
        return value
    inner = {key: _with_lists(each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
