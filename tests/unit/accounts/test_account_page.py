"""Looking after one's own account: password and e-mail address."""

from __future__ import annotations

import pytest

from rexec.accounts import credentials, links, passwords, service
from rexec.accounts.errors import UserUnknown
from rexec.extensions import db
from tests.support.page_user import PageUser, visible

NEW = "a-new-password-of-mine"


def change_password(person, present=None, new=NEW):
    return person.post("/account/password", {"present": present or person.password, "password": new})


def change_email(person, email, present=None):
    return person.post("/account/email", {"email": email, "present": present or person.password})


def test_a_new_password_logs_every_other_browser_out(app, owner, teammate):
    phone = PageUser(app, owner.email)
    phone.log_in()
    answer = change_password(owner)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "Every other browser is logged out." in visible(owner.get("/account"))
    assert owner.is_logged_in()
    assert not phone.is_logged_in()
    assert teammate.is_logged_in()
    assert phone.log_in().status_code == 422
    assert phone.log_in(NEW).status_code == 303


def test_a_new_password_takes_back_reset_links(app, owner, stranger):
    token = links.create("reset", user_id=service.find(owner.email).id)
    change_password(owner)
    assert stranger.get(f"/reset/{token}").status_code == 404


def test_the_present_password_has_to_be_right(app, owner):
    answer = change_password(owner, present="not-my-password")
    assert answer.status_code == 422
    assert "This is not your present password." in visible(answer)
    assert 'id="present-error"' in answer.text
    assert NEW not in answer.text
    assert PageUser(app, owner.email).log_in().status_code == 303


@pytest.mark.parametrize("new", ["", "short", "password123", "owner@example.com"])
def test_the_new_password_has_to_be_acceptable(app, owner, new):
    answer = change_password(owner, new=new)
    assert answer.status_code == 422
    assert 'id="password-error"' in answer.text
    assert PageUser(app, owner.email).log_in().status_code == 303


def test_another_address_is_the_one_to_log_in_with(app, owner):
    answer = change_email(owner, " Moved@Example.com")
    assert answer.status_code == 303
    assert "moved@example.com" in visible(owner.get("/account"))
    assert PageUser(app, "moved@example.com").log_in().status_code == 303
    assert PageUser(app, owner.email).log_in().status_code == 422


def test_an_address_of_somebody_else_is_refused(owner, teammate):
    answer = change_email(owner, teammate.email.upper())
    assert answer.status_code == 422
    assert "Another account has this address." in visible(answer)
    assert f'value="{teammate.email.upper()}"' in answer.text
    assert owner.is_logged_in()


@pytest.mark.parametrize(
    ("email", "present"), [("no-address", None), ("", None), ("new@example.com", "wrong-one")]
)
def test_a_refused_address_changes_nothing(app, owner, email, present):
    answer = change_email(owner, email, present)
    assert answer.status_code == 422
    assert PageUser(app, owner.email).log_in().status_code == 303


def test_one_refused_form_leaves_the_other_alone(owner):
    page = change_email(owner, "no-address").text
    assert page.count('aria-invalid="true"') == 1
    assert 'id="email"' in page
    assert page.count('id="present"') == 1
    assert page.count('id="email-present"') == 1


@pytest.mark.parametrize("path", ["/account/password", "/account/email", "/account/delete"])
def test_forms_need_a_token_and_a_session(owner, stranger, path):
    assert owner.client.post(path, data={"present": owner.password}).status_code == 400
    assert stranger.post(path).location.startswith("/login")
    assert owner.is_logged_in()


def test_a_password_changed_meanwhile_is_not_overwritten(app, owner, monkeypatch):
    """Two browsers change the password at once: the one that verified the older hash is told so."""
    user_id = service.find(owner.email).id
    db.session.rollback()
    real = passwords.hash_password

    def hash_password(password):
        monkeypatch.setattr(passwords, "hash_password", real)
        credentials.set_password(user_id, "set-by-the-operator")
        return real(password)

    monkeypatch.setattr(passwords, "hash_password", hash_password)
    assert change_password(owner).status_code in {303, 422}
    assert PageUser(app, owner.email).log_in("set-by-the-operator").status_code == 303


@pytest.fixture
def changed_while_verified(owner, monkeypatch):
    """Somebody else changes the owner's password while the old one is being verified."""
    user_id = service.find(owner.email).id
    db.session.rollback()
    verify = passwords.verify

    def verified(kept, typed):
        monkeypatch.setattr(passwords, "verify", verify)
        is_right = verify(kept, typed)
        credentials.set_password(user_id, "set-by-the-operator")
        return is_right

    monkeypatch.setattr(passwords, "verify", verified)


def test_an_address_is_not_changed_by_a_password_that_ended_meanwhile(app, owner, changed_while_verified):
    change_email(owner, "moved@example.com")
    with pytest.raises(UserUnknown):
        service.find("moved@example.com")
    assert service.find(owner.email) is not None


def test_an_account_is_not_deleted_by_a_password_that_ended_meanwhile(app, owner, changed_while_verified):
    owner.post("/account/delete", {"present": owner.password})
    db.session.rollback()
    assert service.find(owner.email).closing_at is None
