"""Which parameters an endpoint takes, read from the types that the official library gives them.

https://docs.stripe.com/api says the same in prose; the error codes are those of
https://docs.stripe.com/error-codes.
"""

from __future__ import annotations

import functools
import re
import sys
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

import typing_extensions
from stripe import RequestOptions, params

from tests.fakes.stripe_errors import RefusedParameter, required

OPTIONS = frozenset(RequestOptions.__annotations__)
INTEGER = re.compile(r"-?\d+")


@dataclass
class Rule:
    """What one parameter may be; several at once are alternatives."""

    scalars: set[type] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    unsettable: bool = False
    shape: type | None = None
    values: object = None
    elements: object = None

    @property
    def any_text(self) -> bool:
        """Whether every string is fine: words beside `str` mean that newer versions may know more of them."""
        return str in self.scalars and not self.words


def parameters(name: str) -> type:
    """The library's type of an endpoint's parameters, such as `checkout.SessionCreateParams`."""
    return functools.reduce(getattr, name.split("."), params)  # type: ignore[arg-type]


@functools.cache
def fields(shape: type) -> dict[str, object]:
    """Types by parameter, without the options that never go over the wire."""
    names = {**vars(sys.modules[shape.__module__]), "StripeContext": object, "Mapping": Mapping}
    hints = typing_extensions.get_type_hints(shape, names)
    return {name: hint for name, hint in hints.items() if name not in OPTIONS}


@functools.cache
def rule(hint: object) -> Rule:
    """What a type allows."""
    result = Rule()
    union = typing.get_origin(hint) in {typing.Union, types.UnionType}
    for part in typing.get_args(hint) if union else (hint,):
        _add(result, part)
    return result


def _add(result: Rule, part: object) -> None:
    origin, arguments = typing.get_origin(part), typing.get_args(part)
    if origin is typing.Literal:
        result.unsettable = result.unsettable or "" in arguments
        result.words += [word for word in arguments if word]
    elif origin is list:
        result.elements = arguments[0]
    elif origin in {typing.Union, types.UnionType}:
        for inner in arguments:
            _add(result, inner)
    elif origin is not None:
        result.values = arguments[-1]
    elif typing_extensions.is_typeddict(part):
        result.shape = part  # type: ignore[assignment]
    elif isinstance(part, type):
        result.scalars.add(part)


def check(shape: type, given: object, path: str = "") -> dict:
    """The parameters with their types, or the refusal that Stripe would give.

    Args:
        shape: The library's TypedDict.
        given: What was decoded from the form.
        path: Where in the request it is.
    """
    if not isinstance(given, dict):
        raise RefusedParameter("Invalid object", path)
    known = fields(shape)
    for name in given:
        if name not in known:
            full = _join(path, name)
            raise RefusedParameter(f"Received unknown parameter: {full}", full, "parameter_unknown")
    for name in shape.__required_keys__ - OPTIONS:  # type: ignore[attr-defined]
        if name not in given:
            raise required(_join(path, name))
    return {name: _value(rule(known[name]), each, _join(path, name)) for name, each in given.items()}


def _join(path: str, name: object) -> str:
    return f"{path}[{name}]" if path else str(name)


def _value(allowed: Rule, given: object, path: str) -> object:
    if isinstance(given, list):
        if allowed.elements is None:
            raise RefusedParameter("Invalid string or object: an array was given", path)
        inner = rule(allowed.elements)
        return [_value(inner, each, _join(path, number)) for number, each in enumerate(given)]
    if isinstance(given, dict):
        if allowed.shape is not None:
            return check(allowed.shape, given, path)
        if allowed.values is not None:
            inner = rule(allowed.values)
            return {key: each if each == "" else _value(inner, each, path) for key, each in given.items()}
        raise RefusedParameter(f"Invalid {'array' if allowed.elements else 'string'}", path)
    return _scalar(allowed, str(given), path)


def _scalar(allowed: Rule, given: str, path: str) -> object:
    if given == "":
        if allowed.unsettable or allowed.values is not None:
            return ""
        raise RefusedParameter(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a "
            f"parameter; however '{path}' cannot be unset. You should remove '{path}' from your request or "
            "supply a non-empty value.",
            path,
            "parameter_invalid_empty",
        )
    if given in allowed.words or allowed.any_text:
        return given
    if int in allowed.scalars and INTEGER.fullmatch(given):
        return int(given)
    if bool in allowed.scalars and given in {"true", "false"}:
        return given == "true"
    if allowed.scalars & {float, Decimal} and _is_number(given):
        return given
    raise _refusal(allowed, given, path)


def _is_number(given: str) -> bool:
    try:
        return Decimal(given).is_finite()
    except InvalidOperation:
        return False


def _refusal(allowed: Rule, given: str, path: str) -> RefusedParameter:
    if allowed.words:
        words = ", ".join(allowed.words[:-1])
        choice = f"one of {words}, or {allowed.words[-1]}" if words else allowed.words[-1]
        return RefusedParameter(f"Invalid {path}: must be {choice}", path)
    if int in allowed.scalars:
        return RefusedParameter(f"Invalid integer: {given}", path, "parameter_invalid_integer")
    if bool in allowed.scalars:
        return RefusedParameter(f"Invalid boolean: {given}", path)
    if allowed.scalars & {float, Decimal}:
        return RefusedParameter(f"Invalid decimal: {given}", path)
    return RefusedParameter(f"Invalid {'array' if allowed.elements else 'object'}", path)
