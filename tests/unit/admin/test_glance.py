"""The VM at a glance: what the page says, when it has the VM looked at, and how little that costs."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from rexec.admin import glance
from rexec.admin import jobs as looking
from rexec.containers import host_state, reconcile
from rexec.docker_host.errors import DockerUnreachable
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from tests.support.factories import make_container, make_user
from tests.support.fake_docker_host import FakeDockerHost
from tests.support.page_user import visible

GB = 1024**3
SAID = (
    b"0.42 0.30 0.25 1/176 8\n"
    b"MemTotal:       16777216 kB\n"
    b"MemAvailable:   12582912 kB\n"
    b"overlay   83886080  10485760  31457280  25% /\n"
)


@pytest.fixture
def docker_host():
    host = FakeDockerHost()
    host.networks.add("none")
    host.exec_output = SAID
    return host


@pytest.fixture(autouse=True)
def _reachable(app):
    """The daemon has answered, and said how large the VM is."""
    host_state.note_reachable(facts={"memory_bytes": 16 * GB, "cpus": 2})


def looks():
    db.session.rollback()
    return db.session.scalars(db.select(Operation).where(Operation.kind == looking.LOOK)).all()


def age(minutes):
    db.session.execute(db.update(Operation).values(created_at=utcnow() - timedelta(minutes=minutes)))
    db.session.commit()


def test_the_page_has_the_vm_looked_at_and_shows_it(admin, work, docker_host):
    docker_host.calls.clear()
    page = admin.get("/admin")
    assert docker_host.calls == {}
    assert "Looking at load" in visible(page)
    assert 'hx-get="/admin/glance"' in page.text
    work()
    fragment = admin.get("/admin/glance")
    assert "hx-get" not in fragment.text
    assert "<html" not in fragment.text
    text = " ".join(re.sub(r"<[^>]*>", " ", fragment.text).split())
    assert "Promised 0 MB of 14.4 GB" in text
    assert "0.42 on 2 processors" in text
    assert "4 GB of 16 GB" in text
    assert "10 GB of 40 GB" in text
    assert docker_host.found == {}
    assert docker_host.volumes == set()


def test_the_vm_is_looked_at_once_a_minute_at_most(admin, work):
    for _ in range(3):
        admin.get("/admin")
    work()
    admin.get("/admin")
    admin.get("/admin/glance")
    assert len(looks()) == 1
    age(minutes=2)
    admin.get("/admin/glance")
    assert len(looks()) == 1
    admin.get("/admin")
    assert len(looks()) == 2


def test_a_vm_that_is_away_is_not_looked_at_and_what_was_seen_stays(admin, work):
    admin.get("/admin")
    work()
    age(minutes=2)
    host_state.note_unreachable(DockerUnreachable())
    assert "0.42 on 2 processors" in visible(admin.get("/admin"))
    assert len(looks()) == 1


def test_a_look_that_fails_says_why_and_leaves_nothing(admin, work, docker_host):
    docker_host.fail("exec_run", DockerUnreachable(code="docker_timeout"))
    admin.get("/admin")
    work()
    assert DockerUnreachable(code="docker_timeout").message in visible(admin.get("/admin"))
    assert docker_host.found == {}
    age(minutes=2)
    admin.get("/admin")
    work()
    assert "0.42 on 2 processors" in visible(admin.get("/admin"))


def test_a_vm_without_images_cannot_be_looked_at(admin, work, docker_host):
    docker_host.images.clear()
    admin.get("/admin")
    work()
    assert looking.NothingSeen.message in visible(admin.get("/admin"))
    assert not docker_host.calls["create_container"]


def test_what_a_killed_look_left_is_replaced(admin, work, docker_host):
    spec = looking._spec("rexec/shell:latest")
    docker_host.create_container(spec)
    admin.get("/admin")
    work()
    assert docker_host.found == {}
    assert looks()[0].state == "done"


def test_what_a_killed_look_left_is_an_orphan_for_the_watcher(app, docker_host):
    docker_host.create_container(looking._spec("rexec/shell:latest"))
    reconcile.compare_all()
    assert docker_host.found == {}


@pytest.mark.parametrize("said", ["", "sh: df: not found", "1\n2\n3\n4"])
def test_an_answer_that_is_none_is_no_figure(said):
    with pytest.raises(looking.NothingSeen):
        looking.read(said)


def test_what_is_promised_is_what_running_containers_may_use_now(app):
    for status in ("running", "running", "stopped", "failed"):
        make_container(status=status, memory_mb=2048)
    assert glance.see(host_state.view()).figures[0].text == "4 GB of 14.4 GB"


def test_the_glance_is_two_queries(app, admin, queries):
    host = host_state.view()
    queries.clear()
    glance.see(host)
    assert len(queries) == 2


def test_the_page_is_six_queries_at_most_however_many_people_there_are(app, admin, work, queries):
    for _ in range(20):
        make_container(make_user())
    admin.get("/admin")
    work()
    queries.clear()
    admin.get("/admin")
    assert len(queries) <= 6, queries


def test_nobody_but_an_admin_sees_it(owner, stranger):
    assert owner.get("/admin/glance").status_code == 404
    assert stranger.get("/admin/glance").status_code == 303
