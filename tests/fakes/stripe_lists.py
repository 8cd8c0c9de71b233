"""Pages of lists and expansion of ids.

https://docs.stripe.com/api/pagination and https://docs.stripe.com/api/expanding_objects
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes import stripe_shapes
from tests.fakes.stripe_errors import RefusedParameter, invalid, missing
from tests.fakes.stripe_state import State

MOST = 100
DEPTH = 4
COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def page(state: State, url: str, found: Iterable[dict], given: dict) -> dict:
    """One page, newest first.

    Args:
        state: The account.
        url: For the list's own `url`.
        found: All that match, oldest first.
        given: `limit`, `starting_after`, `ending_before`.
    """
    ordered = list(found)[::-1]
    limit = given.get("limit", 10)
    if not 1 <= limit <= MOST:
        raise RefusedParameter(f"Invalid limit: must be between 1 and {MOST}", "limit")
    if "starting_after" in given and "ending_before" in given:
        raise invalid("You cannot parameterize both starting_after and ending_before.", "starting_after")
    if "starting_after" in given:
        ordered = ordered[_place(ordered, given["starting_after"], "starting_after") + 1 :]
    if "ending_before" in given:
        ordered = ordered[: _place(ordered, given["ending_before"], "ending_before")]
        data = ordered[-limit:]
    else:
        data = ordered[:limit]
    views = [state.view(each) for each in data]
    return stripe_shapes.listing(url, views, has_more=len(ordered) > limit)


def _place(ordered: list[dict], name: str, param: str) -> int:
    for number, each in enumerate(ordered):
        if each["id"] == name:
            return number
    raise missing(ordered[0]["object"] if ordered else "object", name, param)


def within(moment: int, given: Any) -> bool:
    """Whether a moment is the given one, or in the given range."""
    if given is None:
        return True
    if isinstance(given, dict):
        return all(COMPARE[name](moment, bound) for name, bound in given.items())
    return moment == given


def matching(found: Iterable[dict], **wanted: Any) -> list[dict]:
    """Objects whose fields have these values; None is no condition."""
    conditions = {name: value for name, value in wanted.items() if value is not None}
    return [each for each in found if all(each.get(name) == value for name, value in conditions.items())]


INCLUDE: dict[tuple[str, str], Callable[[State, dict], object]] = {}
"""What makes a field that is only there where it is expanded."""


def expand(state: State, answer: dict, paths: Iterable[str]) -> dict:
    """Replace ids by their objects, in place.

    Raises:
        ApiError: A path leads to something that cannot be expanded.
    """
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH:
            raise invalid(f"You cannot expand more than 4 levels of a property. Property: {path}", "expand")
        if answer.get("object") == "list" and steps[0] != "data":
            raise _cannot(path, f" You may want to try expanding 'data.{path}' instead of '{path}'.")
        _expand(state, answer, steps, path)
    return answer


def _cannot(path: str, more: str = "") -> Exception:
    return invalid(f"This property cannot be expanded ({path}).{more}", "expand")


def _expand(state: State, inside: Any, steps: list[str], path: str) -> None:
    if isinstance(inside, list):
        for each in inside:
            _expand(state, each, steps, path)
        return
    if not isinstance(inside, dict) or not steps:
        return
    name, kind = steps[0], inside.get("object", "")
    _include(state, inside, kind, name)
    if name not in inside:
        raise _cannot(path)
    value = inside[name]
    if isinstance(value, str) or value is None:
        inside[name] = value = _object(state, inside, name, path)
    elif len(steps) == 1 and not isinstance(value, dict | list):
        raise _cannot(path)
    _expand(state, value, steps[1:], path)


def _include(state: State, inside: dict, kind: str, name: str) -> None:
    make = INCLUDE.get((kind, name))
    if make is not None and name not in inside:
        inside[name] = make(state, state.get(kind, inside["id"]))


def _object(state: State, inside: dict, name: str, path: str) -> Any:
    kind, value = inside.get("object", ""), inside[name]
    found = state.find(value) if value else None
    if kind and not stripe_shapes.can_expand(kind, name):
        raise _cannot(path)
    if not kind and value and found is None:
        raise _cannot(path)
    return state.view(found) if found else value
