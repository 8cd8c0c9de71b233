"""A Rexec that sells plans, and the Stripe it sells them by. Fixtures; a suite's conftest imports them."""

from __future__ import annotations

import pytest

from tests.support.http_user import HttpUser
from tests.support.server import HurriedServer
from tests.support.stripe_account import StripeAccount
from tests.support.waiting import eventually

WEBHOOK_SECRET = "whsec_of_the_tests"


@pytest.fixture
def fake():
    """Stripe's servers, for this test alone."""
    with StripeAccount() as fake:
        yield fake
        assert fake.crashes == []


@pytest.fixture
def shop_server(stack, database_url, tmp_path, fake):
    """`rexec serve` that sells by the fake and would hear its webhooks; they are not delivered."""
    environment = {
        **stack.server_environment(database_url),
        "STRIPE_SECRET_KEY": fake.key,
        "STRIPE_API_BASE": fake.url,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    server = HurriedServer(tmp_path / "shop", environment)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def hooked(shop_server, fake):
    """The same, with the fake's webhooks delivered."""
    fake.add_webhook(f"{shop_server.url}/webhooks/stripe", WEBHOOK_SECRET)
    return shop_server


def choose(user: HttpUser, plan: str = "pro") -> str:
    """Press a plan's button; the address that it leads to."""
    answer = user.post("/billing/checkout", {"plan": plan}, page="/billing")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def plan_now(user: HttpUser) -> str:
    """The name of the plan that the page says."""
    return user.get("/billing").text.partition("Plan now: ")[2].partition("<")[0]


def becomes(user: HttpUser, plan: str, timeout: float = 30.0) -> None:
    """Wait until somebody has a plan."""
    eventually(lambda: plan_now(user) == plan, timeout, message=f"the plan becomes {plan}")
