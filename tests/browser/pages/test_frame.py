"""The frame of the pages: busy buttons, messages, the tab's title and icon, polling."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


def test_a_button_that_works_keeps_its_width_and_says_what_it_does(open_page, site):
    page = open_page("/login")
    sent = []

    def swallow(route):
        if route.request.method != "POST":
            return route.continue_()
        sent.append(route.request.post_data)
        return route.fulfill(status=204)  # the browser stays on the page

    page.route("**/login", swallow)
    page.fill("input[name=email]", site.newcomer.email)
    page.fill("input[name=password]", site.newcomer.password)
    button = page.locator("main button[type=submit]")
    before = button.bounding_box()
    page.mouse.click(before["x"] + 5, before["y"] + 5)
    expect(button).to_be_disabled()
    expect(button).to_have_accessible_name("Logging in…")
    assert button.bounding_box() == before
    page.keyboard.press("Enter")
    page.locator("main form").evaluate("form => form.requestSubmit()")
    assert len(sent) == 1


def test_a_page_that_comes_back_from_the_cache_is_ready_again(open_page):
    page = open_page("/login")
    page.locator("main form").evaluate(
        "form => form.addEventListener('submit', (event) => event.preventDefault())"
    )
    button = page.locator("main button[type=submit]")
    button.evaluate("button => { button.disabled = true; button.setAttribute('aria-busy', 'true') }")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(button).to_be_enabled()
    expect(button).to_have_accessible_name("Log in")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_message_is_shown_once(open_page, site, scripts):
    page = open_page("/account", java_script_enabled=scripts)
    message = page.get_by_text("Log in to see this page.")
    expect(message).to_be_visible()
    expect(page.get_by_role("button", name="Dismiss")).to_have_count(1 if scripts else 0)
    page.reload()
    expect(message).to_have_count(0)


def test_a_message_can_be_dismissed(open_page):
    page = open_page("/account")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text("Log in to see this page.")).to_have_count(0)


def test_without_scripts_a_message_covers_nothing(open_page):
    page = open_page("/account", java_script_enabled=False)
    toast = page.locator(".toast:visible").bounding_box()
    assert toast["y"] + toast["height"] <= page.locator("h1").bounding_box()["y"]


@pytest.mark.parametrize(
    ("status", "mark", "icon"),
    [
        ("running", "● web-lab", "running.svg"),
        ("stopped", "○ notes", "stopped.svg"),
        ("failed", "✕ a-name", "failed.svg"),
    ],
)
def test_the_tab_says_the_state_by_mark_and_icon(open_page, site, status, mark, icon):
    page = open_page(f"/containers/{{{status}}}", site.admin)
    assert page.title().startswith(mark)
    assert icon in page.locator("link[rel=icon]").get_attribute("href")
    head = page.locator("#container-head")
    expect(head.locator(f".shape-{status}")).to_be_visible()
    expect(head.get_by_text(status, exact=True)).to_be_visible()


def test_the_tab_follows_a_container_that_stops_and_starts(open_page, site):
    page = open_page("/containers/{running}", site.admin)
    page.get_by_role("button", name="Stop").click()
    expect(page).to_have_title(re.compile("^○ web-lab"), timeout=30_000)
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("stopped"))
    page.get_by_role("button", name="Start").last.click()
    expect(page).to_have_title(re.compile("^● web-lab"), timeout=30_000)
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("running"))


def test_a_hidden_tab_does_not_poll(open_page, site):
    page = open_page("/containers", site.newcomer)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "fragment" in request.url else None)
    count = """(hidden) => new Promise((resolve) => {
      Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
      let polls = 0;
      const part = document.querySelector("#containers");
      part.setAttribute("hx-get", "/containers?fragment=list");
      part.setAttribute("hx-trigger", "every 50ms");
      part.setAttribute("hx-swap", "none");
      part.addEventListener("every", () => { if (++polls === 5) resolve(polls) });
      htmx.process(part, true);
    })"""
    assert page.evaluate(count, True) == 5
    assert asked == []
    page.evaluate(count, False)
    assert asked
