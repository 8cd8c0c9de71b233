"""The pages of containers: what they show, what they answer, and what they do not ask."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from rexec.accounts.models import User
from rexec.containers import host_state, reconcile, service
from rexec.containers.models import Container
from rexec.containers.states import enter
from rexec.docker_host.errors import DockerUnreachable
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from rexec.web.filters import datetime_iso
from tests.support.factories import make_container
from tests.support.page_user import PageUser, statuses, visible


@pytest.mark.parametrize("path", ["/containers/new", "/containers/{id}", "/containers/{id}/status"])
def test_no_page_but_the_logs_asks_the_docker_host(person, docker_host, path):
    public_id = make_container(person.row).public_id
    docker_host.calls.clear()
    assert person.get(path.format(id=public_id)).status_code == 200
    assert docker_host.calls == {}


def test_the_status_polls_itself_until_it_rests(person):
    row = make_container(person.row, status="creating")
    path = f"/containers/{row.public_id}/status"
    assert "hx-trigger" in person.get(path).text
    enter(
        row.id, ("creating",), "failed", error_code="no_space", error_message="Full.", error_hint="Free some."
    )
    answer = person.get(path)
    assert "hx-trigger" not in answer.text
    assert all(word in answer.text for word in ("Full.", "Free some.", "no_space", "/retry", "/delete"))


def test_making_one_leads_to_its_page(person, work):
    answer = person.post("/containers", {"name": "Web-Lab", "image": "shell"})
    assert answer.status_code == 303
    place = answer.headers["Location"]
    public_id = place.rpartition("/")[2]
    assert statuses(person.get(place)) == {public_id: "queued"}
    work()
    assert statuses(person.get(place)) == {public_id: "running"}
    assert "rexec-terminal" in person.get(place).text


@pytest.mark.parametrize("name", ["", "🦀", "<b>x</b>", "x" * 300, "a b"])
def test_a_bad_name_is_refused_beside_the_field_with_what_was_typed(person, name):
    answer = person.post("/containers", {"name": name, "image": "alpine"})
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert re.search(r'value="alpine"[^>]*checked', answer.text)
    assert "<b>x</b>" not in answer.text
    assert db.session.scalars(db.select(Container)).all() == []


@pytest.mark.parametrize("image", ["", "nothing", "../etc"])
def test_an_image_that_is_not_offered_is_refused(person, image):
    answer = person.post("/containers", {"name": "lab", "image": image})
    assert answer.status_code == 422
    assert "Choose one of the images." in answer.text


def test_a_full_plan_answers_409_with_what_was_typed_and_both_ways_on(person):
    for number in range(5):
        make_container(person.row, name=f"lab-{number}", status="stopped")
    answer = person.post("/containers", {"name": "sixth", "image": "alpine"})
    assert answer.status_code == 409
    assert 'value="sixth"' in answer.text
    assert "lab-0" in visible(answer)
    assert "Team" in visible(answer)
    assert "full" in visible(person.get("/containers"))


def test_without_any_plan_the_page_says_so(person, app):
    db.session.execute(db.update(User).values(plan=None))
    db.session.commit()
    app.extensions["rexec.plans"] = tuple(plan for plan in app.extensions["rexec.plans"] if not plan.is_free)
    assert "You have no plan yet" in visible(person.get("/containers/new"))
    assert person.post("/containers", {"name": "lab", "image": "shell"}).status_code == 409


def test_the_new_page_offers_a_free_name_and_what_is_ready(person):
    reconcile.look_at_host()
    answer = person.get("/containers/new")
    proposed = re.search(
        r'id="name"[^>]*value="([a-z0-9-]+)"|value="([a-z0-9-]+)"[^>]*id="name"', answer.text
    )
    assert proposed
    assert visible(answer).count("ready") == 1
    assert re.search(r'value="shell"[^>]*checked', answer.text)


@pytest.mark.parametrize(
    ("images", "offered"), [(None, True), ({}, False), ({"rexec/shell:latest": 1}, True)]
)
def test_the_built_in_image_is_offered_where_it_is_or_may_be(person, images, offered):
    host_state.note_reachable(images=images)
    assert ('value="shell"' in person.get("/containers/new").text) is offered


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "retry", "cancel", "delete"])
def test_a_stranger_gets_404_for_everything_and_changes_nothing(person, fresh, verb):
    row = make_container()
    path = f"/containers/{row.public_id}"
    assert person.post(f"{path}/{verb}").status_code == 404
    assert fresh(row.id).status == "running"
    for page in ("", "/status", "/logs"):
        assert person.get(path + page).status_code == 404


def test_who_is_not_logged_in_is_led_to_the_log_in(app):
    row = make_container()
    stranger = PageUser(app)
    for path in ("/containers", "/containers/new", f"/containers/{row.public_id}"):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert "/login" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("status", "verb", "location"),
    [
        ("running", "stop", "/containers/{id}"),
        ("stopped", "start", "/containers/{id}"),
        ("failed", "retry", "/containers/{id}"),
        ("queued", "cancel", "/containers/{id}"),
        ("running", "restart", "/containers/{id}"),
        ("running", "delete", "/containers"),
    ],
)
def test_a_button_leads_on_and_may_be_pressed_twice(person, status, verb, location):
    row = make_container(person.row, status=status)
    for _ in range(2):
        answer = person.post(f"/containers/{row.public_id}/{verb}")
        assert (answer.status_code, answer.headers["Location"]) == (303, location.format(id=row.public_id))


def test_a_button_that_cannot_work_now_says_so(person):
    row = make_container(person.row, status="deleting")
    answer = person.post(f"/containers/{row.public_id}/start")
    assert answer.status_code == 409
    assert "deleting" in visible(answer)


@pytest.mark.parametrize("path", ["/containers", "/containers/{id}/delete", "/containers/{id}/stop"])
def test_a_form_without_its_token_does_nothing(person, fresh, path):
    row = make_container(person.row)
    answer = person.client.post(path.format(id=row.public_id), data={"name": "x", "image": "shell"})
    assert answer.status_code == 400
    assert fresh(row.id).status == "running"


@pytest.mark.parametrize(
    ("status", "column", "text"),
    [("running", "started_at", "Idle 2 h"), ("stopped", "stopped_at", "Stopped 2 h ago")],
)
def test_a_time_is_relative_with_the_moment_beside_it(person, status, column, text):
    moment = utcnow() - timedelta(hours=2, minutes=5)
    row = make_container(person.row, status=status, **{column: moment})
    written = datetime_iso(moment)
    said = rf'<time[^>]* datetime="{written}" title="{written}">{{}}</time>'
    assert re.search(said.format(text), person.get("/containers").text)
    head = text.replace("Idle", "Up")
    assert re.search(said.format(head), person.get(f"/containers/{row.public_id}").text)


def test_delete_says_before_that_the_home_directory_goes(person):
    row = make_container(person.row, name="notes")
    page = visible(person.get(f"/containers/{row.public_id}?open=delete"))
    assert "the home directory too" in page
    assert "Delete notes and its home directory" in page


def test_a_page_that_polls_what_is_gone_is_led_to_the_list(person):
    answer = person.get("/containers/nothing-here/status")
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (404, "/containers")


def test_waiting_for_a_host_that_is_away_is_said_on_every_page(person):
    host_state.note_unreachable(DockerUnreachable(code="docker_refused"))
    row = make_container(person.row, status="stopping")
    db.session.add(
        Operation(
            kind="container.stop",
            subject=service.subject(row.id),
            progress={"waiting": "It is away."},
        )
    )
    db.session.commit()
    public_id = row.public_id
    for path in ("/containers", "/containers/new", f"/containers/{public_id}"):
        assert "cannot be reached" in visible(person.get(path))
    assert "It is away." in visible(person.get(f"/containers/{public_id}"))


def test_logs_are_asked_for_once_and_shown_as_text(person, launched, docker_host):
    row = launched(owner_id=person.row.id)
    docker_host.calls.clear()
    answer = person.get(f"/containers/{row.public_id}/logs")
    assert answer.status_code == 200
    assert "hello" in visible(answer)
    assert dict(docker_host.calls) == {"container_logs": 1}


def test_logs_of_a_host_that_is_away_say_so(person, launched, docker_host):
    row = launched(owner_id=person.row.id)
    path = f"/containers/{row.public_id}/logs"
    docker_host.fail("container_logs", DockerUnreachable(code="docker_timeout"))
    assert person.get(path).status_code == 503
    host_state.note_unreachable(DockerUnreachable(code="docker_refused"))
    docker_host.calls.clear()
    answer = person.get(path)
    assert answer.status_code == 503
    assert "cannot be reached" in visible(answer)
    assert docker_host.calls == {}
