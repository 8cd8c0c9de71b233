"""The whole service with a Stripe that tells it of things: repeats, crashes, buyers who never come back."""

from __future__ import annotations

from tests.support.shop import becomes, choose, plan_now
from tests.support.stacks import on_postgres, on_sqlite
from tests.support.waiting import eventually


def session_of(fake):
    return fake.sessions()[-1]["id"]


def kill(server):
    """End it as a machine that goes away does; its parts end by themselves a moment later."""
    server.kill()
    eventually(lambda: server.health("/health/live")[0] == 0, 20, message="nothing of it is left")


def test_a_buyer_who_closes_the_browser_has_the_plan_by_the_webhook(hooked, fake, new_user):
    user = new_user(hooked)
    choose(user)
    fake.pay_checkout(session_of(fake))
    becomes(user, "Pro")
    fake.wait_delivered()
    assert {attempt.status for attempt in fake.deliveries} == {200}


@on_sqlite
def test_without_a_webhook_it_is_found_within_two_minutes_after_a_kill(shop_server, fake, new_user):
    user = new_user(shop_server)
    choose(user)
    kill(shop_server)
    fake.pay_checkout(session_of(fake))
    shop_server.start()
    becomes(user, "Pro", timeout=120.0)


@on_postgres
def test_the_same_event_fifty_times_at_once_is_handled_once(hooked, fake, new_user, stack, database_url):
    user = new_user(hooked)
    choose(user)
    fake.lose_webhooks()
    fake.pay_checkout(session_of(fake))
    fake.lose_webhooks(False)
    [event] = fake.events_of("checkout.session.completed")
    before = fake.count("GET", "/v1/subscriptions")
    assert fake.deliver_together(event, 50) == [200] * 50
    becomes(user, "Pro")
    database = database_url.rpartition("/")[2]
    asked = "SELECT state FROM stripe_events WHERE event_id = %s"
    eventually(lambda: stack.postgres.fetch(asked, event["id"], database=database) == [("done",)], 20)
    assert fake.count("GET", "/v1/subscriptions") - before <= 3


@on_postgres
def test_a_crash_between_storing_and_handling_loses_nothing(hooked, fake, new_user):
    user = new_user(hooked)
    choose(user)
    release = fake.hang(path="/v1/subscriptions", times=1)
    fake.pay_checkout(session_of(fake))
    fake.wait_delivered()
    eventually(lambda: fake.calls("GET", "/v1/checkout/sessions"), 20, message="the work began")
    kill(hooked)
    release()
    hooked.start()
    becomes(user, "Pro", timeout=60.0)


@on_postgres
def test_a_forged_webhook_changes_nothing(hooked, fake, new_user):
    user = new_user(hooked)
    choose(user)
    fake.hold_webhooks()
    fake.pay_checkout(session_of(fake))
    [event] = fake.events_of("checkout.session.completed")
    assert fake.deliver(event, secret="whsec_of_somebody_else") == [400]
    assert fake.deliver(event, timestamp=1) == [400]
    assert plan_now(user) == "Free"
    fake.release_webhooks()
    becomes(user, "Pro")


def test_a_lapsed_subscription_falls_to_free_with_everything_kept(hooked, fake, new_user):
    user = new_user(hooked)
    choose(user)
    fake.pay_checkout(session_of(fake))
    becomes(user, "Pro")
    [subscription] = fake.all("subscription")
    fake.fail_card(subscription["customer"])
    fake.renew(subscription["id"])
    eventually(lambda: "The last payment failed." in user.get("/containers").text, 20)
    assert plan_now(user) == "Pro"
    fake.set_status(subscription["id"], "unpaid")
    becomes(user, "Free")
    assert "Your subscription is unpaid." in user.get("/billing").text
