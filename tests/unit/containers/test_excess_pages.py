"""What pages say and ask of somebody who has more containers than the plan has room for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from rexec.accounts.models import User
from rexec.admin import service as admin
from rexec.containers import excess
from rexec.containers.models import Container, Excess
from rexec.extensions import db, utcnow
from tests.support.factories import make_container
from tests.support.page_user import PageUser, statuses, visible


@pytest.fixture
def three(person):
    """The public ids of three stopped containers of somebody who had the plan Pro and has none now."""
    found = [make_container(person.row, name=f"lab-{number}", status="stopped") for number in range(3)]
    admin.set_plan(person.row.id, None)
    return [row.public_id for row in found]


@pytest.fixture
def over(person, three):
    """The same, once the grace has ended and the two newest are suspended."""
    since = utcnow() - excess.GRACE - timedelta(hours=1)
    db.session.execute(db.update(Excess).values(since=since))
    db.session.commit()
    excess.look_at_all()
    return three


def ticked(answer):
    boxes = re.findall(r'<input type="checkbox" name="keep" value="(\w+)"( checked)?', answer.text)
    return [public_id for public_id, checked in boxes if checked]


def kept():
    db.session.rollback()
    return set(db.session.scalars(db.select(Container.public_id).where(Container.keep)))


def test_the_list_says_how_many_go_and_until_when(person, three):
    page = visible(person.get("/containers"))
    until = utcnow() + excess.GRACE
    assert "Your plan Free has room for 1 container, and you have 3 containers." in page
    assert f"Until {until.day} {until:%B %Y} (6 d left) everything goes on; after that 2 are kept" in page
    assert 'href="/containers/keep"' in person.get("/containers").text
    assert page.count("Start") == 3
    assert "Choose what stays" in visible(person.get(f"/containers/{three[0]}"))


def test_the_list_with_the_notice_needs_six_queries_at_most(person, over, docker_host, queries):
    docker_host.calls.clear()
    queries.clear()
    assert "cannot start" in visible(person.get("/containers"))
    assert len(queries) <= 6, queries
    assert docker_host.calls == {}


def test_what_is_suspended_has_a_word_a_shape_and_the_ways_on(person, over):
    answer = person.get("/containers")
    assert set(statuses(answer).values()) == {"stopped"}
    row = re.search(rf'<li class="row" id="row-{over[2]}".*?</li>', answer.text, re.DOTALL)[0]
    assert "shape-warning" in row
    assert "Suspended: kept, but cannot start · 256 MB" in row
    assert "/start" not in row
    assert 'href="/containers/keep"' in row
    assert f"{over[0]}/start" in answer.text
    page = person.get(f"/containers/{over[2]}")
    assert "Your plan Free has room for 1 container: this one is kept but cannot start." in visible(page)
    assert "/start" not in page.text
    assert all(f'href="{way}"' in page.text for way in ("/containers/keep", "/billing"))
    assert f"/containers/{over[2]}/delete" in page.text
    assert statuses(page) == {over[2]: "stopped"}
    assert "this one is kept" in person.get(f"/containers/{over[2]}/status").text


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_start_of_what_is_suspended_is_refused_with_both_ways_on(person, over, verb):
    answer = person.post(f"/containers/{over[2]}/{verb}")
    assert answer.status_code == 409
    assert "Choose what stays, or the plan Pro with room for 5." in visible(answer)


def test_a_failed_one_that_is_suspended_says_both(person, over):
    values = {"status": "failed", "error_code": "x", "error_message": "It broke."}
    db.session.execute(db.update(Container).where(Container.public_id == over[2]).values(**values))
    db.session.commit()
    page = person.get(f"/containers/{over[2]}")
    assert "It broke." in visible(page)
    assert "kept but cannot start" in visible(page)
    assert "/retry" not in page.text
    assert person.post(f"/containers/{over[2]}/retry").status_code == 409


def test_the_oldest_is_proposed_and_another_may_be_chosen(person, three):
    assert ticked(person.get("/containers/keep")) == [three[0]]
    answer = person.post("/containers/keep", {"keep": [three[2]]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/containers")
    assert kept() == {three[2]}
    assert ticked(person.get("/containers/keep")) == [three[2]]
    assert person.post("/containers/keep").status_code == 303
    assert kept() == set()


def test_what_there_is_to_choose_from_is_called_as_in_the_list(person, over):
    page = visible(person.get("/containers/keep"))
    assert "stopped · Shell built in · made" in page
    assert "suspended · Shell built in · made" in page


def test_more_than_fit_are_refused_with_what_was_ticked(person, three):
    answer = person.post("/containers/keep", {"keep": three[1:]})
    assert answer.status_code == 422
    assert ticked(answer) == three[1:]
    assert "Your plan Free has room for 1 container, and you ticked 2." in visible(answer)
    assert kept() == set()


def test_a_choice_after_the_grace_lets_another_start(person, over):
    person.post("/containers/keep", {"keep": [over[1]]})
    assert person.post(f"/containers/{over[0]}/start").status_code == 409
    assert person.post(f"/containers/{over[1]}/start").status_code == 303


def test_somebody_elses_container_cannot_be_ticked(person, three):
    other = make_container().public_id
    assert other not in person.get("/containers/keep").text
    assert person.post("/containers/keep", {"keep": [other]}).status_code == 303
    assert kept() == set()


def test_where_everything_fits_there_is_nothing_to_choose(person):
    make_container(person.row)
    answer = person.get("/containers/keep")
    assert "All your containers stay" in visible(answer)
    assert ticked(answer) == []
    assert "Choose what stays" not in visible(person.get("/containers"))


def test_without_any_plan_the_ways_on_are_plans(person, app, over):
    app.extensions["rexec.plans"] = tuple(plan for plan in app.extensions["rexec.plans"] if not plan.is_free)
    excess.look_at_all()
    page = visible(person.get("/containers"))
    assert "You have no plan, and you have 3 containers" in page
    for path in ("/containers/keep", f"/containers/{over[0]}"):
        answer = person.get(path)
        assert answer.status_code == 200
        assert 'href="/billing"' in answer.text
    assert person.post("/containers/keep", {"keep": [over[0]]}).status_code == 422


def test_the_choice_needs_a_log_in_and_the_forms_token(person, three, app):
    assert "/login" in PageUser(app).get("/containers/keep").headers["Location"]
    assert person.client.post("/containers/keep", data={"keep": three[1]}).status_code == 400
    assert kept() == set()


def test_limits_that_wait_for_the_next_start_are_said(person):
    row = make_container(person.row, memory_mb=4096, cpu_millis=2000, pids=1024)
    page = visible(person.get(f"/containers/{row.public_id}"))
    assert all(words in page for words in ("4 GB", "2 CPU", "1024"))
    assert "From the next start on: 2 GB · 1 CPU · 512 processes, by the plan Pro" in page
    db.session.execute(db.update(User).values(plan="team"))
    db.session.commit()
    assert "From the next start on" not in visible(person.get(f"/containers/{row.public_id}"))
