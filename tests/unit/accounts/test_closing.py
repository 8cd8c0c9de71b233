"""Deleting an account: its containers first, then its row, whatever the Docker host does meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from rexec.accounts import closing, links, service
from rexec.accounts.models import LoginSession, OneTimeLink, User
from rexec.containers.models import Container
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from tests.support.factories import make_container, make_user
from tests.support.page_user import PageUser, visible


def user_of(person):
    """Whose row it is, by an address that is still there."""
    user = service.find(person.email)
    db.session.rollback()
    return user.id


def rows(model):
    """How many rows a table has."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model))


def close(person, password=None):
    return person.post("/account/delete", {"present": password or person.password})


def container_goes(container_id):
    """What the job of the containers' domain does in the end."""
    db.session.delete(db.session.get(Container, container_id))
    db.session.commit()


def test_an_account_without_containers_is_gone_at_once(app, owner, teammate):
    links.create("reset", user_id=user_of(owner))
    answer = close(owner)
    assert (answer.status_code, answer.location) == (303, "/")
    assert not owner.is_logged_in()
    assert [user.email for user in db.session.scalars(select(User))] == [teammate.email]
    assert rows(OneTimeLink) == 0
    assert teammate.is_logged_in()


def test_the_page_warns_and_asks_for_the_password(owner):
    page = owner.get("/account/delete")
    assert page.status_code == 200
    assert "deleted with its home directory" in visible(page)
    refused = close(owner, "not-my-password")
    assert refused.status_code == 422
    assert "This is not your present password." in visible(refused)
    assert owner.is_logged_in()


def test_containers_go_first_and_nobody_gets_in_meanwhile(app, owner, teammate):
    user_id = user_of(owner)
    mine = make_container(db.session.get(User, user_id)).id
    other = make_container(db.session.get(User, user_of(teammate))).id
    phone = PageUser(app, owner.email)
    phone.log_in()

    assert close(owner).status_code == 303

    assert rows(LoginSession) == 1, "only the teammate's session is left"
    assert not phone.is_logged_in()
    assert phone.log_in().status_code == 422
    assert db.session.scalars(
        select(Operation.subject).where(Operation.kind == "container.delete", Operation.state == "queued")
    ).all() == [f"container:{mine}"]
    assert rows(User) == 2
    closing.finish_all()
    assert rows(User) == 2, "the account went before its container"
    assert rows(Operation) == 1, "a second operation for the same container"

    container_goes(mine)
    assert closing.finish_all() == 1
    assert rows(User) == 1
    assert db.session.get(Container, other) is not None


def test_the_address_is_free_again_at_once(app, owner):
    make_container(db.session.get(User, user_of(owner)))
    close(owner)
    again = PageUser(app, owner.email)
    assert again.sign_up().status_code == 303
    assert again.is_logged_in()
    assert rows(LoginSession) == 1


def test_a_process_that_died_after_the_first_step_is_made_up_for(app):
    """Between the commit and the signal: the row says all that is needed."""
    user = make_user(closing_at=utcnow(), is_disabled=True)
    container = make_container(user)
    closing.finish_all()
    assert db.session.scalar(select(Operation.subject)) == f"container:{container.id}"
    container_goes(container.id)
    assert closing.finish_all() == 1
    assert rows(User) == 0


def test_a_container_that_came_in_between_keeps_the_row(app, monkeypatch):
    user = make_user(closing_at=utcnow(), is_disabled=True)
    user_id = user.id
    make_container(user)
    monkeypatch.setattr(closing.account_closing, "send", lambda *_, **__: [(None, 0)])
    assert closing.finish(user_id) is False
    assert rows(User) == 1


def test_an_account_that_is_not_closing_is_left_alone(app):
    user = make_user()
    closing.finish(user.id)
    assert rows(User) == 1


def test_the_only_admin_cannot_go(app, owner):
    db.session.get(User, user_of(owner)).is_admin = True
    db.session.commit()
    answer = close(owner)
    assert answer.status_code == 409
    assert "You are the only admin." in visible(answer)
    assert owner.is_logged_in()
    make_user(is_admin=True)
    assert close(owner).status_code == 303


def test_an_account_on_its_way_out_cannot_be_managed(app):
    user = make_user(closing_at=utcnow(), is_disabled=True)
    from rexec.errors import NotFound

    for act in (lambda: service.set_disabled(user.id, False), lambda: service.set_plan(user.id, "pro")):
        with pytest.raises(NotFound):
            act()
