"""Somebody on a smaller plan chooses which containers stay, in a browser that runs no scripts, too."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.smoke


@pytest.fixture
def downgraded(user, server, stack):
    """Two running containers of somebody whose plan has room for one."""
    server.run("users", "set-plan", user.email, "pro")
    ids = [user.new_container(name) for name in ("older", "newer")]
    for public_id in ids:
        user.wait_for(public_id)
    server.run("users", "set-plan", user.email, "default")
    return ids


@pytest.mark.parametrize("scripts", [True, False])
def test_the_notice_leads_to_the_choice_and_a_wrong_one_is_said(
    new_context, user, server, log_in_as, page_errors, downgraded, scripts
):
    page_errors.allow("status of 422")
    context = new_context(java_script_enabled=scripts, viewport={"width": 1280, "height": 800})
    log_in_as(context, user)
    page = context.new_page()
    page.goto(user.url + "/containers")
    expect(page.get_by_text("has room for 1 container, and you have 2 containers")).to_be_visible()
    page.locator(".notice").get_by_role("link", name="Choose what stays").click()
    expect(page.get_by_role("checkbox", name="older")).to_be_checked()
    page.get_by_role("checkbox", name="newer").check()
    page.get_by_role("button", name="Keep these").click()
    expect(page.locator("#keep-error")).to_contain_text("room for 1 container, and you ticked 2")
    expect(page.get_by_role("checkbox", name="newer")).to_be_checked()
    page.get_by_role("checkbox", name="older").uncheck()
    page.get_by_role("button", name="Keep these").click()
    page.wait_for_url("**/containers")
    expect(page.get_by_text("Your choice is kept")).to_be_visible()
    page.goto(user.url + "/containers/keep")
    expect(page.get_by_role("checkbox", name="newer")).to_be_checked()
    expect(page.get_by_role("checkbox", name="older")).not_to_be_checked()
