"""Logging in and out: one answer for every refusal, and nothing left of whoever was there before."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from rexec.accounts import credentials, passwords, service
from rexec.accounts.models import LoginSession, User
from rexec.extensions import db
from tests.support.factories import make_user
from tests.support.page_user import PageUser, visible


@pytest.fixture
def verified(monkeypatch):
    """The hashes that were verified, in order."""
    seen = []
    real = passwords._HASHER

    class Counting:
        def verify(self, kept, password):
            seen.append(kept)
            return real.verify(kept, password)

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    return seen


def test_the_right_password_opens_the_containers(app, owner):
    again = PageUser(app, owner.email)
    answer = again.log_in()
    assert (answer.status_code, answer.location) == (303, "/containers")
    assert again.is_logged_in()


@pytest.mark.parametrize("typed", ["OWNER@example.com", "  owner@example.com "])
def test_an_address_is_found_however_it_is_typed(app, owner, typed):
    assert PageUser(app, typed).log_in().status_code == 303


def test_every_refusal_reads_the_same_and_costs_the_same(app, verified):
    make_user("known@example.com")
    make_user("disabled@example.com", is_disabled=True)
    answers = {}
    for email, password in [
        ("known@example.com", "not-the-password"),
        ("nobody@example.com", "not-the-password"),
        ("disabled@example.com", "not-the-password"),
        ("disabled@example.com", PageUser(app).password),
    ]:
        person = PageUser(app, email)
        before = len(verified)
        answer = person.log_in(password)
        assert len(verified) == before + 1, f"{email} cost another number of verifications"
        assert not person.is_logged_in()
        headers = {name for name, _ in answer.headers}
        answers[email, password] = (answer.status_code, visible(answer), frozenset(headers))
    assert not [kept for kept in verified if passwords.is_outdated(kept)], (
        "a cheaper verification than others"
    )
    assert len(set(answers.values())) == 1
    status, text, _ = next(iter(answers.values()))
    assert status == 422
    assert "E-mail address or password is not right." in text


def test_a_refused_log_in_keeps_the_address_and_forgets_the_password(app, owner):
    answer = PageUser(app, owner.email).log_in("wrong-but-secret")
    assert f'value="{owner.email}"' in answer.text
    assert "wrong-but-secret" not in answer.text


@pytest.mark.parametrize(
    "email", ["", "x" * 5000, "no-address", "a\x00b@example.com", "' OR 1=1 --", "<b>@example.com"]
)
def test_odd_addresses_are_refused_like_any_other(app, email):
    assert PageUser(app, email).log_in().status_code == 422


def test_a_password_of_a_megabyte_is_not_hashed(app, verified):
    person = PageUser(app)
    assert person.log_in("x" * 500_000).status_code in {413, 422}
    assert verified == []


@pytest.mark.parametrize(
    ("asked", "led"),
    [("/billing", "/billing"), ("//evil.example", "/containers"), ("/%5cevil.example", "/containers")],
)
def test_log_in_leads_back_within_this_site(app, owner, asked, led):
    assert PageUser(app, owner.email).log_in(path=f"/login?next={asked}").location == led


def test_a_stranger_is_asked_to_log_in_and_comes_back(app, owner, stranger):
    asked = stranger.get("/account?tab=email")
    assert asked.status_code == 303
    assert asked.location == "/login?next=/account?tab%3Demail"
    stranger.email = owner.email
    assert stranger.log_in(path=asked.location).location == "/account?tab=email"


@pytest.mark.parametrize(
    ("page", "led"),
    [
        ("http://localhost/containers/ab12?open=delete", "/login?next=/containers/ab12?open%3Ddelete"),
        ("http://evil.example//evil.example", "/login"),
        ("http://[", "/login"),
        ("", "/login"),
    ],
)
def test_a_part_of_a_page_that_is_asked_for_leads_the_whole_page_to_the_log_in(stranger, page, led):
    asked = stranger.get("/containers?fragment=list", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert (asked.status_code, asked.headers["HX-Redirect"], asked.data) == (401, led, b"")


def test_a_form_sent_without_session_is_not_repeated_after_log_in(stranger):
    assert stranger.post("/account/password").location == "/login"


def test_log_out_ends_the_session_in_the_database(owner):
    stolen = owner.client.get_cookie("rexec_session").value
    answer = owner.post("/logout")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert not owner.is_logged_in()
    owner.client.set_cookie("rexec_session", stolen)
    assert not owner.is_logged_in(), "a copied cookie works after log-out"
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0


def test_log_out_is_no_link(owner):
    assert owner.get("/logout").status_code == 405
    assert owner.is_logged_in()


def test_log_out_needs_a_token(owner):
    assert owner.client.post("/logout").status_code == 400
    assert owner.is_logged_in()


def test_a_stranger_can_log_out_without_harm(stranger):
    assert stranger.post("/logout").status_code == 303


def test_logging_in_as_somebody_else_ends_the_earlier_session(app, owner, teammate):
    browser = PageUser(app, owner.email)
    browser.log_in()
    before = db.session.scalar(select(func.count()).select_from(LoginSession))
    db.session.rollback()
    token = browser.csrf_token()
    browser.post("/logout")
    browser.email = teammate.email
    browser.log_in()
    assert browser.is_logged_in()
    assert teammate.email in browser.get("/account").text
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) == before
    assert browser.csrf_token() != token, "the token of the earlier person is still good"


def test_a_hash_of_weaker_parameters_is_renewed_at_log_in(app):
    person = PageUser(app)
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(person.password)
    user = make_user(person.email, password_hash=weaker)
    user_id = user.id
    db.session.rollback()
    assert person.log_in("not-the-password").status_code == 422
    assert db.session.get(User, user_id).password_hash == weaker
    db.session.rollback()
    assert person.log_in().status_code == 303
    renewed = db.session.get(User, user_id).password_hash
    assert not passwords.is_outdated(renewed)
    assert passwords.verify(renewed, person.password)


def test_a_password_changed_during_log_in_wins(app, owner, monkeypatch):
    """The old password is verified, then the new one is set, and only then would the session be added."""
    user_id = service.find(owner.email).id
    db.session.rollback()
    real = passwords.verify

    def verify(kept, password):
        answer = real(kept, password)
        monkeypatch.setattr(passwords, "verify", real)
        credentials.set_password(user_id, "another-password-altogether")
        return answer

    monkeypatch.setattr(passwords, "verify", verify)
    late = PageUser(app, owner.email)
    assert late.log_in().status_code == 422
    assert not late.is_logged_in()
