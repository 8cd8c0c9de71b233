"""The main job by hand: sign up, make a container, type in it, delete it, with the pages' own buttons."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.terminal.terminal_page import TerminalPage
from tests.support.http_user import PASSWORD


def sign_up(page, server) -> None:
    page.goto(server.url)
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("E-mail").fill(f"person-{secrets.token_hex(6)}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(server.url + "/containers")


def new_container(page, name: str) -> None:
    page.get_by_role("link", name="New container").first.click()
    page.get_by_role("radio", name=re.compile("Shell")).check()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create").click()


@pytest.mark.smoke
def test_somebody_new_signs_up_makes_a_container_types_in_it_and_deletes_it(page, server):
    sign_up(page, server)
    new_container(page, "first-lab")
    terminal = TerminalPage(page, page.url).wait_live()
    expect(page.locator("[data-status]").first).to_have_attribute("data-status", "running")
    terminal.asks("echo answer-$((6 * 7))", "answer-42")
    expect(page).to_have_title(re.compile("first-lab"))
    page.get_by_role("link", name="Containers", exact=True).first.click()
    expect(page.locator('[data-status="running"]')).to_contain_text("first-lab")
    page.get_by_role("link", name="first-lab").first.click()
    page.get_by_text("Details, limits, logs, delete").click()
    page.get_by_text("Delete…").click()
    page.get_by_role("button", name="Delete first-lab and its home directory").click()
    page.goto(server.url + "/containers")
    expect(page.get_by_text("No containers yet")).to_be_visible(timeout=20_000)
