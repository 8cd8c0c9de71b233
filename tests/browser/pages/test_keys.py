"""The product works with a keyboard alone, and takes keys only where nobody types."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def listed(open_page, site):
    """The list of the admin's containers."""
    return open_page("/containers", site.admin)


def test_the_first_tab_skips_the_bar(listed):
    listed.keyboard.press("Tab")
    expect(listed.get_by_role("link", name="Skip to content")).to_be_focused()
    listed.keyboard.press("Enter")
    listed.keyboard.press("Tab")
    expect(listed.get_by_role("searchbox")).to_be_focused()


def test_tab_reaches_every_control_in_the_order_it_is_read(listed):
    reached = []
    for _ in range(60):
        listed.keyboard.press("Tab")
        where = listed.evaluate(
            "document.activeElement === document.body ? null : document.activeElement.outerHTML"
        )
        if where is None or where in reached:
            break
        reached.append(where)
    shown = listed.evaluate(
        """[...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")]
             .filter((one) => one.checkVisibility()).map((one) => one.outerHTML)"""
    )
    assert reached == shown


def test_j_and_k_move_through_the_rows_and_enter_opens_one(listed):
    names = listed.locator(".row-link")
    listed.keyboard.press("j")
    expect(names.nth(0)).to_be_focused()
    listed.keyboard.press("j")
    listed.keyboard.press("j")
    listed.keyboard.press("j")
    expect(names.nth(2)).to_be_focused()
    listed.keyboard.press("k")
    expect(names.nth(1)).to_be_focused()
    place = names.nth(1).get_attribute("href")
    listed.keyboard.press("Enter")
    listed.wait_for_url(f"**{place}")


def test_n_opens_the_form_and_enter_there_creates(listed):
    listed.keyboard.press("n")
    listed.wait_for_url("**/containers/new")
    expect(listed.locator("input[name=image]:checked")).to_be_focused()
    listed.keyboard.press("Enter")
    listed.wait_for_url(re.compile(r"/containers/(?!new)\w+$"))


@pytest.mark.parametrize("path", ["/billing", "/account", "/containers/{stopped}", "/nothing-here"])
def test_n_makes_a_container_from_any_page(open_page, site, page_errors, path):
    page_errors.allow("status of 404")
    page = open_page(path, site.admin)
    page.keyboard.press("n")
    page.wait_for_url("**/containers/new")


def test_n_is_a_pages_own_where_it_has_one(open_page, site):
    page = open_page("/admin", site.admin)
    page.keyboard.press("n")
    page.wait_for_url("**/admin/invite")


def test_a_stranger_is_told_the_keys_that_work(open_page):
    page = open_page("/")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("This list")
    expect(page.get_by_role("dialog", name="Keys")).not_to_contain_text("New container")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.press("?")
    assert page.url.rstrip("/") == page.evaluate("location.origin")


def test_slash_goes_to_the_filter_where_keys_are_letters(listed):
    listed.keyboard.press("/")
    filter_field = listed.get_by_role("searchbox")
    expect(filter_field).to_be_focused()
    listed.keyboard.type("njk?/")
    expect(filter_field).to_have_value("njk?/")
    expect(listed.get_by_role("dialog")).to_have_count(0)


def test_a_question_mark_shows_the_keys_and_escape_takes_them_away(listed):
    listed.keyboard.press("?")
    expect(listed.get_by_role("dialog", name="Keys")).to_be_visible()
    listed.keyboard.press("n")
    listed.keyboard.press("Escape")
    expect(listed.get_by_role("dialog")).to_have_count(0)
    assert listed.url.endswith("/containers")


def test_keys_with_a_modifier_are_left_to_the_browser(listed):
    listed.keyboard.press("Control+/")
    listed.keyboard.press("Alt+n")
    expect(listed.get_by_role("searchbox")).not_to_be_focused()
    assert listed.url.endswith("/containers")


def test_the_terminal_gets_every_letter(open_page, site):
    page = open_page("/containers/{running}", site.admin)
    page.locator(".xterm-helper-textarea").focus()
    expect(page.locator(".terminal-note:visible")).to_have_count(0)
    page.keyboard.type("echo n/j?k-end\n")
    expect(page.locator(".xterm-rows")).to_contain_text(re.compile(r"echo n/j\?k-end[\s\S]*n/j\?k-end"))
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_escape_closes_a_menu_and_gives_the_focus_back(listed):
    summary = listed.locator(".bar .menu > summary")
    summary.focus()
    listed.keyboard.press("Enter")
    expect(listed.get_by_role("link", name="Account")).to_be_visible()
    listed.keyboard.press("Tab")
    listed.keyboard.press("Escape")
    expect(listed.get_by_role("link", name="Account")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_click_elsewhere_closes_a_menu(listed):
    listed.locator(".row .menu > summary").first.click()
    menu = listed.locator(".menu[open]")
    expect(menu).to_have_count(1)
    listed.locator("h1").click()
    expect(menu).to_have_count(0)
