"""Making an account."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from rexec.accounts import links, service
from rexec.accounts.models import User
from rexec.extensions import db
from tests.support.page_user import PageUser, visible
from tests.support.settings import make_settings


def accounts():
    """How many there are."""
    return db.session.scalar(select(func.count()).select_from(User))


def test_whoever_signs_up_is_logged_in_and_sent_to_the_containers(app):
    person = PageUser(app)
    answer = person.sign_up()
    assert (answer.status_code, answer.location) == (303, "/containers")
    assert person.is_logged_in()
    user = service.find(person.email)
    assert (user.plan, user.is_admin, user.is_disabled) == (None, False, False)
    assert user.last_login_at is not None
    assert person.password not in user.password_hash


def test_signing_up_leads_back_to_the_page_that_was_asked_for(app):
    assert PageUser(app).sign_up("/signup?next=/billing").location == "/billing"
    assert PageUser(app).sign_up("/signup?next=//evil.example").location == "/containers"


@pytest.mark.parametrize("typed", ["  New@Example.COM ", "new@EXAMPLE.com"])
def test_an_address_is_kept_in_lower_case(app, typed):
    person = PageUser(app, typed)
    assert person.sign_up().status_code == 303
    assert service.find("new@example.com").email == "new@example.com"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "no-address",
        "two@at@example.com",
        "a b@example.com",
        "<script>alert(1)</script>",
        "Me <me@example.com>",
        "me@example.com\nBcc: all@example.com",
        f"{'a' * 300}@example.com",
        "closed:7",
    ],
)
def test_what_is_no_address_is_shown_again_with_the_reason(app, typed):
    person = PageUser(app, typed)
    answer = person.sign_up()
    assert answer.status_code == 422
    assert "Type an e-mail address" in visible(answer)
    assert person.password not in answer.text
    assert "<script>alert" not in answer.text
    assert accounts() == 0


def test_names_of_a_private_network_are_addresses_too(app):
    assert PageUser(app, "me@corp.local").sign_up().status_code == 303


@pytest.mark.parametrize("password", ["", "short", "password123", "x" * 129])
def test_a_refused_password_keeps_the_address_and_forgets_the_password(app, password):
    person = PageUser(app)
    person.password = password
    answer = person.sign_up()
    assert answer.status_code == 422
    assert f'value="{person.email}"' in answer.text
    assert not password or f'value="{password}"' not in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert accounts() == 0


def test_one_try_tells_of_every_field(app):
    person = PageUser(app, "nobody")
    person.password = "short"
    said = visible(person.sign_up())
    assert "Type an e-mail address" in said
    assert "Use at least 10 characters." in said


def test_a_taken_address_says_so_whatever_its_case(app, owner):
    answer = PageUser(app, owner.email.upper()).sign_up()
    assert answer.status_code == 422
    assert "There is an account with this address already" in visible(answer)
    assert accounts() == 1


def test_a_form_without_token_makes_nothing(app):
    person = PageUser(app)
    answer = person.client.post("/signup", data={"email": person.email, "password": person.password})
    assert answer.status_code == 400
    assert accounts() == 0


def test_whoever_is_logged_in_is_led_on(owner):
    answer = owner.get("/signup?next=/account")
    assert (answer.status_code, answer.location) == (303, "/account")


class TestWhereSignUpsAreNotOpen:
    @pytest.fixture(params=["invite", "closed"])
    def settings(self, request, tmp_path):
        return make_settings(signups=request.param, instance_dir=tmp_path)

    def test_the_page_says_what_to_do(self, app):
        answer = PageUser(app).get("/signup")
        assert answer.status_code == 403
        assert "Ask whoever runs this service for an invitation." in visible(answer)

    def test_the_form_makes_nothing(self, app):
        assert PageUser(app).sign_up().status_code == 403
        assert accounts() == 0

    def test_nothing_leads_there(self, app):
        person = PageUser(app)
        assert 'href="/signup' not in person.get("/login").text
        assert 'href="/signup' not in person.get("/").text

    def test_an_invitation_lets_one_person_in(self, app):
        token = links.create("invite")
        guest, second = PageUser(app), PageUser(app)
        assert guest.get(f"/join/{token}").status_code == 200
        assert guest.sign_up(f"/join/{token}").status_code == 303
        assert guest.is_logged_in()
        assert second.sign_up(f"/join/{token}").status_code == 404
        assert accounts() == 1


def test_where_sign_ups_are_open_the_pages_lead_there(app):
    person = PageUser(app)
    assert 'href="/signup' in person.get("/login").text
    assert 'href="/signup' in person.get("/").text
