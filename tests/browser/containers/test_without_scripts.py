"""Everything but the terminal works in a browser that runs no scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def plain_page(new_context, user, server, log_in_as):
    """A page without scripts of somebody who is logged in."""
    context = new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    log_in_as(context, user)
    return context.new_page()


def test_a_container_is_made_watched_stopped_and_deleted(plain_page, user):
    page = plain_page
    page.goto(user.url + "/containers/new")
    page.get_by_label("Name").fill("plain")
    page.get_by_role("button", name="Create").click()
    public_id = page.url.rpartition("/")[2]
    user.wait_for(public_id)
    page.reload()
    expect(page.locator("noscript .terminal-plain")).to_be_visible()
    expect(page.get_by_text("The terminal could not be loaded")).to_be_hidden()
    page.get_by_role("button", name="Stop", exact=True).click()
    user.wait_for(public_id, "stopped")
    page.goto(user.url + "/containers")
    page.get_by_role("button", name="Start").click()
    user.wait_for(public_id)
    page.goto(user.url + "/containers")
    page.get_by_label("More for plain").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete plain and its home directory").click()
    expect(page.get_by_text("“plain” and its home directory are being deleted")).to_be_visible()
    user.wait_for(public_id, None)


def test_a_page_of_something_that_moves_offers_a_refresh(plain_page, user, server):
    page = plain_page
    page.goto(user.url + "/containers/new")
    page.get_by_label("Name").fill("moves")
    page.get_by_role("button", name="Create").click()
    public_id = page.url.rpartition("/")[2]
    user.wait_for(public_id)
    page.goto(f"{user.url}/containers/{public_id}")
    page.get_by_role("button", name="Restart").click()
    # Either it was caught moving, with a link to look again, or it was quicker than the page.
    moving = page.locator("#container").get_attribute("data-status") != "running"
    assert page.locator("#container-head noscript a").count() == int(moving)


def test_a_refused_name_is_shown_beside_its_field(plain_page, user, page_errors):
    page_errors.allow("status of 422")
    page = plain_page
    page.goto(user.url + "/containers/new")
    page.get_by_label("Name").fill("Not A Name")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("#name-error")).to_contain_text("letters from a to z")
    expect(page.get_by_label("Name")).to_have_value("Not A Name")
