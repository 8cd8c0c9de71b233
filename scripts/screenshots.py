#!/usr/bin/env python3
"""Saves a picture of every page of a running Rexec, at 1280 and 390 px, light and dark.

Usage: .venv/bin/python scripts/screenshots.py URL FOLDER [--join LINK] [--only NAME...]

It signs up somebody new and launches containers of theirs: real pages with real data. LINK, the one that
`rexec serve` logs while there is no admin, makes that person the admin, whose pages are saved too, and gives
them a plan with room for several containers.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

WIDTHS = ((1280, 800), (390, 844))
SCHEMES = ("light", "dark")
WAIT_MS = 120_000


@dataclass(frozen=True)
class Picture:
    """One page: where it is, what is done there first, and whether the picture goes down to its end."""

    name: str
    path: str
    prepare: Callable[[Page], None] | None = None
    whole: bool = True


def open_menu(page: Page) -> None:
    """Unfold the person's menu."""
    page.locator(".bar .menu > summary").click()


def open_keys(page: Page) -> None:
    """Show the list of keys."""
    page.keyboard.press("?")


def refuse_form(page: Page) -> None:
    """Send the page's form with fields that cannot be right, past the browser's own check."""
    form = page.locator("main form").first
    form.evaluate("form => { form.noValidate = true }")
    form.locator("input[type=email]").fill("nobody")
    form.locator("input[type=password]").fill("short")
    form.locator("button[type=submit]").click()
    page.wait_for_load_state("load")


def see_prompt(page: Page) -> None:
    """Wait for the shell and let it print something."""
    page.locator(".xterm-helper-textarea").first.focus()
    expect(page.locator(".terminal-note:visible")).to_have_count(0, timeout=WAIT_MS)
    page.keyboard.type("ls -l / && uname -a\n")
    expect(page.locator(".xterm-rows").first).to_contain_text("Linux", timeout=WAIT_MS)


def open_below(page: Page) -> None:
    """Unfold details, limits and danger zone, and wait until it says how much is used."""
    page.locator("#below > summary").click()
    expect(page.locator("[data-usage=cpus]")).to_contain_text(" of ", timeout=WAIT_MS)


def see_vm(page: Page) -> None:
    """Wait until the VM was looked at."""
    expect(page.locator("#vm:not([hx-get])")).to_be_visible(timeout=WAIT_MS)


STRANGER = (
    Picture("home", "/"),
    Picture("signup", "/signup"),
    Picture("signup-refused", "/signup", refuse_form),
    Picture("login", "/login"),
    Picture("error-404", "/nothing"),
)
EMPTY = (Picture("containers-empty", "/containers"),)
PERSON = (
    Picture("containers", "/containers"),
    Picture("menu", "/containers", open_menu, whole=False),
    Picture("keys", "/containers", open_keys, whole=False),
    Picture("containers-nothing-found", "/containers?q=zzz"),
    Picture("new", "/containers/new"),
    Picture("billing", "/billing"),
    Picture("billing-by-the-year", "/billing?interval=year"),
    Picture("keep", "/containers/keep"),
    Picture("account", "/account"),
    Picture("account-delete", "/account/delete"),
)
ADMIN = (
    Picture("admin", "/admin", see_vm),
    Picture("admin-invite", "/admin/invite"),
    Picture("admin-billing", "/admin/billing"),
)


def of_container(place: str) -> tuple[Picture, ...]:
    """The pages of a running container."""
    return (
        Picture("container", place, see_prompt, whole=False),
        Picture("container-below", place, open_below, whole=False),
        Picture("logs", place + "/logs"),
    )


def contexts(browser: Browser, url: str) -> Iterator[tuple[str, BrowserContext]]:
    """A fresh browser for each width and scheme, with the suffix of its pictures."""
    for width, height in WIDTHS:
        for scheme in SCHEMES:
            narrow = width < 500  # noqa: PLR2004 - a phone
            context = browser.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                has_touch=narrow,
                is_mobile=narrow,
                device_scale_factor=2 if narrow else 1,
                locale="en-GB",
            )
            yield f"{width}-{scheme}", context
            context.close()


class Photographer:
    """Visits pages as one person and saves what they show."""

    def __init__(self, browser: Browser, url: str, folder: Path, only: list[str]) -> None:
        self._browser, self._url, self._folder, self._only = browser, url, folder, only
        self._cookies: list[dict[str, object]] = []

    def remember(self, context: BrowserContext) -> None:
        """Be, from now on, the person who is logged in there."""
        self._cookies = context.cookies()  # type: ignore[assignment]

    def take(self, pictures: tuple[Picture, ...]) -> None:
        """Save each picture in every width and scheme."""
        wanted = [picture for picture in pictures if not self._only or picture.name in self._only]
        if not wanted:
            return
        for suffix, context in contexts(self._browser, self._url):
            context.add_cookies(self._cookies)  # type: ignore[arg-type]
            page = context.new_page()
            for picture in wanted:
                self._one(page, picture, self._folder / f"{picture.name}-{suffix}.png")

    def _one(self, page: Page, picture: Picture, path: Path) -> None:
        page.goto(picture.path)
        if picture.prepare:
            picture.prepare(page)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=path, full_page=picture.whole, animations="disabled")
        spill = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        print(path.name, f"(scrolls sideways by {spill} px)" if spill > 0 else "")


def sign_up(page: Page, join: str | None) -> None:
    """Make a new account, the admin's where a link for one is given."""
    page.goto(join or "/signup")
    page.locator("input[name=email]").fill(f"maria-{secrets.token_hex(3)}@example.org")
    page.locator("input[name=password]").fill(secrets.token_urlsafe(12))
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/containers")


def take_largest_plan(page: Page) -> None:
    """As an admin, give oneself the plan with most room."""
    page.goto("/admin")
    row = page.locator("tr", has_text="admin").first
    row.locator("select[name=plan]").select_option("team")
    row.locator("button[aria-label^='Set the plan']").click()
    page.wait_for_load_state("load")


def launch(page: Page, name: str, image: str, until: str) -> str:
    """Launch a container and wait for a status; returns the path of its page."""
    page.goto("/containers/new")
    page.locator(f"input[name=image][value={image}]").check()
    page.locator("input[name=name]").fill(name)
    page.locator("form.launch button[type=submit]").click()
    page.wait_for_url("**/containers/*")
    page.locator(f'main [data-container-id][data-status="{until}"]').wait_for(timeout=WAIT_MS)
    place = page.url.removeprefix(page.evaluate("location.origin"))
    page.goto("/containers")  # a terminal left open would decide on the size of the later ones
    return place


def stop(page: Page, place: str) -> None:
    """Stop a running container."""
    page.goto(place)
    page.locator("#container-head form[action$='/stop'] button").click()
    page.locator('main [data-status="stopped"]').wait_for(timeout=WAIT_MS)


def all_pages(browser: Browser, url: str, folder: Path, join: str | None, only: list[str]) -> None:
    """Go through the whole product once, taking pictures on the way."""
    photographer = Photographer(browser, url, folder, only)
    photographer.take(STRANGER)
    context = browser.new_context(base_url=url)
    page = context.new_page()
    sign_up(page, join)
    photographer.remember(context)
    photographer.take(EMPTY)
    if join:
        take_largest_plan(page)
        broken = launch(page, "build", "alpine", "failed")
        photographer.take((Picture("container-failed", broken, whole=False),))
        stopped = launch(page, "notes", "shell", "running")
        stop(page, stopped)
        photographer.take((Picture("container-stopped", stopped, whole=False),))
    place = launch(page, "web-lab", "shell", "running")
    photographer.take((*PERSON, *of_container(place), *(ADMIN if join else ())))


def main() -> None:
    """Read the command line and go."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--join", help="the link that makes an admin")
    parser.add_argument(
        "--only", nargs="*", default=[], help="names of the pictures to take; all where left out"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium-headless-shell"),
            args=["--no-sandbox"] if os.geteuid() == 0 else [],  # Chromium's sandbox does not start for root
        )
        all_pages(browser, arguments.url, arguments.folder, arguments.join, arguments.only)
        browser.close()


if __name__ == "__main__":
    main()
