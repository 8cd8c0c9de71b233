"""Account pages as a person uses them: by keyboard, with and without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.support.http_user import PASSWORD, HttpUser


def test_signing_up_takes_a_keyboard_alone(server, page):
    person = HttpUser(server.url)
    page.goto(server.url + "/signup")
    page.keyboard.type(person.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/containers$"))


def test_a_typed_password_can_be_looked_at_and_is_sent_hidden(server, user, page):
    page.goto(server.url + "/login")
    field = page.locator("#password")
    field.fill(PASSWORD)
    show = page.get_by_role("button", name="Show what is typed")
    beside, button = field.bounding_box(), show.bounding_box()
    assert beside["x"] + beside["width"] < button["x"]
    assert (beside["y"], beside["height"]) == (button["y"], button["height"])
    show.click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value(PASSWORD)
    expect(show).to_have_attribute("aria-pressed", "true")
    show.click()
    expect(field).to_have_attribute("type", "password")
    show.click()
    page.locator("#email").fill(user.email)
    page.evaluate(
        "document.querySelector('form').addEventListener('submit', () => sessionStorage.type = "
        "document.querySelector('#password').type)"
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/containers$"))
    assert page.evaluate("sessionStorage.type") == "password"


def test_a_refused_form_says_why_beside_the_field_and_keeps_the_address(server, page, page_errors):
    page_errors.allow("422")
    page.goto(server.url + "/signup")
    page.locator("#email").fill("me@example.com")
    page.locator("#password").fill("password123")
    page.get_by_role("button", name="Sign up", exact=True).click()
    field = page.locator("#password")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("among the first passwords anybody would try"))
    expect(field).to_be_focused()
    expect(page.locator("#email")).to_have_value("me@example.com")
    expect(field).to_have_value("")


@pytest.mark.parametrize("width", [390, 1280])
def test_every_form_works_before_scripts_load(server, user, new_context, width):
    context = new_context(viewport={"width": width, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url + "/account")
    page.locator("#email").fill(user.email)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/account$"))
    page.locator("#present").fill(PASSWORD)
    page.locator("#password").fill("a-new-password-of-mine")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.locator("#email").fill(f"moved-{user.email}")
    page.locator("#email-present").fill("a-new-password-of-mine")
    page.get_by_role("button", name="Change e-mail address").click()
    expect(page.get_by_text("Your e-mail address is changed.")).to_be_visible()
    page.get_by_role("link", name="Delete account").click()
    page.locator("#present").fill("a-new-password-of-mine")
    page.get_by_role("button", name="Delete account").click()
    expect(page.get_by_text("Your account is deleted.")).to_be_visible()
    assert user.get("/account", allow_redirects=False).status_code == 303
