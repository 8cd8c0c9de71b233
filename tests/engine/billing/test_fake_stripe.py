"""The fake of Stripe's servers, asked by the official library over HTTP as the real ones are."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

from tests.fakes.stripe_server import FakeStripe, signed
from tests.fakes.stripe_shapes import lacking
from tests.fakes.stripe_shop import HOME, Shop, client, get, post, receiving

DAY = 24 * 3600
SECRET = "whsec_test"


@pytest.fixture
def fake():
    """A Stripe account of this test alone, in which nothing goes wrong by the fake's own fault."""
    with FakeStripe() as fake:
        yield fake
        assert fake.crashes == []


@pytest.fixture
def v1(fake):
    """The official library's client, without retries of its own."""
    return client(fake, max_network_retries=0).v1


@pytest.fixture
def shop(fake, v1):
    return Shop(fake, v1)


def test_a_checkout_is_paid_in_the_browser_and_becomes_an_active_subscription(fake, shop, v1):
    session = shop.checkout(client_reference_id="42", subscription_data={"metadata": {"user": "1"}})
    page = get(session.url)
    assert "Rexec" in page
    assert "$5.00" in page
    assert post(f"{session.url}/back").headers["Location"] == f"{HOME}?no=1"
    declined = post(session.url, number="4000 0000 0000 0002")
    assert "Your card was declined." in declined.text
    before = len(fake.events)
    answer = post(session.url, number="4242 4242 4242 4242")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://shop.test/done?session={session.id}"
    done = v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert (done.status, done.payment_status, done.client_reference_id) == ("complete", "paid", "42")
    assert done.subscription.status == "active"
    assert done.subscription.metadata.to_dict() == {"user": "1"}
    assert done.line_items.data[0].price.id == shop.small
    assert fake.types_since(before)[-1] == "checkout.session.completed"
    assert {"customer.subscription.created", "invoice.paid"} <= set(fake.types_since(before))
    assert "already paid" in get(session.url)
    assert "already paid" in post(session.url, number="4242424242424242").text


def test_a_checkout_without_a_customer_makes_one(fake, shop):
    paid = fake.pay_checkout(shop.checkout(customer=None).id, email="new@example.com")
    done = shop.v1.checkout.sessions.retrieve(paid["id"], {"expand": ["customer"]})
    assert done.customer.email == "new@example.com"


def test_a_session_expires_by_time_or_by_call_and_only_while_it_is_open(fake, shop, v1):
    first, second = shop.checkout(), shop.checkout(expires_at=fake.now() + 1800)
    v1.checkout.sessions.expire(first.id)
    with pytest.raises(stripe.InvalidRequestError, match="expired"):
        v1.checkout.sessions.expire(first.id)
    fake.advance(1900)
    assert v1.checkout.sessions.retrieve(second.id).status == "expired"
    assert len(fake.events_of("checkout.session.expired")) == 2
    assert "expired" in get(second.url)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"line_items": [{"prize": "x"}]}, "parameter_unknown", "line_items[0][prize]"),
        ({"expires_at": "soon"}, "parameter_invalid_integer", "expires_at"),
        ({"mode": "gift"}, None, "mode"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"automatic_tax": {"liability": {"type": "self"}}}, "parameter_missing", "automatic_tax[enabled]"),
        ({"success_url": ""}, "parameter_invalid_empty", "success_url"),
    ],
)
def test_what_stripe_would_refuse_is_refused(shop, change, code, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.checkout(**change)
    assert (refused.value.code, refused.value.param) == (code, param)


def test_missing_parameters_and_objects_are_named(v1):
    with pytest.raises(stripe.InvalidRequestError, match=r"Missing required param: name\.") as refused:
        v1.products.create({})
    assert refused.value.code == "parameter_missing"
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_x'") as refused:
        v1.customers.retrieve("cus_x")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_a_lookup_key_is_taken_only_by_transfer(shop, v1):
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        shop.price(900, lookup_key="small")
    new = shop.price(900, lookup_key="small", transfer_lookup_key=True)
    assert [price.id for price in v1.prices.list({"lookup_keys": ["small"]}).data] == [new]


def test_a_key_that_is_revoked_is_refused(fake, v1):
    v1.balance.retrieve()
    fake.revoke_key()
    with pytest.raises(stripe.AuthenticationError, match="Expired API Key"):
        v1.balance.retrieve()


def test_a_key_replays_the_first_answer_and_refuses_other_parameters(fake, v1):
    given, options = {"email": "a@example.com"}, {"idempotency_key": "once"}
    with pytest.raises(stripe.InvalidRequestError):
        # What fails validation is not kept for its key.
        v1.customers.create({"mail": "a@example.com"}, options)
    first, again = v1.customers.create(given, options), v1.customers.create(given, options)
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        v1.customers.create({"email": "b@example.com"}, options)
    assert len(v1.customers.list().data) == 1


def test_the_same_key_at_the_same_time_makes_one_object(fake):
    def create(_):
        options = {"idempotency_key": "together"}
        return client(fake).v1.customers.create({"email": "a@example.com"}, options).id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(create, range(4)))) == 1


def test_lists_are_newest_first_in_pages(v1):
    made = [v1.customers.create({"email": f"{number}@example.com"}).id for number in range(5)]
    page = v1.customers.list({"limit": 2})
    assert [each.id for each in page.data] == [made[4], made[3]]
    assert page.has_more
    assert [each.id for each in page.auto_paging_iter()] == made[::-1]
    before = v1.customers.list({"limit": 2, "ending_before": made[1]})
    assert [each.id for each in before.data] == [made[3], made[2]]
    assert [each.id for each in v1.customers.list({"email": "3@example.com"}).data] == [made[3]]


def test_ids_expand_where_the_library_types_them_so(shop, v1):
    subscription = shop.subscribed()
    paths = ["data.latest_invoice", "data.customer", "data.items.data.price"]
    [found] = v1.subscriptions.list({"customer": shop.customer, "expand": paths}).data
    assert found.latest_invoice.parent.subscription_details.subscription == subscription.id
    assert found.customer.email == "a@example.com"
    expanded = v1.subscriptions.retrieve(subscription.id, {"expand": ["items.data.price.product"]})
    assert expanded["items"].data[0].price.product.name == "Rexec"
    for wrong in ("status", "nothing", "items.data.price.product.name.first"):
        with pytest.raises(stripe.InvalidRequestError):
            v1.subscriptions.retrieve(subscription.id, {"expand": [wrong]})


def test_objects_have_every_field_that_the_library_requires(fake, shop, v1):
    shop.checkout()
    shop.portal()
    shop.subscribed()
    fake.dispute(shop.customer)
    [event] = fake.events_of("charge.dispute.created")
    assert v1.charges.retrieve(event["data"]["object"]["charge"]).customer == shop.customer
    things = [fake.object(name) for table in fake.state.tables.values() for name in table]
    assert [lacking(thing) for thing in things if lacking(thing)] == []
    assert len({thing["object"] for thing in things}) >= 10


def test_a_period_ends_with_an_invoice_and_the_next_begins(fake, shop, v1):
    subscription = shop.subscribed()
    end = subscription["items"].data[0].current_period_end
    before = len(fake.events)
    fake.advance(end - fake.now() + 5)
    item = v1.subscriptions.retrieve(subscription.id)["items"].data[0]
    assert item.current_period_start == end
    assert [each.status for each in v1.invoices.list({"subscription": subscription.id}).data] == ["paid"] * 2
    assert {"invoice.paid", "customer.subscription.updated"} <= set(fake.types_since(before))


@pytest.mark.parametrize("end", ["unpaid", "canceled"])
def test_a_card_that_fails_leads_from_past_due_to_the_end_of_the_retries(fake, shop, v1, end):
    fake.after_retries(end)
    subscription = shop.subscribed(card="4000000000000341")
    assert fake.renew(subscription.id)["status"] == "past_due"
    invoice = v1.invoices.retrieve(fake.object(subscription.id)["latest_invoice"])
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    fake.advance(17 * DAY)
    assert v1.subscriptions.retrieve(subscription.id).status == end
    assert len(fake.events_of("invoice.payment_failed")) == 5
    if end == "unpaid":
        fake.mend_card(shop.customer)
        assert v1.invoices.pay(invoice.id).status == "paid"
        assert v1.subscriptions.retrieve(subscription.id).status == "active"


def test_the_end_of_a_customer_is_the_end_of_the_subscriptions(fake, shop, v1):
    first, second = shop.subscribed(), shop.subscribed()
    v1.subscriptions.update(first.id, {"cancel_at_period_end": True})
    assert fake.renew(first.id)["status"] == "canceled"
    v1.customers.delete(shop.customer)
    assert v1.customers.retrieve(shop.customer).to_dict().keys() == {"id", "object", "deleted"}
    assert v1.subscriptions.list({"customer": shop.customer}).data == []
    every = v1.subscriptions.list({"customer": shop.customer, "status": "all"}).data
    assert [(each.id, each.status) for each in every] == [(second.id, "canceled"), (first.id, "canceled")]


def test_the_portal_changes_plans_as_its_configuration_says(fake, shop, v1):
    subscription = shop.subscribed()
    items = [{"id": subscription["items"].data[0].id, "price": shop.large}]
    details = {"items": items, "proration_behavior": "always_invoice"}
    asked = {"customer": shop.customer, "subscription": subscription.id, "subscription_details": details}
    preview = v1.invoices.create_preview(asked)
    portal = shop.portal()
    assert post(f"{portal.url}/confirm", price=shop.yearly).status_code == 400
    assert "Update subscription" in get(portal.url)
    assert post(f"{portal.url}/confirm", price=shop.large).headers["Location"].endswith(portal.id)
    changed = v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})
    assert changed["items"].data[0].price.id == shop.large
    assert abs(changed.latest_invoice.amount_paid - preview.amount_due) <= 1
    post(f"{portal.url}/confirm", price=shop.small)
    assert v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.id == shop.large
    fake.renew(subscription.id)
    assert v1.subscriptions.retrieve(subscription.id)["items"].data[0].price.id == shop.small


def test_a_deep_link_shows_its_step_and_leads_back(fake, shop, v1):
    subscription = shop.subscribed()
    back = {"type": "redirect", "redirect": {"return_url": f"{HOME}?done=1"}}
    about = {"subscription_cancel": {"subscription": subscription.id}}
    flow = {"type": "subscription_cancel", **about, "after_completion": back}
    portal = shop.portal(flow_data=flow)
    assert "Cancel your subscription" in get(portal.url)
    assert post(f"{portal.url}/cancel").headers["Location"] == f"{HOME}?done=1"
    found = v1.subscriptions.retrieve(subscription.id)
    assert found.cancel_at == found["items"].data[0].current_period_end
    home = shop.portal()
    assert "Don&#x27;t cancel" in get(home.url)
    post(f"{home.url}/resume")
    assert v1.subscriptions.retrieve(subscription.id).cancel_at is None
    with pytest.raises(stripe.InvalidRequestError, match="default configuration"):
        v1.billing_portal.sessions.create({"customer": shop.customer})


def test_webhooks_are_signed_repeated_held_and_lost(fake, v1):
    with receiving() as receiver:
        fake.add_webhook(receiver.url, SECRET)
        receiver.statuses = [500]
        customer = v1.customers.create({"email": "a@example.com"})
        fake.wait_delivered()
        body, signature = receiver.taken[-1]
        event = stripe.Webhook.construct_event(body, signature, SECRET)
        assert (len(receiver.taken), event.type, event.data.object.id) == (2, "customer.created", customer.id)
        fake.hold_webhooks()
        v1.customers.update(customer.id, {"name": "A"})
        assert fake.deliver(fake.events[0], times=2, secret="whsec_other") == [200, 200]
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(*receiver.taken[-1], SECRET)
        fake.release_webhooks()
        fake.wait_delivered()
        assert json.loads(receiver.taken[-1][0])["data"]["previous_attributes"] == {"name": None}
        fake.lose_webhooks()
        v1.customers.delete(customer.id)
        assert len(receiver.taken) == 5
    assert [each.type for each in v1.events.list({"delivery_success": False}).data] == ["customer.deleted"]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        stripe.Webhook.construct_event(*signed(fake.events[0], SECRET, timestamp=1), SECRET)


def test_faults_strike_and_end(fake, v1):
    fake.fail_next(429)
    with pytest.raises(stripe.RateLimitError):
        v1.balance.retrieve()
    options = {"idempotency_key": "kept"}
    fake.fail_next(500, path="/v1/customers")
    for _ in range(2):
        # The outcome of a request that began is kept for its key, also when it is an error.
        with pytest.raises(stripe.APIError):
            v1.customers.create({}, options)
    fake.drop_next(executed=True)
    assert client(fake, max_network_retries=1).v1.customers.create({}).id == v1.customers.list().data[0].id
    fake.hang()
    with pytest.raises(stripe.APIConnectionError):
        client(fake, timeout=0.1, max_network_retries=0).v1.balance.retrieve()
    fake.down()
    with pytest.raises(requests.ConnectionError):
        get(fake.url)
    fake.up()
    fake.release()
    v1.balance.retrieve()
    assert len(fake.calls("GET", "/v1/balance")) == 3
