"""What an admin sees and does, and that nobody else does."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import event

from rexec.accounts import service as accounts
from rexec.accounts.models import User
from rexec.admin import service
from rexec.extensions import db, utcnow
from tests.support.factories import make_container, make_user
from tests.support.page_user import PageUser, visible

ACTS = ["reset-link", "disable", "enable", "plan"]


def row(user_id):
    """An account's row, read anew."""
    db.session.rollback()
    return db.session.get(User, user_id)


def shown_link(answer):
    """The link that a page shows, as a path."""
    found = re.search(r'<textarea[^>]*id="link"[^>]*>http://localhost([^<]+)</textarea>', answer.text)
    assert found, answer.text
    return html.unescape(found[1])


@pytest.mark.parametrize("path", ["/admin", "/admin?q=a&page=2", "/admin/invite"])
def test_the_pages_exist_for_admins_only(admin, owner, stranger, path):
    assert admin.get(path).status_code == 200
    assert owner.get(path).status_code == 404
    assert stranger.get(path).location.startswith("/login?next=/admin")


@pytest.mark.parametrize("act", ACTS)
def test_nobody_else_can_act(owner, owner_id, stranger, act):
    victim = make_user().id
    before = vars_of(victim)
    assert owner.post(f"/admin/users/{victim}/{act}", {"plan": "pro"}).status_code == 404
    assert stranger.post(f"/admin/users/{victim}/{act}", {"plan": "pro"}).location == "/login"
    assert vars_of(victim) == before


def vars_of(user_id):
    """What could have been changed."""
    user = row(user_id)
    return user.plan, user.is_disabled, user.is_admin, user.password_hash


@pytest.mark.parametrize("act", ACTS)
def test_acting_needs_a_token(admin, owner_id, act):
    assert admin.client.post(f"/admin/users/{owner_id}/{act}").status_code == 400


@pytest.mark.parametrize("act", ACTS)
def test_an_account_that_is_not_there_is_not_found(admin, act):
    assert admin.post(f"/admin/users/999/{act}", {"plan": "pro"}).status_code == 404


def test_the_list_says_who_has_what(admin, owner, owner_id):
    user = row(owner_id)
    user.plan = "pro"
    make_container(user)
    make_container(user)
    make_user("gone@example.com", is_disabled=True)
    make_user("closed:9", closing_at=utcnow(), is_disabled=True)
    page = admin.get("/admin")
    text = visible(page)
    assert "admin@example.com admin" in text
    assert "3 people" in text
    assert "closed:9" not in text
    line = re.search(rf'<tr data-user-id="{owner_id}">.*?</tr>', page.text, re.DOTALL)[0]
    assert re.search(r'<td class="num"[^>]*>2</td>', line)
    assert re.search(r'value="pro" selected', line)
    assert "disabled" in re.search(r"gone@example\.com.*?</tr>", page.text, re.DOTALL)[0]


def test_the_list_is_found_by_a_part_of_the_address_literally(admin):
    for email in ("anna_b@example.com", "annaxb@example.com", "bert@example.com"):
        make_user(email)
    text = visible(admin.get("/admin?q=ANNA_"))
    assert "anna_b@example.com" in text
    assert "annaxb@example.com" not in text
    assert "Nobody found" in visible(admin.get("/admin?q=%25nobody"))


def test_a_search_is_shown_as_text(admin):
    page = admin.get("/admin?q=<script>alert(1)</script>")
    assert "<script>alert" not in page.text


def test_a_long_list_has_pages(admin):
    db.session.add_all(
        User(email=f"p{number:03}@example.com", password_hash="", created_at=utcnow())
        for number in range(120)
    )
    db.session.commit()
    first, last = service.people(page=1), service.people(page=99)
    assert (first.total, first.pages, len(first.people)) == (121, 3, 50)
    assert (last.page, len(last.people)) == (3, 21)
    assert "2 of 3" in visible(admin.get("/admin?page=2&q=p"))
    assert admin.get("/admin?page=x").status_code == 200
    assert admin.get("/admin?page=-4").status_code == 200


def test_the_list_is_two_queries_however_long_it_is(app):
    for _ in range(5):
        make_container(make_user())
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    service.people()
    event.remove(db.engine, "before_cursor_execute", note)
    assert len(seen) == 2


def test_a_reset_link_is_shown_once_and_works(app, admin, owner, owner_id):
    answer = admin.post(f"/admin/users/{owner_id}/reset-link")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    link = shown_link(answer)
    assert link.partition("/reset/")[2] not in admin.get("/admin").text
    assert PageUser(app).post(link, {"password": "a-new-password-of-mine"}).status_code == 303
    assert not owner.is_logged_in()
    assert owner.log_in("a-new-password-of-mine").status_code == 303


def test_links_carry_the_public_address_where_it_is_set(app, admin, owner_id):
    from dataclasses import replace

    app.extensions["rexec.settings"] = replace(
        app.extensions["rexec.settings"], app_url="https://rexec.example/"
    )
    assert "https://rexec.example/reset/" in admin.post(f"/admin/users/{owner_id}/reset-link").text


def test_whoever_is_disabled_is_out_at_once_and_can_be_let_in_again(admin, owner, owner_id):
    answer = admin.post(f"/admin/users/{owner_id}/disable?q=own&page=1")
    assert (answer.status_code, answer.location) == (303, "/admin?q=own&page=1")
    assert not owner.is_logged_in()
    assert owner.log_in().status_code == 422
    assert admin.post(f"/admin/users/{owner_id}/enable").status_code == 303
    assert not owner.is_logged_in(), "the old session came back"
    assert owner.log_in().status_code == 303


def test_an_admin_cannot_shut_themselves_out(admin):
    own_id = accounts.find(admin.email).id
    db.session.rollback()
    answer = admin.post(f"/admin/users/{own_id}/disable")
    assert answer.status_code == 409
    assert "You cannot disable your own account." in visible(answer)
    assert admin.is_logged_in()
    assert f"/admin/users/{own_id}/disable" not in admin.get("/admin").text


def test_a_plan_is_given_and_taken_back(admin, owner_id):
    assert admin.post(f"/admin/users/{owner_id}/plan", {"plan": "team"}).status_code == 303
    assert row(owner_id).plan == "team"
    assert admin.post(f"/admin/users/{owner_id}/plan", {"plan": ""}).status_code == 303
    assert row(owner_id).plan is None


def test_a_plan_that_is_not_there_is_refused(admin, owner_id):
    answer = admin.post(f"/admin/users/{owner_id}/plan", {"plan": "platinum"})
    assert answer.status_code == 422
    assert "free, pro, team" in visible(answer)
    assert row(owner_id).plan is None


def test_an_invitation_gives_what_was_chosen(app, admin):
    answer = admin.post("/admin/invite", {"email": " Guest@Example.com", "plan": "pro", "admin": "y"})
    assert answer.status_code == 200
    guest = PageUser(app, "guest@example.com")
    assert guest.sign_up(shown_link(answer)).status_code == 303
    user = accounts.find("guest@example.com")
    assert (user.plan, user.is_admin) == ("pro", True)


def test_an_invitation_for_no_address_is_for_anybody(app, admin):
    guest = PageUser(app)
    assert (
        guest.sign_up(shown_link(admin.post("/admin/invite", {"email": "", "plan": ""}))).status_code == 303
    )
    user = accounts.find(guest.email)
    assert (user.plan, user.is_admin) == (None, False)


@pytest.mark.parametrize(("email", "plan"), [("no-address", ""), ("", "platinum")])
def test_a_refused_invitation_is_shown_again(admin, email, plan):
    answer = admin.post("/admin/invite", {"email": email, "plan": plan})
    assert answer.status_code == 422
    assert f'value="{email}"' in answer.text
