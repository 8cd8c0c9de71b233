"""What a browser sees: checkout, portal and invoices; https://docs.stripe.com/payments/checkout."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from tests.fakes import stripe_checkout
from tests.fakes import stripe_html as html
from tests.fakes.stripe_errors import ApiError
from tests.fakes.stripe_state import State


@dataclass
class Page:
    """An answer to a browser."""

    status: int
    body: bytes
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Visit:
    """What a browser asks for: the steps of the path, and the fields of query and form."""

    method: str
    steps: list[str]
    fields: dict[str, str]


def see_other(target: str) -> Page:
    """Send the browser on."""
    return Page(303, b"", headers={"Location": target})


def shown(title: str, *parts: str, error: str = "", status: int = 200) -> Page:
    """A page."""
    return Page(status, html.document(title, *parts, error=error))


class Pages:
    """Finds the page of a path.

    Args:
        state: The account.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def answer(self, method: str, target: str, body: str) -> Page:
        """The page, or the page that says there is none."""
        from tests.fakes.stripe_portal_pages import portal

        parts = urlsplit(target)
        fields = dict(parse_qsl(parts.query)) | dict(parse_qsl(body))
        visit = Visit(method, parts.path.strip("/").split("/"), fields)
        makers = {"c": checkout, "p": portal, "i": invoice}
        make = makers.get(visit.steps[0])
        try:
            with self.state.change():
                return make(self.state, visit) if make else _nothing()
        except ApiError as error:
            if error.status == 404:
                return _nothing()
            return shown("Something went wrong", error=error.message, status=400)


def _nothing() -> Page:
    return shown("Page not found", html.text("The page you were looking for is not there."), status=404)


CLOSED = {
    "expired": ("This checkout session has expired", "Start again where you came from."),
    "complete": ("You have already paid", "This checkout session is complete."),
}


def checkout(state: State, visit: Visit) -> Page:
    """/c/pay/ID, and /c/pay/ID/back."""
    if len(visit.steps) < 3:
        return _nothing()
    session = state.get("checkout.session", visit.steps[2])
    if session["status"] in CLOSED:
        title, words = CLOSED[session["status"]]
        return shown(title, html.text(words))
    if visit.steps[3:] == ["back"]:
        return see_other(session["cancel_url"])
    if visit.method != "POST":
        return _form(state, session)
    try:
        fields = visit.fields
        target = stripe_checkout.complete(state, session, fields.get("number", ""), fields.get("email", ""))
    except ApiError as error:
        return _form(state, session, error.message, visit.fields.get("email", ""))
    return see_other(target)


def _form(state: State, session: dict, error: str = "", email: str = "") -> Page:
    own = f"/c/pay/{session['id']}"
    lines = []
    for each in session["_lines"]:
        price = state.get("price", each["price"])
        lines.append(html.text(f"{each['quantity']} × {each['description']}: {html.per(price)}"))
    total = f"Total due today: {html.money(_due(session), session['currency'])}"
    customer = state.tables["customer"].get(session["customer"] or "", {})
    known = session["customer_email"] or customer.get("email")
    address = html.text(f"Email: {known}") if known else html.field("email", "Email", email, "email", "email")
    back = html.form(f"{own}/back", html.button("Back")) if session["cancel_url"] else ""
    pay = html.form(own, address, html.card_fields(), html.button("Subscribe"))
    return shown("Subscribe", *lines, html.text(total), pay, back, error=error)


def _due(session: dict) -> int:
    data = session["_data"]
    trial = data.get("trial_period_days") or data.get("trial_end")
    return 0 if trial else int(session["amount_total"])


def invoice(state: State, visit: Visit) -> Page:
    """/i/NAME is an invoice, /i/NAME/pdf a file of it."""
    found = [each for each in state.all("invoice") if each.get("_page") == visit.steps[1]]
    if not found:
        return _nothing()
    if visit.steps[2:] == ["pdf"]:
        return Page(200, b"%PDF-1.4\n%%EOF\n", "application/pdf")
    one = found[0]
    lines = [
        html.text(f"{each['description']}: {html.money(each['amount'], each['currency'])}")
        for each in one["lines"]["data"]
    ]
    total = html.text(f"Amount due: {html.money(one['amount_due'], one['currency'])}, {one['status']}")
    return shown(f"Invoice {one['number']}", *lines, total, html.link(one["invoice_pdf"], "Download invoice"))
