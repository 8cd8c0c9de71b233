"""Deleting an account: its subscription is cancelled before anything else goes."""

from __future__ import annotations

from rexec.accounts import closing
from rexec.accounts.models import User
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.support.factories import make_container
from tests.support.http_user import PASSWORD


def exists(buyer):
    db.session.rollback()
    return db.session.get(User, buyer.id, populate_existing=True) is not None


def deletions():
    return db.session.query(Operation).filter_by(kind="container.delete").count()


def test_the_subscription_is_cancelled_and_the_account_goes(buyer, fake, work):
    buyer.buy()
    customer = buyer.customer
    closing.close(buyer.id, PASSWORD)
    assert exists(buyer)
    work()
    assert [each["status"] for each in fake.subscriptions(customer)] == ["canceled"]
    assert not exists(buyer)


def test_nothing_of_it_is_removed_while_stripe_does_not_answer(buyer, fake, work, make_due):
    buyer.buy()
    make_container(db.session.get(User, buyer.id))
    fake.down()
    closing.close(buyer.id, PASSWORD)
    work()
    assert deletions() == 0
    assert exists(buyer)
    fake.up()
    make_due()
    work()
    assert [each["status"] for each in fake.subscriptions(fake.all("customer")[0]["id"])] == ["canceled"]
    assert deletions() == 1


def test_an_open_checkout_is_closed_so_that_nobody_pays_it(buyer, fake, work):
    buyer.choose()
    session_id = buyer.session_id
    closing.close(buyer.id, PASSWORD)
    work()
    assert fake.object(session_id)["status"] == "expired"
    assert not exists(buyer)


def test_a_checkout_paid_at_the_last_moment_is_cancelled_too(buyer, fake, work):
    buyer.choose()
    customer = buyer.customer
    buyer.pay()
    closing.close(buyer.id, PASSWORD)
    work()
    assert [each["status"] for each in fake.subscriptions(customer)] == ["canceled"]
    assert not exists(buyer)


def test_who_never_paid_is_deleted_without_asking_stripe(buyer, fake):
    closing.close(buyer.id, PASSWORD)
    assert not exists(buyer)
    assert fake.requests == []
