"""Every page passes axe in both schemes, and fits a phone and a page zoomed to 200%."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.pages.every_page import EVERY_PAGE, person_of

AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
# Without preload: to read style sheets axe would make <style> elements, against the policy of the pages.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Without preload: to read style sheets axe would make <style> elements, against the page's policy.
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"], "preload": False}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WINDOWS = ({"width": 390, "height": 844}, {"width": 320, "height": 568}, {"width": 640, "height": 400})
TOO_WIDE = """
[...document.body.querySelectorAll("*")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .filter((one) => !one.closest(".table-wrap, .picture-screen, rexec-terminal, .visually-hidden, .skip"))
  .map((one) => one.outerHTML.slice(0, 120))
"""


def violations(page, within: str = "html") -> list[str]:
    """What axe finds inside an element of the page as it is now, one line for each fault."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("([within, options]) => axe.run(within, options)", [within, OPTIONS])
    return [
        f"{rule['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def in_both_schemes(page, within: str = "html") -> list[str]:
    """What axe finds in the light and then in the dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}: {fault}" for fault in violations(page, within)]
    return found


@pytest.fixture(autouse=True)
def _allow_missing_page(page_errors):
    """One of the pages is the one for what is not found."""
    page_errors.allow(r"404.*nothing-here")


@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_a_page_passes_axe_in_light_and_dark(open_page, site, who, path):
    page = open_page(path, person_of(site, who))
    assert in_both_schemes(page) == []


def test_open_menus_and_the_list_of_keys_pass_axe(open_page, site):
    page = open_page("/containers", site.admin)
    page.locator(".row .menu > summary").first.click()
    assert in_both_schemes(page, ".menu[open]") == []
    page.locator(".bar .menu > summary").click()
    assert in_both_schemes(page, ".menu[open]") == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert in_both_schemes(page, "#keys") == []


def test_a_refused_form_passes_axe(open_page, page_errors):
    page_errors.allow("422")
    page = open_page("/signup")
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    page.locator("input[name=email]").fill("nobody")
    page.locator("input[name=password]").fill("short")
    page.locator("main button[type=submit]").click()
    page.locator(".field .error").first.wait_for()
    assert in_both_schemes(page) == []


@pytest.mark.parametrize(("who", "path"), EVERY_PAGE)
def test_a_page_does_not_scroll_sideways_on_a_phone_or_zoomed_to_200_percent(open_page, site, who, path):
    page = open_page(path, person_of(site, who), **PHONE)
    for window in WINDOWS:
        page.set_viewport_size(window)
        assert page.evaluate(TOO_WIDE) == [], window
        width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], window
