"""How often somebody may try, per address and per account."""

from __future__ import annotations

import re

import pytest

from rexec.accounts import limits, links, passwords
from tests.support.page_user import PageUser, visible


@pytest.fixture(autouse=True)
def _quick_refusals(monkeypatch):
    """Counting is what these tests are about, not hashing."""
    monkeypatch.setattr(passwords, "verify", lambda _kept, _password: False)


def tries(app, count, *, email=None, address=None, path="/login"):
    """The statuses of so many attempts; addresses and accounts differ where none is given."""
    return [
        PageUser(app, email, address=address).post(
            path, {"email": email or f"{number}@example.com", "password": "x"}
        )
        for number in range(count)
    ]


def statuses(answers):
    return {answer.status_code for answer in answers}


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_one_address_has_twenty_tries_a_minute(app, path):
    assert statuses(tries(app, 20, address="198.51.100.7", path=path)) == {422}
    assert statuses(tries(app, 2, address="198.51.100.7", path=path)) == {429}
    assert statuses(tries(app, 1, address="198.51.100.8", path=path)) == {422}


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_one_account_has_ten_tries_from_wherever_they_come(app, path):
    assert statuses(tries(app, 10, email="wanted@example.com", path=path)) == {422}
    assert statuses(tries(app, 1, email="Wanted@Example.com ", path=path)) == {429}
    assert statuses(tries(app, 1, email="other@example.com", path=path)) == {422}


def test_the_limit_of_an_account_does_not_tell_whether_it_exists(app, owner):
    real = tries(app, 12, email=owner.email)
    made_up = tries(app, 12, email="nobody@example.com")
    assert [answer.status_code for answer in real] == [answer.status_code for answer in made_up]


def test_the_page_says_when_to_try_again(app):
    answer = tries(app, 11, email="wanted@example.com")[-1]
    seconds = int(answer.headers["Retry-After"])
    assert 0 < seconds <= 301
    said = re.search(r"Try again in (\d+) (s|min)\.", visible(answer))
    assert said
    assert int(said[1]) * {"s": 1, "min": 60}[said[2]] >= seconds


def test_looking_at_the_form_is_not_limited(app):
    person = PageUser(app)
    assert {person.get("/login").status_code for _ in range(40)} == {200}


def test_a_household_of_ipv6_is_one_address(app):
    for number in range(20):
        tries(app, 1, email=f"{number}@example.org", address=f"2001:db8:1:2::{number:x}")
    assert statuses(tries(app, 1, address="2001:db8:1:2:ffff::1")) == {429}
    assert statuses(tries(app, 1, address="2001:db8:1:3::1")) == {422}


def test_the_present_password_cannot_be_guessed_by_turns_on_several_forms(owner, monkeypatch):
    monkeypatch.setattr(passwords, "verify", lambda _kept, _password: False)
    forms = ["/account/password", "/account/email", "/account/delete"]
    answers = [
        owner.post(
            forms[number % 3], {"present": "guess", "password": "long-enough-it-is", "email": "a@b.example"}
        )
        for number in range(11)
    ]
    assert statuses(answers[:10]) == {422}
    assert answers[10].status_code == 429


def test_links_cannot_be_tried_without_end(app):
    person = PageUser(app)
    answers = [person.get(f"/reset/{number}") for number in range(31)]
    assert statuses(answers[:30]) == {404}
    assert answers[30].status_code == 429


def test_somebody_with_an_invitation_is_limited_like_others(app):
    token = links.create("invite")
    answers = tries(app, 21, address="198.51.100.7", path=f"/join/{token}")
    assert statuses(answers[:20]) == {422}
    assert answers[20].status_code == 429


def test_the_counters_hold_no_address_of_a_person(app):
    with app.test_request_context("/login", method="POST", data={"email": "wanted@example.com"}):
        assert "wanted" not in limits.account_key()
        assert len(limits.account_key()) == 64


def test_an_address_that_is_not_known_is_limited_too(app):
    with app.test_request_context("/login", environ_base={"REMOTE_ADDR": ""}):
        assert limits.address_key() == "unknown"
