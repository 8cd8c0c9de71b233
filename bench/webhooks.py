"""Stripe's events at 200 a second, the service on one core: how long an answer takes, and what follows.

    .venv/bin/python bench/webhooks.py [--seconds 20] [--payers 50]

Every event is another one, of one of so many payers in turn. An answer's time counts from when the event
was due. Afterwards every event has to be handled, once, and the fetches are counted: events of a payer that
wait for the same fetch share it. Starts a Docker daemon, PostgreSQL and Redis of its own, and a server that
plays Stripe.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import requests

from bench.health import below, p99
from tests.fakes.stripe_server import signed
from tests.support.engine import Engine
from tests.support.server import RexecServer
from tests.support.services import Postgres, Redis
from tests.support.shop import WEBHOOK_SECRET
from tests.support.stripe_account import StripeAccount
from tests.support.waiting import eventually

RATE = 200
SENDERS = 8
MOST_MS = 100.0
LATENCY_S = 0.1
"""What Stripe takes for an answer, about."""
LATEST_S = 120.0
PAYER = """
WITH payer AS (
  INSERT INTO users (id, email, password_hash, is_admin, is_disabled, created_at)
  VALUES (%s, %s, '', false, false, now()) RETURNING id
)
INSERT INTO billing_accounts (
  user_id, customer_id, customer_number, checkout_number, checkout_open, fetches_begun, fetch_stored,
  created_at
)
SELECT id, %s, 0, 0, false, 0, 0, now() FROM payer RETURNING user_id
"""


@contextmanager
def shop(folder: Path, stripe: StripeAccount) -> Iterator[tuple[RexecServer, Postgres]]:
    """A whole service that sells by the fake, all its processes on the first core."""
    with contextlib.ExitStack() as stack:
        engine = Engine(folder / "engine")
        stack.callback(engine.end)
        engine.start()
        postgres, redis = Postgres(folder / "postgres"), Redis(folder / "redis")
        for program in (postgres, redis):
            stack.callback(program.stop)
            program.start()
        postgres.execute("CREATE DATABASE rexec")
        environment = {
            **engine.environment(),
            "DATABASE_URL": postgres.url("rexec"),
            "REDIS_URL": redis.url(0),
            "JWT_SECRET": "0123456789abcdef" * 2,
            "STRIPE_SECRET_KEY": stripe.key,
            "STRIPE_API_BASE": stripe.url,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        server = RexecServer(folder / "server", environment)
        stack.callback(server.stop)
        server.start()
        eventually(server.healthy, 45.0)
        for pid in below(server.pid):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {min(os.sched_getaffinity(0))})
        yield server, postgres


def make_payers(stripe: StripeAccount, postgres: Postgres, number: int) -> list[dict]:
    """People who subscribe, here and at the fake; an event of each."""
    price = stripe.make_price(900, metadata={"rexec_plan": "pro"})
    customers = [stripe.by_hand.customers.create({}).id for _ in range(number)]
    for user_id, customer in enumerate(customers, start=1):
        stripe.create_subscription(customer, price)
        postgres.fetch(PAYER, user_id, f"payer-{user_id}@example.com", customer, database="rexec")
    return stripe.events_of("customer.subscription.created")


def send(url: str, bodies: list[tuple[bytes, str]], first: int, began: float, took: list[float]) -> None:
    """Every so-manieth event at its time, over one kept connection."""
    session = requests.Session()
    session.trust_env = False
    for number in range(first, len(bodies), SENDERS):
        body, header = bodies[number]
        due = began + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = session.post(url, data=body, headers={"Stripe-Signature": header}, timeout=30)
        took.append(1000 * (time.perf_counter() - due))
        assert answer.json() == {"received": "stored"}, answer.text
    session.close()


def measure(server: RexecServer, events: list[dict], seconds: float) -> list[float]:
    """Milliseconds of each answer."""
    number = int(RATE * seconds)
    bodies = [
        signed({**events[each % len(events)], "id": f"evt_bench_{each}"}, WEBHOOK_SECRET)
        for each in range(number)
    ]
    took: list[float] = []
    began = time.perf_counter() + 0.5
    senders = [
        threading.Thread(target=send, args=(f"{server.url}/webhooks/stripe", bodies, each, began, took))
        for each in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(took) == number
    return took


def main() -> None:
    """Print a table; exit with 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--payers", type=int, default=50)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rexec-bench-") as name, StripeAccount() as stripe:
        folder = Path(name)
        folder.chmod(0o711)
        with shop(folder, stripe) as (server, postgres):
            events = make_payers(stripe, postgres, wanted.payers)
            stripe.latency_s = LATENCY_S
            before, began = stripe.count("GET", "/v1/subscriptions"), time.perf_counter()
            took = measure(server, events, wanted.seconds)
            asked = "SELECT count(*) FROM stripe_events WHERE state = 'done'"
            eventually(lambda: postgres.fetch(asked, database="rexec") == [(len(took),)], LATEST_S)
            lasted = time.perf_counter() - began
            fetches = stripe.count("GET", "/v1/subscriptions") - before
            calls = len(stripe.requests)
    took.sort()
    print(
        f"| events | p50 ms | p99 ms | all handled after s | fetches | most calls a second |\n|{'---|' * 6}"
    )
    print(
        f"| {len(took)} | {took[len(took) // 2]:.1f} | {p99(took):.1f} | {lasted:.1f} | {fetches} "
        f"| {calls / lasted:.0f} |"
    )
    sys.exit(0 if p99(took) <= MOST_MS else 1)


if __name__ == "__main__":
    main()
