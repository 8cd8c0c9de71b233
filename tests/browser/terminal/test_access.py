"""The terminal and what stands around it pass axe, in both schemes, in a window and on a phone."""

from pathlib import Path

import pytest

from tests.browser.terminal.conftest import PHONE, WINDOW

NOTE = """() => {
  const { note } = document.querySelector('rexec-terminal').shell;
  note.show('Reconnecting', { actions: [{ label: 'Now' }] });
}"""
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"
# Without preload: to read style sheets axe would make <style> elements, against the page's policy.
FAULTS = """async () => {
  const { violations } = await axe.run('rexec-terminal', { preload: false, resultTypes: ['violations'] });
  return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
}"""


def faults(terminal) -> list[str]:
    """What axe finds in the light and then in the dark."""
    found = []
    for scheme in ("light", "dark"):
        terminal.page.emulate_media(color_scheme=scheme)
        found += [f"{scheme}, {fault}" for fault in terminal.page.evaluate(FAULTS)]
    return found


@pytest.mark.parametrize("browser", [WINDOW, PHONE], ids=["window", "phone"])
def test_tabs_options_search_and_notes_pass_axe(new_window, user, container, browser):
    terminal = new_window(user, container, **browser)
    page = terminal.page
    page.evaluate(AXE.read_text(encoding="utf-8"))
    terminal.asks("printf '\\033[31mred \\033[33myellow \\033[90mgrey\\033[0m\\n'; echo $((1 + 1))-x", "2-x")
    page.get_by_role("button", name="New shell").click()
    assert faults(terminal.wait_live()) == []
    page.locator("summary[aria-label='Terminal options']").click()
    assert faults(terminal) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Search", exact=True).click()
    page.keyboard.type("sh")
    assert faults(terminal) == []
    page.keyboard.press("Escape")
    page.evaluate(NOTE)
    assert faults(terminal) == []
