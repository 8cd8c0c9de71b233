"""Invoices and their payment; https://docs.stripe.com/api/invoices/object.

Since the API versions called basil an invoice names its subscription in `parent.subscription_details`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes import stripe_lists, stripe_shapes
from tests.fakes.stripe_errors import declined, invalid
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_payments import AUTHENTICATE, card_of, charge_card
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State

DAY = 24 * 3600
WHEN_PAID: list[Callable[[State, dict], None]] = []
"""Told of every paid invoice."""


def subscription_of(invoice: dict) -> str | None:
    """The id of the subscription that an invoice is for."""
    parent = invoice["parent"]
    return parent["subscription_details"]["subscription"] if parent else None


def blank(state: State, subscription: dict, reason: str, lines: list[dict], name: str) -> dict:
    """An invoice as a draft, in no table yet."""
    customer = state.get("customer", subscription["customer"])
    for each in lines:
        each["invoice"] = name
    return stripe_shapes.shape(
        "invoice",
        id=name,
        account_country="US",
        account_name="Fake account",
        attempt_count=0,
        attempted=False,
        auto_advance=True,
        automatic_tax={**subscription["automatic_tax"], "provider": None, "status": None},
        billing_reason=reason,
        collection_method="charge_automatically",
        created=state.now(),
        currency=subscription["currency"],
        customer=customer["id"],
        customer_email=customer.get("email"),
        customer_name=customer.get("name"),
        customer_tax_exempt="none",
        issuer={"type": "self"},
        lines=stripe_shapes.listing(f"/v1/invoices/{name}/lines", lines),
        livemode=False,
        metadata={},
        parent=_parent(subscription),
        payment_settings=dict.fromkeys(
            ("default_mandate", "payment_method_options", "payment_method_types"),
        ),
        period_start=min((each["period"]["start"] for each in lines), default=state.now()),
        period_end=max((each["period"]["end"] for each in lines), default=state.now()),
        status="draft",
        status_transitions=dict.fromkeys(
            ("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at"),
        ),
        **_amounts(sum(each["amount"] for each in lines), customer.get("balance", 0)),
    )


def _parent(subscription: dict) -> dict:
    details = {
        "metadata": dict(subscription["metadata"]),
        "subscription": subscription["id"],
        "subscription_proration_date": None,
    }
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def _amounts(total: int, balance: int) -> dict:
    """All amounts of a draft: a negative balance is the customer's credit, and pays first."""
    due = max(0, total + balance)
    names = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")
    nothing = (
        "amount_overpaid",
        "amount_paid",
        "amount_shipping",
        "post_payment_credit_notes_amount",
        "pre_payment_credit_notes_amount",
    )
    lists: dict[str, list] = {
        name: [] for name in ("total_discount_amounts", "total_pretax_credit_amounts", "total_taxes")
    }
    return {
        **dict.fromkeys(names, total),
        **dict.fromkeys(nothing, 0),
        **lists,
        "amount_due": due,
        "amount_remaining": due,
        "starting_balance": balance,
    }


def make(state: State, subscription: dict, reason: str, lines: list[dict]) -> dict:
    """A draft."""
    invoice = blank(state, subscription, reason, lines, state.identifier("in_"))
    state.tables["invoice"][invoice["id"]] = invoice
    invoice["_intents"] = []
    subscription["latest_invoice"] = invoice["id"]
    state.emit("invoice.created", invoice)
    return invoice


def finalize(state: State, invoice: dict) -> None:
    """Open a draft: it gets its number and its pages, and takes what the customer has in credit."""
    customer = state.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        customer["balance"] += invoice["total"] - invoice["amount_due"]
        invoice["ending_balance"] = customer["balance"]
    name = state.identifier("")
    invoice.update(
        status="open",
        number=f"FAKE-{len(state.tables['invoice']):04}",
        effective_at=state.now(),
        hosted_invoice_url=f"{state.url}/i/{name}",
        invoice_pdf=f"{state.url}/i/{name}/pdf",
        _page=name,
    )
    invoice["status_transitions"]["finalized_at"] = state.now()
    state.emit("invoice.finalized", invoice)


def pay(state: State, invoice: dict, card: dict | None = None) -> bool:
    """Try to collect an open invoice, and say whether it is paid.

    Args:
        state: The account.
        invoice: An open one.
        card: With what, instead of the subscription's own.
    """
    if invoice["amount_due"] == 0:
        mark_paid(state, invoice)
        return True
    customer = state.get("customer", invoice["customer"])
    subscription = state.tables["subscription"].get(subscription_of(invoice) or "")
    card = card or card_of(state, customer, subscription)
    intent = charge_card(state, customer, card, invoice["amount_remaining"], invoice["currency"])
    invoice["_intents"].append(intent["id"])
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if intent["status"] == "succeeded":
        mark_paid(state, invoice)
        return True
    state.emit("invoice.payment_failed", invoice)
    if intent["status"] == "requires_action":
        state.emit("invoice.payment_action_required", invoice)
    return False


def mark_paid(state: State, invoice: dict) -> None:
    """Let an open invoice be paid, by whatever means."""
    invoice.update(
        status="paid",
        attempted=True,
        auto_advance=False,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
    )
    invoice["status_transitions"]["paid_at"] = state.now()
    state.emit("invoice.paid", invoice)
    state.emit("invoice.payment_succeeded", invoice)
    for tell in WHEN_PAID:
        tell(state, invoice)


def close(state: State, invoice: dict, status: str) -> None:
    """End an open invoice unpaid, as `void` or `uncollectible`."""
    moment = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}[status]
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"][moment] = state.now()
    state.emit({"void": "invoice.voided", "uncollectible": "invoice.marked_uncollectible"}[status], invoice)


def _payments(state: State, invoice: dict) -> dict:
    data = []
    for name in invoice["_intents"]:
        intent = state.get("payment_intent", name)
        paid = intent["status"] == "succeeded"
        data.append(
            stripe_shapes.shape(
                "invoice_payment",
                id="inpay_" + name.removeprefix("pi_"),
                amount_paid=intent["amount_received"],
                amount_requested=intent["amount"],
                created=intent["created"],
                currency=intent["currency"],
                invoice=invoice["id"],
                is_default=True,
                livemode=False,
                payment={"type": "payment_intent", "payment_intent": name},
                status="paid" if paid else "open",
                status_transitions={"canceled_at": None, "paid_at": intent["created"] if paid else None},
            )
        )
    return stripe_shapes.listing(f"/v1/invoices/{invoice['id']}/payments", data)


stripe_lists.INCLUDE["invoice", "payments"] = _payments


@endpoint("GET", "/v1/invoices", "InvoiceListParams")
def list_invoices(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/invoices/list."""
    if "customer" in params:
        state.get("customer", params["customer"], "customer")
    if "subscription" in params:
        state.get("subscription", params["subscription"], "subscription")
    names = ("customer", "status", "collection_method")
    found = [
        each
        for each in matching(state.all("invoice"), **{name: params.get(name) for name in names})
        if params.get("subscription") in {None, subscription_of(each)}
        and within(each["created"], params.get("created"))
    ]
    return page(state, "/v1/invoices", found, params)


@endpoint("GET", "/v1/invoices/{}", "InvoiceRetrieveParams")
def retrieve_invoice(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/invoices/retrieve."""
    return state.view(state.get("invoice", name))


@endpoint("POST", "/v1/invoices/{}/pay", "InvoicePayParams")
def pay_invoice(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/invoices/pay."""
    invoice = state.get("invoice", name)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] == "draft":
        finalize(state, invoice)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(f"You can only pay open invoices. This invoice is {invoice['status']}.")
    card = None
    if "payment_method" in params:
        card = state.get("payment_method", params["payment_method"], "payment_method")
    if not pay(state, invoice, card):
        failed = state.get("payment_intent", invoice["_intents"][-1])
        if failed["status"] == "requires_action":
            raise declined(
                "invoice_payment_intent_requires_action", "This payment requires action.", AUTHENTICATE
            )
        raise declined("card_declined", "Your card was declined.", "generic_decline")
    return state.view(invoice)


@endpoint("POST", "/v1/invoices/{}/void", "InvoiceVoidInvoiceParams", status="void")
@endpoint(
    "POST", "/v1/invoices/{}/mark_uncollectible", "InvoiceMarkUncollectibleParams", status="uncollectible"
)
def end_invoice(state: State, params: dict, name: str, *, status: str) -> dict:
    """https://docs.stripe.com/api/invoices/void and https://docs.stripe.com/api/invoices/mark_uncollectible."""
    invoice = state.get("invoice", name)
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid(f"This invoice is {invoice['status']}.")
    close(state, invoice, status)
    return state.view(invoice)
