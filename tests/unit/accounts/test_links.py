"""Links that work once: the first admin's, invitations, password resets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from rexec.accounts import links, service
from rexec.accounts.errors import LinkInvalid
from rexec.accounts.models import OneTimeLink, User
from rexec.extensions import db, utcnow
from tests.support.factories import make_user
from tests.support.page_user import PageUser, visible
from tests.support.settings import make_settings

NEW = "a-new-password-of-mine"


def path_of(link):
    """The path of a whole address."""
    assert link.startswith("https://rexec.example/")
    return link.removeprefix("https://rexec.example")


def admins():
    """The addresses of those who administer."""
    db.session.rollback()
    return list(db.session.scalars(select(User.email).where(User.is_admin).order_by(User.id)))


class TestTheFirstAdmin:
    @pytest.fixture(params=["open", "invite", "closed"])
    def settings(self, request, tmp_path):
        return make_settings(signups=request.param, instance_dir=tmp_path)

    def test_whoever_signs_up_by_the_link_administers(self, app):
        path = path_of(service.admin_link("https://rexec.example/"))
        person = PageUser(app)
        assert "able to administer" in visible(person.get(path))
        assert person.sign_up(path).status_code == 303
        assert admins() == [person.email]
        assert person.get("/admin").status_code == 200

    def test_there_is_no_link_once_there_is_an_admin(self, app):
        make_user(is_admin=True)
        assert service.admin_link("https://rexec.example") is None

    def test_a_disabled_admin_is_none(self, app):
        make_user(is_admin=True, is_disabled=True)
        assert service.admin_link("https://rexec.example") is not None

    def test_links_of_earlier_starts_die_with_the_first_admin(self, app):
        first, second = (path_of(service.admin_link("https://rexec.example")) for _ in range(2))
        person, late = PageUser(app), PageUser(app)
        assert late.get(first).status_code == 200
        assert person.sign_up(second).status_code == 303
        assert late.get(first).status_code == 404
        assert late.sign_up(first).status_code == 404
        assert admins() == [person.email]

    def test_an_admin_made_otherwise_ends_the_link(self, app):
        path = path_of(service.admin_link("https://rexec.example"))
        token = path.rpartition("/")[2]
        link = links.find(token, "admin")
        make_user(is_admin=True)
        with pytest.raises(LinkInvalid):
            links.spend(link)
        assert PageUser(app).sign_up(path).status_code == 404

    def test_a_refused_form_does_not_use_it_up(self, app):
        path = path_of(service.admin_link("https://rexec.example"))
        person = PageUser(app)
        person.password = "short"
        assert person.sign_up(path).status_code == 422
        taken = make_user()
        person.password = NEW
        person.email = taken.email
        assert person.sign_up(path).status_code == 422
        person.email = "admin@example.com"
        assert person.sign_up(path).status_code == 303
        assert admins() == ["admin@example.com"]


class TestInvitations:
    def test_one_for_an_address_works_for_that_one_only(self, app):
        token = links.create("invite", email="guest@example.com", plan="pro")
        guest = PageUser(app, "somebody-else@example.com")
        page = guest.get(f"/join/{token}")
        assert 'value="guest@example.com"' in page.text
        assert "readonly" in page.text
        assert guest.sign_up(f"/join/{token}").status_code == 303
        user = service.find("guest@example.com")
        assert (user.plan, user.is_admin) == ("pro", False)

    def test_one_may_make_an_admin_though_there_is_one(self, app):
        make_user("first@example.com", is_admin=True)
        token = links.create("invite", grants_admin=True)
        PageUser(app, "second@example.com").sign_up(f"/join/{token}")
        assert admins() == ["first@example.com", "second@example.com"]

    def test_one_works_once(self, app):
        token = links.create("invite")
        assert PageUser(app).sign_up(f"/join/{token}").status_code == 303
        second = PageUser(app)
        answer = second.sign_up(f"/join/{token}")
        assert answer.status_code == 404
        assert "This link was used already or has expired." in visible(answer)


class TestResets:
    @pytest.fixture
    def token(self, owner):
        return links.create("reset", user_id=service.find(owner.email).id)

    def test_a_new_password_is_set_and_every_browser_logged_out(self, app, owner, token):
        somebody = PageUser(app)
        assert somebody.get(f"/reset/{token}").status_code == 200
        answer = somebody.post(f"/reset/{token}", {"password": NEW})
        assert (answer.status_code, answer.location) == (303, "/login")
        assert not owner.is_logged_in()
        assert owner.log_in().status_code == 422
        assert owner.log_in(NEW).status_code == 303
        assert somebody.post(f"/reset/{token}", {"password": "yet-another-password"}).status_code == 404

    def test_a_refused_password_does_not_use_it_up(self, stranger, token):
        answer = stranger.post(f"/reset/{token}", {"password": "short"})
        assert answer.status_code == 422
        assert "at least 10 characters" in visible(answer)
        assert stranger.post(f"/reset/{token}", {"password": NEW}).status_code == 303

    def test_a_newer_one_replaces_it(self, app, owner, stranger, token):
        newer = links.create("reset", user_id=service.find(owner.email).id)
        assert stranger.get(f"/reset/{token}").status_code == 404
        assert stranger.get(f"/reset/{newer}").status_code == 200

    def test_it_is_no_way_to_sign_up_nor_an_invitation_one_to_reset(self, stranger, token):
        assert stranger.sign_up(f"/join/{token}").status_code == 404
        assert stranger.get(f"/reset/{links.create('invite')}").status_code == 404

    def test_it_does_not_open_a_disabled_account(self, app, owner, stranger, token):
        user_id = service.find(owner.email).id
        db.session.rollback()
        fresh = None
        service.set_disabled(user_id, True)
        assert stranger.get(f"/reset/{token}").status_code == 404
        fresh = links.create("reset", user_id=user_id)
        stranger.post(f"/reset/{fresh}", {"password": NEW})
        assert owner.log_in(NEW).status_code == 422


def test_the_database_holds_no_token_that_works(app, stranger):
    token = links.create("invite")
    kept = db.session.scalar(select(OneTimeLink.token_hash))
    assert token not in kept
    assert stranger.get(f"/join/{kept}").status_code == 404


@pytest.mark.parametrize("purpose", ["admin", "invite", "reset"])
def test_every_link_expires(app, purpose):
    user = make_user()
    token = links.create(purpose, user_id=user.id if purpose == "reset" else None)
    assert links.find(token, purpose)
    db.session.execute(update(OneTimeLink).values(expires_at=utcnow() - timedelta(seconds=1)))
    db.session.commit()
    with pytest.raises(LinkInvalid):
        links.find(token, purpose)


@pytest.mark.parametrize("token", ["x", "é", "0" * 43, "a" * 3000])
def test_made_up_links_lead_nowhere(stranger, token):
    assert stranger.get(f"/join/{token}").status_code == 404
    assert stranger.get(f"/reset/{token}").status_code == 404


def test_what_is_used_or_expired_is_forgotten(app):
    old, used, good = (links.create("invite") for _ in range(3))
    db.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == links.find(old, "invite").id)
        .values(expires_at=utcnow() - timedelta(seconds=1))
    )
    PageUser(app).sign_up(f"/join/{used}")
    db.session.commit()
    links.forget_old()
    assert [row.id for row in db.session.scalars(select(OneTimeLink))] == [links.find(good, "invite").id]
