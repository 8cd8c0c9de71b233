"""Log-in sessions: rows that end when they should."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import InternalError, OperationalError

from rexec.accounts import login, service, sessions
from rexec.accounts.models import LoginSession, User
from rexec.extensions import db, utcnow
from tests.support.page_user import PageUser


def only_session():
    """The one row there is, read anew."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(LoginSession)).one()


def age(**values):
    """Set columns of every session."""
    db.session.execute(update(LoginSession).values(**values))
    db.session.commit()


def test_the_database_holds_no_token_that_works(owner):
    cookie = owner.client.get_cookie("rexec_session").value
    with owner.client.session_transaction() as held:
        token = held["_user_id"]
    row = only_session()
    assert row.token_hash not in {token, cookie}
    assert len(row.token_hash) == 64
    assert sessions.load(token).email == owner.email
    assert sessions.load(row.token_hash) is None


def test_a_made_up_token_is_nobodys(app):
    for token in ("", "x", "é" * 50, "0" * 64):
        assert sessions.load(token) is None


def test_who_is_logged_in_is_found_by_one_query(owner, queries):
    assert owner.get("/account").status_code == 200
    assert (
        len([statement for statement in queries if "users" in statement or "login_sessions" in statement])
        == 1
    )


def test_pages_that_ask_nobody_ask_no_database(owner, queries):
    owner.get("/static/css/base.css").close()
    assert queries == []


def test_a_session_in_use_is_noted_once_in_a_while_and_its_cookie_lengthened(owner):
    assert "Set-Cookie" in owner.get("/account").headers, "the form's token comes into the cookie only once"
    long_ago = utcnow() - sessions.SEEN_EVERY - timedelta(seconds=1)
    age(last_seen_at=long_ago, expires_at=utcnow() + timedelta(days=1))
    answer = owner.get("/account")
    row = only_session()
    assert row.last_seen_at > long_ago
    assert row.expires_at > utcnow() + timedelta(days=29)
    assert "rexec_session" in answer.headers.get("Set-Cookie", "")
    seen = row.last_seen_at
    db.session.rollback()
    answer = owner.get("/account")
    assert only_session().last_seen_at == seen
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("kind", [OperationalError, InternalError])
def test_a_page_is_shown_though_its_session_cannot_be_noted(owner, monkeypatch, kind):
    """A database that only reads says so by an internal error."""

    def fail(_session_id):
        raise kind("UPDATE", {}, Exception("read-only"))

    age(last_seen_at=utcnow() - sessions.SEEN_EVERY - timedelta(seconds=1))
    monkeypatch.setattr(sessions, "note_seen", fail)
    assert owner.get("/account").status_code == 200


def test_a_session_ends_when_it_was_not_used_for_a_month(owner):
    age(expires_at=utcnow() - timedelta(seconds=1))
    assert not owner.is_logged_in()


def test_a_disabled_account_is_shut_out_whatever_sessions_it_has(owner):
    db.session.execute(update(User).values(is_disabled=True))
    db.session.commit()
    assert not owner.is_logged_in()


def test_the_cookie_lives_as_long_as_the_session(owner):
    assert (
        owner.client.get_cookie("rexec_session").expires.timestamp()
        > (utcnow() + timedelta(days=29)).timestamp()
    )


def test_which_sessions_are_live_is_one_query_for_all(app, owner, teammate, queries):
    ids = {row.user_id: row.id for row in db.session.scalars(select(LoginSession))}
    owners, teammates = (ids[service.find(person.email).id] for person in (owner, teammate))
    queries.clear()
    assert sessions.live([owners, teammates, 999]) == {owners, teammates}
    assert len(queries) == 1
    assert sessions.live([]) == set()
    db.session.execute(update(LoginSession).where(LoginSession.id == owners).values(expires_at=utcnow()))
    db.session.execute(update(User).where(User.email == teammate.email).values(is_disabled=True))
    assert sessions.live([owners, teammates]) == set()


def test_a_request_knows_its_session(app, owner):
    with owner.client.session_transaction() as held:
        token = held["_user_id"]
    db.session.rollback()
    with app.test_request_context():
        from flask import session

        session["_user_id"] = token
        assert login.current_session_id() == sessions.load(token).session_id
    with app.test_request_context():
        from flask import g

        g.pop("_login_user", None)
        assert login.current_session_id() is None


def test_sessions_that_are_over_are_forgotten(app, owner, teammate):
    first = db.session.scalars(select(LoginSession).order_by(LoginSession.id)).first()
    first.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    sessions.forget_expired()
    assert [row.id for row in db.session.scalars(select(LoginSession))] != []
    assert not owner.is_logged_in()
    assert teammate.is_logged_in()


def test_another_secret_ends_every_session(app, owner, tmp_path):
    with owner.client.session_transaction() as held:
        token = held["_user_id"]
    from dataclasses import replace

    before = app.extensions["rexec.settings"]
    app.extensions["rexec.settings"] = replace(before, jwt_secret="another-secret-that-is-long-enough-000")
    assert sessions.load(token) is None
    app.extensions["rexec.settings"] = before
    assert sessions.load(token) is not None


def test_two_browsers_of_one_person_are_two_sessions(app, owner):
    second = PageUser(app, owner.email)
    second.log_in()
    owner.post("/logout")
    assert not owner.is_logged_in()
    assert second.is_logged_in()
