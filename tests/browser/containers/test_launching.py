"""A container is made, watched, used and deleted by a person with a browser."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.waiting import eventually

RUNNING = "#container[data-status=running]"


@pytest.fixture
def running_page(user_page, user):
    """The page of a running container."""
    public_id = user.new_container("web-lab")
    user.wait_for(public_id)
    user_page.goto(f"{user.url}/containers/{public_id}")
    user_page.wait_for_selector(RUNNING)
    # A page that lost its scripts to the container's new network is fetched again, folded.
    user_page.wait_for_selector("rexec-terminal .xterm")
    return user_page


@pytest.mark.smoke
def test_enter_creates_and_the_terminal_takes_the_place_without_a_reload(user_page):
    page = user_page
    page.keyboard.press("n")
    page.wait_for_url("**/containers/new")
    expect(page.locator("input[name=image]:checked")).to_be_focused()
    assert re.fullmatch(r"[a-z]+-[a-z]+", page.get_by_label("Name").input_value())
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/containers/[a-z0-9]{12}$"))
    page.evaluate("window.same_page = true")
    page.wait_for_selector(RUNNING, timeout=30_000)
    page.wait_for_selector("rexec-terminal .xterm")
    eventually(lambda: page.evaluate("document.activeElement.closest('rexec-terminal') !== null"))
    assert page.evaluate("window.same_page === true")
    page.keyboard.type("echo typed-$((6*7))\n")
    eventually(lambda: "typed-42" in page.evaluate("document.querySelector('rexec-terminal').text()"))


def test_the_page_stops_asking_once_the_container_rests(running_page):
    asked = []
    running_page.on(
        "request", lambda request: asked.append(request.url) if "/status" in request.url else None
    )
    running_page.reload()
    running_page.wait_for_selector("rexec-terminal .xterm")
    # Longer than two polls would take: there is nothing else to wait for when nothing is to happen.
    running_page.wait_for_timeout(2500)
    assert asked == []


def test_stop_and_start_change_the_page_in_place(running_page):
    page = running_page
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_selector("#container[data-status=stopped]", timeout=20_000)
    expect(page).to_have_title(re.compile("○ web-lab"))
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector(RUNNING, timeout=20_000)
    page.wait_for_selector("rexec-terminal .xterm")
    expect(page).to_have_title(re.compile("● web-lab"))


def test_what_the_start_took_is_said(running_page):
    expect(running_page.locator("#container-head")).to_contain_text(
        re.compile(r"Running in \d+\.\d\d s: create \d\.\d\d, start \d\.\d\d, ours \d\.\d\d")
    )


def test_delete_asks_first_and_the_row_goes_from_the_list(running_page, user):
    page = running_page
    page.get_by_text("Details, limits, logs, delete").click()
    page.get_by_text("Delete…").click()
    expect(page.get_by_text("the home directory too")).to_be_visible()
    page.get_by_role("button", name="Delete web-lab and its home directory").click()
    page.wait_for_url("**/containers")
    expect(page.get_by_text("No containers yet")).to_be_visible(timeout=20_000)


def test_two_tabs_that_press_delete_at_once_both_end_well(running_page, page_errors):
    page_errors.allow("status of 404")
    page = running_page
    other = page.context.new_page()
    other.goto(page.url + "?open=delete")
    page.goto(page.url + "?open=delete")
    moment = (time.time() + 0.5) * 1000
    for tab in (page, other):
        button = tab.get_by_role("button", name="Delete web-lab and its home directory")
        button.evaluate("(button, at) => { setTimeout(() => button.click(), at - Date.now()) }", moment)
    for tab in (page, other):
        expect(tab.locator("main")).to_contain_text(
            re.compile("No containers yet|There is nothing here"), timeout=20_000
        )


def test_the_head_follows_a_container_that_is_stopped_elsewhere(running_page, user):
    public_id = running_page.url.rpartition("/")[2]
    user.act(public_id, "stop")
    user.wait_for(public_id, "stopped")
    expect(running_page.locator("#container-head")).to_contain_text("stopped", timeout=20_000)


def test_a_page_that_watches_a_deletion_is_led_to_the_list(user_page, user, page_errors):
    page_errors.allow("status of 404")
    public_id = user.new_container("gone")
    user.wait_for(public_id)
    user_page.goto(f"{user.url}/containers/{public_id}?open=delete")
    user.act(public_id, "delete")
    user_page.reload()
    eventually(lambda: user.status(public_id) is None, 20)
    if "There is nothing here" not in user_page.content():
        user_page.wait_for_url("**/containers", timeout=10_000)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(user_page, user, width):
    public_id = user.new_container("a-name-of-the-greatest-length-allowed-40")
    user.wait_for(public_id)
    user_page.set_viewport_size({"width": width, "height": 800})
    for path in (
        "/containers",
        "/containers/new",
        f"/containers/{public_id}",
        f"/containers/{public_id}/logs",
    ):
        user_page.goto(user.url + path)
        overflow = user_page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, path
