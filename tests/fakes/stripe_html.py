"""Pieces of the pages that people see."""

from __future__ import annotations

from html import escape

STYLE = (
    "body{font:16px sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}"
    "label,fieldset{display:block;margin:1rem 0}"
)
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£"}


def document(title: str, *parts: str, error: str = "") -> bytes:
    """A whole page.

    Args:
        title: Also its heading.
        parts: HTML.
        error: Shown above them, as text.
    """
    alert = f'<p role="alert">{escape(error)}</p>' if error else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{alert}{''.join(parts)}</main></body></html>\n"
    ).encode()


def money(amount: int, currency: str) -> str:
    """An amount as people write it; those currencies have hundredths."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{SYMBOLS.get(currency, currency.upper() + ' ')}{abs(amount) / 100:,.2f}"


def per(price: dict) -> str:
    """What a price costs, and how often."""
    recurring = price["recurring"]
    count = recurring["interval_count"]
    every = recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"
    return f"{money(price['unit_amount'] or 0, price['currency'])} per {every}"


def form(action: str, *parts: str) -> str:
    """A form that is posted."""
    return f'<form method="post" action="{escape(action)}">{"".join(parts)}</form>'


def button(text: str) -> str:
    """A button that posts its form."""
    return f'<button type="submit">{escape(text)}</button>'


def link(target: str, text: str) -> str:
    """A link in a paragraph of its own."""
    return f'<p><a href="{escape(target)}">{escape(text)}</a></p>'


def text(words: str) -> str:
    """A paragraph."""
    return f"<p>{escape(words)}</p>"


def field(name: str, label: str, value: str = "", kind: str = "text", complete: str = "off") -> str:
    """A labelled field that has to be filled in."""
    return (
        f'<label for="{name}">{escape(label)}</label><input id="{name}" name="{name}" type="{kind}" '
        f'value="{escape(value)}" autocomplete="{complete}" required>'
    )


def card_fields() -> str:
    """What is asked of a card."""
    return (
        field("number", "Card number", complete="cc-number")
        + field("expiry", "Expiration", "12 / 40", complete="cc-exp")
        + field("cvc", "CVC", "123", complete="cc-csc")
    )
