"""The list of containers and the bar above it: what is found, how it follows, and how little it asks."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from rexec.containers import host_state
from rexec.containers.states import enter
from rexec.docker_host.errors import DockerUnreachable
from rexec.extensions import db
from tests.support.factories import make_container
from tests.support.page_user import statuses, visible


def test_the_list_of_two_hundred_needs_six_queries_at_most_and_no_docker_call(person, docker_host, queries):
    for number in range(200):
        make_container(person.row, name=f"lab-{number}", status="pulling" if number % 2 else "running")
    docker_host.calls.clear()
    queries.clear()
    answer = person.get("/containers")
    assert answer.status_code == 200
    assert len(queries) <= 6, queries
    assert docker_host.calls == {}
    assert len(statuses(answer)) == 50


def test_pages_of_fifty_lead_through_all(person):
    for number in range(101):
        make_container(person.row, name=f"lab-{number}")
    seen = {}
    for number in (1, 2, 3):
        seen |= statuses(person.get(f"/containers?page={number}"))
    assert len(seen) == 101
    assert statuses(person.get("/containers?page=99")) == statuses(person.get("/containers?page=3"))
    assert statuses(person.get("/containers?page=-1")) == statuses(person.get("/containers?page=1"))


@pytest.mark.parametrize(("q", "found"), [("web", 2), ("WEB", 2), ("-lab", 1), ("%", 0), ("_", 0), ("", 3)])
def test_the_filter_finds_parts_of_names_and_takes_no_wildcards(person, q, found):
    for name in ("web-lab", "my-web", "notes"):
        make_container(person.row, name=name)
    assert len(statuses(person.get("/containers", query_string={"q": q}))) == found


def test_what_the_filter_does_not_find_is_said_and_escaped(person):
    make_container(person.row)
    answer = person.get("/containers", query_string={"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.text
    assert "Show all 1" in visible(answer)


def test_only_ones_own_containers_are_listed(person):
    make_container(name="somebody-elses")
    answer = person.get("/containers")
    assert statuses(answer) == {}
    assert "No containers yet" in visible(answer)


def test_the_list_polls_itself_only_while_something_moves(person):
    row_id = make_container(person.row, status="starting").id
    assert "hx-trigger" in person.get("/containers?fragment=list").text
    enter(row_id, ("starting",), "running")
    fragment = person.get("/containers?fragment=list")
    assert "hx-trigger" not in fragment.text
    assert "<html" not in fragment.text


def test_a_container_that_goes_between_two_queries_leaves_no_list_of_nothing(person):
    make_container(person.row, status="deleting")
    gone = []

    def delete(connection, _cursor, statement, *_rest):
        if "count(" in statement and "FROM containers" in statement and not gone:
            gone.append(statement)
            connection.exec_driver_sql("DELETE FROM containers")

    event.listen(db.engine, "after_cursor_execute", delete)
    try:
        page = visible(person.get("/containers"))
    finally:
        event.remove(db.engine, "after_cursor_execute", delete)
    assert gone
    assert "No containers yet" in page


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"memory_bytes": 24 * 1024**3, "promised_mb": 6144}, "VM ok · 7 of 10 fit"),
        ({"memory_bytes": 24 * 1024**3, "promised_mb": 30_000}, "VM ok · 0 of 10 fit"),
        ({"server_version": "20.10.24"}, "VM ok"),
        (None, "VM ok"),
    ],
)
def test_the_bar_says_how_many_more_containers_fit_the_vm(person, facts, words):
    host_state.note_reachable(facts=facts)
    assert re.search(r'class="host-text">([^<]+)<', person.get("/containers").text)[1] == words


def test_a_vm_that_cannot_be_reached_promises_no_room(person):
    host_state.note_reachable(facts={"memory_bytes": 24 * 1024**3, "promised_mb": 512})
    host_state.note_unreachable(DockerUnreachable())
    assert (
        re.search(r'class="host-text">([^<]+)<', person.get("/containers").text)[1] == "VM cannot be reached"
    )
