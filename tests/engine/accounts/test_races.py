"""Several people, or one in several browsers, at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, text, update

from rexec.accounts import closing, links, passwords, service, sessions
from rexec.accounts.models import LoginSession, OneTimeLink, User
from rexec.extensions import db
from tests.support.factories import make_user
from tests.support.page_user import PageUser
from tests.support.stacks import on_postgres
from tests.support.waiting import eventually

NEW = "a-new-password-of-mine"


def count(*conditions):
    """How many accounts there are."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(User).where(*conditions))


def waiting_for_locks():
    """How many statements wait; asked in a new transaction each time, in which PostgreSQL looks anew."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
    with db.engine.connect() as connection:
        return connection.scalar(text(waiting + "wait_event_type = 'Lock'"))


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def test_one_address_signed_up_by_eight_browsers_is_one_account(app, together):
    people = [PageUser(app, "wanted@example.com", address=f"198.51.100.{number}") for number in range(8)]
    answers = together([person.sign_up for person in people])
    assert statuses(answers) == [303] + [422] * 7
    assert count() == 1
    assert [person.is_logged_in() for person in people].count(True) == 1


def test_an_invitation_used_by_eight_people_lets_one_in(app, together):
    token = links.create("invite")
    people = [PageUser(app) for _ in range(8)]
    answers = together([lambda person=person: person.sign_up(f"/join/{token}") for person in people])
    assert statuses(answers) == [303] + [404] * 7
    assert count() == 1


def test_two_links_to_the_first_admin_make_one_admin(app, together):
    paths = [service.admin_link("").removeprefix("/") for _ in range(6)]
    people = [PageUser(app) for _ in paths]
    answers = together(
        [
            lambda person=person, path=path: person.sign_up(f"/{path}")
            for person, path in zip(people, paths, strict=True)
        ]
    )
    assert statuses(answers) == [303] + [404] * 5
    assert count(User.is_admin) == 1
    assert db.session.scalar(select(func.count()).where(OneTimeLink.used_at.is_(None))) == 0


def test_a_reset_link_used_by_two_browsers_sets_one_password(app, together):
    user_id = make_user("owner@example.com").id
    token = links.create("reset", user_id=user_id)
    chosen = ["the-first-password", "the-other-password"]
    answers = together(
        [
            lambda password=password: PageUser(app).post(f"/reset/{token}", {"password": password})
            for password in chosen
        ]
    )
    assert statuses(answers) == [303, 404]
    won = next(
        password for password, answer in zip(chosen, answers, strict=True) if answer.status_code == 303
    )
    db.session.rollback()
    assert passwords.verify(service.get(user_id).password_hash, won)


def test_two_browsers_that_change_the_password_do_not_overwrite_each_other(app, together):
    make_user("owner@example.com")
    browsers = [PageUser(app, "owner@example.com") for _ in range(2)]
    for browser in browsers:
        assert browser.log_in().status_code == 303
    chosen = ["the-first-password", "the-other-password"]
    answers = together(
        [
            lambda browser=browser, password=password: browser.post(
                "/account/password", {"present": browser.password, "password": password}
            )
            for browser, password in zip(browsers, chosen, strict=True)
        ]
    )
    assert statuses(answers) == [303, 422]
    won = next(
        password for password, answer in zip(chosen, answers, strict=True) if answer.status_code == 303
    )
    assert PageUser(app, "owner@example.com").log_in(won).status_code == 303
    db.session.rollback()


@pytest.fixture
def admins(app):
    """Two admins who are logged in, and nobody else."""
    people = [PageUser(app, f"admin-{number}@example.com") for number in range(2)]
    for person in people:
        make_user(person.email, is_admin=True)
        assert person.log_in().status_code == 303
        person.csrf_token()
    return people


ROUNDS = range(3)
CAN_ADMINISTER = (User.is_admin, ~User.is_disabled)


@pytest.mark.parametrize("_round", ROUNDS)
def test_two_last_admins_who_delete_their_accounts_at_once_leave_one(app, admins, monkeypatch, _round):
    barrier = Barrier(len(admins))
    real = closing.verified

    def verified(*arguments):
        found = real(*arguments)
        barrier.wait(30)
        return found

    monkeypatch.setattr(closing, "verified", verified)
    with ThreadPoolExecutor(2) as threads:
        asked = [
            threads.submit(person.post, "/account/delete", {"present": person.password}) for person in admins
        ]
        answers = [future.result(60) for future in asked]
    assert count(*CAN_ADMINISTER) == 1
    assert statuses(answers) == [303, 409]


@pytest.mark.parametrize("_round", ROUNDS)
def test_two_last_admins_who_disable_each_other_at_once_leave_one(app, admins, _round):
    ids = [service.find(person.email).id for person in admins]
    db.session.rollback()
    barrier = Barrier(2)

    def disable(person, other):
        form = {"csrf_token": person.csrf_token()}
        barrier.wait(30)
        return person.client.post(f"/admin/users/{other}/disable", data=form)

    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(disable, *pair) for pair in zip(admins, reversed(ids), strict=True)]
        for future in asked:
            future.result(60)
    assert count(*CAN_ADMINISTER) == 1


@on_postgres
def test_a_log_in_that_meets_a_password_change_waits_for_it_and_is_refused(app):
    """The old password was verified before the change was committed: its session must not come after it."""
    user_id = make_user("owner@example.com").id
    late = PageUser(app, "owner@example.com")
    late.csrf_token()
    # The executor is left last: an open change would keep its thread waiting.
    with ThreadPoolExecutor(1) as threads, db.engine.connect() as change:
        change.execute(update(User).where(User.id == user_id).values(password_hash="another"))
        trying = threads.submit(late.log_in)
        eventually(lambda: waiting_for_locks() == 1)
        change.commit()
        assert trying.result(30).status_code == 422
    assert not late.is_logged_in()
    assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0


def test_many_requests_that_note_a_session_as_seen_at_once_all_succeed(app):
    make_user("owner@example.com")
    person = PageUser(app, "owner@example.com")
    person.log_in()
    row = db.session.scalars(select(LoginSession)).one()
    row.last_seen_at -= 2 * sessions.SEEN_EVERY
    db.session.commit()
    old = row.last_seen_at
    db.session.rollback()
    with ThreadPoolExecutor(6) as threads:
        answers = [future.result(30) for future in [threads.submit(person.get, "/account") for _ in range(6)]]
    assert {answer.status_code for answer in answers} == {200}
    db.session.expire_all()
    assert db.session.scalars(select(LoginSession)).one().last_seen_at > old
