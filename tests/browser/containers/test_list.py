"""The list follows what moves, keeps what a person has open, and is led by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def two(user_page, user, server, stack):
    """Two containers of somebody with the plan Pro, both running, and the list of them."""
    server.run("users", "set-plan", user.email, "pro")
    ids = [user.new_container(name) for name in ("alpha", "beta")]
    for public_id in ids:
        user.wait_for(public_id)
    user_page.goto(user.url + "/containers")
    return dict(zip(("alpha", "beta"), ids, strict=True))


def test_a_row_changes_in_place_and_an_open_menu_stays_open(user_page, user, two):
    page = user_page
    user.act(two["beta"], "restart")
    page.goto(user.url + "/containers")
    page.get_by_label("More for alpha").click()
    expect(page.locator(f"#row-{two['beta']}")).to_have_attribute("data-status", "running", timeout=20_000)
    expect(page.locator(f"#row-{two['alpha']}").get_by_role("button", name="Restart")).to_be_visible()


def test_keys_filter_move_and_open(user_page, user, two):
    page = user_page
    page.keyboard.press("/")
    page.keyboard.type("alp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/containers?q=alp")
    expect(page.locator("[data-row]")).to_have_count(1)
    page.goto(user.url + "/containers")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/containers/{two['beta']}")


def test_the_whole_row_opens_the_container_but_its_buttons_do_not(user_page, two):
    page = user_page
    image = page.locator(f"#row-{two['alpha']}").get_by_text("Shell").bounding_box()
    page.mouse.click(image["x"] + 2, image["y"] + 2)
    page.wait_for_url(f"**/containers/{two['alpha']}")
    page.go_back()
    page.get_by_label("More for alpha").click()
    page.locator(f"#row-{two['alpha']}").get_by_role("button", name="Stop").click()
    page.wait_for_url(f"**/containers/{two['alpha']}")
    expect(page.locator("#container")).to_have_attribute("data-status", "stopped", timeout=20_000)
