"""Many requests at once, on both databases."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import requests

from rexec.containers import host_state, service
from rexec.containers.models import Container, HostState
from rexec.errors import InvalidInput, LimitReached
from rexec.extensions import db
from tests.support.factories import make_user


@pytest.fixture
def at_once(app):
    """Calls a function in many threads at the same moment and counts what came of it."""

    def run(count, function):
        start = threading.Barrier(count)
        outcomes = []

        def call(number):
            with app.app_context():
                start.wait(timeout=20)
                try:
                    outcomes.append(function(number) or "done")
                except (LimitReached, InvalidInput) as error:
                    outcomes.append(error.code)
                except Exception as error:  # noqa: BLE001 - whatever else comes is a failure of the test
                    outcomes.append(repr(error))

        threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return Counter(outcomes)

    return run


def count_rows():
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(Container))


def test_twenty_launches_at_once_on_a_free_plan_make_one(app, at_once):
    user_id = make_user().id
    db.session.rollback()

    def launch(number):
        service.launch(user_id, f"lab-{number}", "shell")

    assert at_once(20, launch) == {"done": 1, "plan_full": 19}
    assert count_rows() == 1


def test_twenty_posts_at_once_on_a_free_plan_make_one(server, user):
    token = user.csrf_token("/containers/new")
    start = threading.Barrier(20)
    statuses = []

    def post(number):
        start.wait(timeout=20)
        answer = requests.post(
            server.url + "/containers",
            data={"name": f"lab-{number}", "image": "shell", "csrf_token": token},
            headers={"Cookie": user.cookie_header, "X-Forwarded-For": user.address},
            allow_redirects=False,
            timeout=60,
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert Counter(statuses) == {303: 1, 409: 19}
    assert user.get("/containers").text.count("data-container-id") == 1


def test_one_name_asked_for_many_times_at_once_is_given_once(app, owner, at_once):
    db.session.rollback()

    def launch(_number):
        service.launch(owner, "lab", "shell")

    assert at_once(5, launch) == {"done": 1, "invalid": 4}


def test_launches_of_different_people_do_not_fail_each_other(app, at_once):
    people = [make_user().id for _ in range(10)]
    db.session.rollback()

    def launch(number):
        service.launch(people[number], "lab", "shell")

    assert at_once(10, launch) == {"done": 10}


def test_delete_pressed_in_many_tabs_at_once_is_one_deletion(app, launched, at_once, work, fresh):
    container_id = launched().id
    db.session.rollback()

    def press(_number):
        service.delete(container_id)

    assert at_once(8, press) == {"done": 8}
    work()
    assert fresh(container_id) is None


def test_the_identity_of_the_deployment_is_made_once_by_many_processes(app, at_once):
    def ask(_number):
        app.extensions.pop(host_state.EXTENSION, None)
        return host_state._read_or_make()

    seen = at_once(8, ask)
    assert len(seen) == 1
    assert db.session.scalars(db.select(HostState.deployment)).all() == list(seen)
