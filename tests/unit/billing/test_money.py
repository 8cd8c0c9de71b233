"""Money is a whole number of the smallest unit, written as people of a locale do."""

from __future__ import annotations

import pytest

from rexec.billing.money import digits_of, money


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "written"),
    [
        (900, "usd", "en_US", "$9"),
        (905, "usd", "en_US", "$9.05"),
        (123_456_700, "usd", "en_US", "$1,234,567"),
        (950, "eur", "de", "9,50\xa0€"),
        (900, "eur", "de", "9\xa0€"),
        (900, "jpy", "en_US", "¥900"),
        (1500, "kwd", "en_US", "KWD1.500"),
        (1, "gbp", "en_GB", "£0.01"),
        (0, "usd", "en_US", "$0"),
        (-250, "usd", "en_US", "-$2.50"),
    ],
)
def test_an_amount_is_written_as_its_locale_does(amount, currency, locale, written):
    assert money(amount, currency, locale) == written


def test_not_every_currency_has_hundredths():
    assert [digits_of(currency) for currency in ("usd", "jpy", "kwd")] == [2, 0, 3]


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("de-DE,de;q=0.9", "9\xa0€"),
        ("en-GB", "€9"),
        ("tlh, fr", "9\xa0€"),
        ("x", "€9"),
        ("", "€9"),
        ("DE-de", "9\xa0€"),
    ],
)
def test_a_page_writes_it_as_the_browser_asks(app, asked, written):
    with app.test_request_context(headers={"Accept-Language": asked}):
        assert money(900, "eur") == written


def test_outside_a_request_it_is_written_as_in_the_united_states(app):
    assert money(900, "usd") == "$9"
