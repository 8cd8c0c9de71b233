"""Below the terminal stands how much of its limits the container uses, while somebody looks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def part(terminal):
    """A limit of the terminal's page by its name."""
    return lambda name: terminal.page.locator(f'[data-usage="{name}"]')


@pytest.fixture
def asked(terminal):
    """How often the page has asked for the figures."""
    terminal.page.evaluate(
        """() => {
          window.asked = 0;
          const { connection } = document.querySelector('rexec-terminal').shells.get(1);
          const control = connection.control.bind(connection);
          connection.control = (frame) => { window.asked += frame.type === 'usage'; control(frame); };
        }"""
    )
    return lambda: terminal.page.evaluate("window.asked")


def test_use_is_shown_beside_each_limit_when_it_is_unfolded(terminal, part, asked):
    expect(part("memory").locator("[data-words]")).to_have_text(re.compile(r"^\d+ MB$"))
    assert asked() == 0
    terminal.page.locator("#below > summary").click()
    expect(part("memory").locator("[data-words]")).to_have_text(re.compile(r"^\d+ MB of \d+ MB$"))
    expect(part("memory").get_by_role("meter", name="Memory")).to_be_visible()
    expect(part("cpus").locator("[data-words]")).to_have_text(re.compile(r"^\d\.\d\d of [\d.]+ CPU$"))
    expect(part("pids").locator("[data-words]")).to_have_text(re.compile(r"^\d+ of \d+$"))


def test_a_container_that_stops_has_limits_and_no_use(terminal, part):
    page = terminal.page
    page.locator("#below > summary").click()
    words = part("memory").locator("[data-words]")
    expect(words).to_have_text(re.compile(" of "))
    page.locator("#container-head form[action$='/stop'] button").click()
    expect(page.locator("#container-head")).to_contain_text("stopped")
    expect(words).to_have_text(re.compile(r"^\d+ MB$"))


def test_what_is_not_answered_is_not_shown_as_if_it_were_so_now(terminal, part):
    page = terminal.page
    page.locator("#below > summary").click()
    words = part("memory").locator("[data-words]")
    expect(words).to_have_text(re.compile(" of "))
    page.evaluate("document.querySelector('rexec-terminal').shells.get(1).connection.control = () => {}")
    expect(words).to_have_text(re.compile(r"^\d+ MB$"))
    expect(part("memory").locator("meter")).to_be_hidden()
