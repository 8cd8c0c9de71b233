"""One server for the tests of pages: an admin with a container in each lasting state, and somebody new."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page

from tests.support.http_user import HttpUser
from tests.support.server import RexecServer
from tests.support.waiting import eventually

CATALOGUE = """
[shell]
name = "Shell"
version = "built in"
reference = "rexec/shell:latest"
shell = "/bin/sh"
description = "A bare busybox shell that starts at once."
icon = "terminal"
builtin = true

[nowhere]
name = "Nowhere"
version = "1"
reference = "127.0.0.1:1/nowhere:1"
shell = "/bin/sh"
description = "Its registry answers nobody."
icon = "box"
"""
LONG_ADDRESS = f"{'somebody.with.a.long.name.' * 2}of.their.own@{'subdomain.' * 4}example.com"
LONG_NAME = "a-name-as-long-as-any-name-of-one-may-be"
JOIN = re.compile(r"http://127\.0\.0\.1:\d+(/join/\S+)")


@dataclass(frozen=True)
class Site:
    """A running Rexec and who is there; `containers` maps a status to the id of a container in it."""

    server: RexecServer
    admin: HttpUser
    newcomer: HttpUser
    containers: dict[str, str]

    def path(self, place: str) -> str:
        """A path in which `{running}` and the like stand for containers."""
        return place.format(**self.containers)


def _make_admin(server: RexecServer) -> HttpUser:
    found = JOIN.search(server.log)
    assert found, server.log
    admin = HttpUser(server.url)
    answer = admin.post(found[1], {"email": admin.email, "password": admin.password})
    assert answer.status_code == 303, answer.text
    place = re.search(r'action="(/admin/users/\d+/plan[^"]*)"', admin.get("/admin").text)
    assert place
    assert admin.post(place[1], {"plan": "team"}, page="/admin").status_code == 303
    return admin


def _make_containers(owner: HttpUser) -> dict[str, str]:
    running = owner.new_container("web-lab")
    stopped = owner.new_container("notes")
    failed = owner.new_container(LONG_NAME, "nowhere")
    owner.wait_for(stopped)
    owner.act(stopped, "stop")
    owner.wait_for(running)
    owner.wait_for(stopped, "stopped")
    owner.wait_for(failed, "failed", timeout=90)
    return {"running": running, "stopped": stopped, "failed": failed}


@pytest.fixture(scope="session")
def site(stack, tmp_path_factory):
    """The site of all tests of pages, who leave its people and containers as they were."""
    folder = tmp_path_factory.mktemp("site")
    images = folder / "images.toml"
    images.write_text(CATALOGUE, encoding="utf-8")
    database_url = stack.new_database()
    before = stack.engine.containers()
    server = RexecServer(
        folder / "server", {**stack.server_environment(database_url), "IMAGES_FILE": str(images)}
    )
    server.start()
    people: list[HttpUser] = []
    try:
        admin = _make_admin(server)
        people.append(admin)
        newcomer = HttpUser(server.url, email=LONG_ADDRESS).sign_up()
        people.append(newcomer)
        yield Site(server, admin, newcomer, _make_containers(admin))
    finally:
        for person in people:
            person.close()
        server.stop()
        stack.engine.remove(stack.engine.containers() - before)
        stack.drop_database(database_url)


def _load(page: Page, path: str) -> None:
    """Open a page with all its files, again where a container that starts nearby made Chromium drop some."""
    dropped: list[str] = []
    page.on("requestfailed", lambda request: dropped.append(f"{request.url}: {request.failure}"))

    def loaded() -> bool:
        dropped.clear()
        page.goto(path)
        assert not [one for one in dropped if "ERR_NETWORK_CHANGED" in one], dropped
        return True

    eventually(loaded, 20, message=f"{path} with all its files")


@pytest.fixture
def open_page(new_context, log_in_as, site):
    """Opens a path as somebody: `open_page("/containers", site.admin, **options of the browser)`."""

    def open_path(path: str, person: HttpUser | None = None, **options):
        context = new_context(
            **{"viewport": {"width": 1280, "height": 800}, "base_url": site.server.url, **options}
        )
        if person:
            log_in_as(context, person)
        page = context.new_page()
        _load(page, site.path(path))
        return page

    return open_path
