"""Money: whole numbers in the smallest unit of a currency, written as people of a locale do."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from flask import has_request_context, request

DEFAULT_LOCALE = "en_US"

WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
THOUSANDTHS = "bhd jod kwd omr tnd"
"""Currencies whose smallest unit at Stripe is not a hundredth; https://docs.stripe.com/currencies."""


def digits_of(currency: str) -> int:
    """How many decimal places the smallest unit of a currency has at Stripe."""
    return 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2


def money(amount: int, currency: str, locale: str | None = None) -> str:
    """An amount as people write it: `$9`, `9,50 €`.

    Args:
        amount: In the smallest unit of the currency.
        currency: Three-letter code.
        locale: How to write it; the one that the request asks for where left out.
    """
    # A large import that only pages with prices need.
    from babel.numbers import format_currency, get_decimal_symbol

    locale = locale or _wanted_locale()
    digits = digits_of(currency)
    text = str(format_currency(Decimal(amount).scaleb(-digits), currency.upper(), locale=locale))
    # Nobody writes the cents of a round price.
    return (
        text
        if digits == 0 or amount % 10**digits
        else text.replace(get_decimal_symbol(locale) + "0" * digits, "")
    )


def _wanted_locale() -> str:
    """The first locale that a browser asks for and that is known; that of the United States for none."""
    if not has_request_context():
        return DEFAULT_LOCALE
    for tag, _quality in request.accept_languages:
        found = _known(tag[:35])
        if found is not None:
            return found
    return DEFAULT_LOCALE


@cache
def _known_locales() -> frozenset[str]:
    from babel.localedata import locale_identifiers

    return frozenset(locale_identifiers())


def _known(tag: str) -> str | None:
    language, _, rest = tag.replace("-", "_").partition("_")
    for name in (f"{language.lower()}_{rest.upper()}", language.lower()):
        if name in _known_locales():
            return DEFAULT_LOCALE if name == "en" else name
    return None
