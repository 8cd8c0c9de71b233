"""Light, dark, or what the system says; remembered, right from the first byte, also without scripts."""

from __future__ import annotations

import pytest

BACKGROUND = "getComputedStyle(document.documentElement).backgroundColor"


def is_dark(page) -> bool:
    """Say whether the page is painted in the dark."""
    lightness = page.evaluate(f"Number({BACKGROUND}.match(/oklch\\(([0-9.]+)/)[1])")
    return lightness < 0.5


def choose(page, name: str) -> None:
    """Press one of the three buttons in the person's menu."""
    page.locator(".bar .menu > summary").click()
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_system_decides_until_somebody_chooses(open_page, scheme):
    page = open_page("/login", color_scheme=scheme)
    assert is_dark(page) == (scheme == "dark")
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    assert is_dark(page) == (scheme == "light")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_choice_holds_from_the_first_byte_of_the_next_page(open_page, site, scripts):
    page = open_page("/account", site.newcomer, color_scheme="light", java_script_enabled=scripts)
    choose(page, "Dark")
    page.locator("html[data-theme=dark]").wait_for()
    assert page.url.endswith("/account")
    answer = page.goto("/billing")
    assert '<html lang="en" data-theme="dark">' in answer.text()
    choose(page, "System")
    page.locator("html:not([data-theme])").wait_for()
    assert "data-theme=" not in page.goto("/billing").text().partition(">")[0]


def test_the_pressed_button_says_what_was_chosen(open_page, site):
    page = open_page("/account", site.newcomer)
    choose(page, "Dark")
    pressed = page.locator("button[name=theme][aria-pressed=true]")
    assert pressed.all_inner_texts() == ["Dark"]
    assert is_dark(page)
    page.reload()
    page.locator(".bar .menu > summary").click()
    assert pressed.all_inner_texts() == ["Dark"]


def test_a_choice_sent_from_elsewhere_leads_to_the_start_page(site):
    answer = site.newcomer.session.post(
        site.server.url + "/theme",
        data={"theme": "dark", "csrf_token": site.newcomer.csrf_token("/account")},
        headers={"Referer": "http://elsewhere.example/page"},
        allow_redirects=False,
        timeout=10,
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_nothing_turns_where_motion_is_reduced(open_page, site):
    page = open_page("/containers", site.admin, reduced_motion="reduce")
    page.evaluate(
        """() => {
          const shape = document.querySelector(".row .shape");
          shape.setAttribute("class", "shape shape-moving");
        }"""
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.shape-moving')).animationName") == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate("getComputedStyle(document.querySelector('.shape-moving')).animationName") == "turn"


def outlined(locator) -> bool:
    """Say whether something stands out by a line around it, which forced colours leave visible."""
    return locator.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"


def test_what_is_chosen_is_seen_where_the_system_forces_its_colours(open_page, site):
    page = open_page("/containers/new", site.newcomer, forced_colors="active")
    assert outlined(page.locator(".tile:has(input:checked)"))
    choose(page, "Dark")
    page.locator(".bar .menu > summary").click()
    assert outlined(page.locator("button[name=theme][aria-pressed=true]"))
    assert not outlined(page.locator("button[name=theme][aria-pressed=false]").first)
