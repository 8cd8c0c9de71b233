"""A page that asks again and again while something moves gives that up when its session is over."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.processes import children, frozen


@pytest.fixture
def moving(own_server, new_user):
    """Somebody, and a container of theirs that waits for its turn."""
    person = new_user(own_server)
    with frozen(children(own_server.pid)["rexec-worker"]):
        yield person, person.new_container("slow")


@pytest.mark.parametrize("place", ["/containers", "/containers/{}", "/containers?q=slow"])
def test_whoever_logged_out_elsewhere_is_led_to_the_log_in_and_back(
    page, moving, place, log_in_as, page_errors
):
    page_errors.allow("status of 401")
    person, public_id = moving
    log_in_as(page.context, person)
    page.goto(person.url + place.format(public_id))
    expect(page.locator("main")).to_contain_text("queued")
    person.log_out()
    page.wait_for_url(re.compile(r"/login\?next="))
    expect(page.locator(".toasts")).to_contain_text("Your session is over.")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(person.url + place.format(public_id))
    page.close()  # its server goes first
