"""The tools around the screen: search, copying, links, size of text, colours, full screen, bell."""

import pytest
from playwright.sync_api import expect

from tests.support.waiting import eventually

SCREEN = ".terminal-panel[data-shown] .xterm-screen"


def font_size(terminal) -> int:
    return terminal.page.evaluate("document.querySelector('rexec-terminal').shell.terminal.options.fontSize")


def background(terminal) -> str:
    screen = terminal.page.locator(".terminal-panel[data-shown] .xterm-scrollable-element")
    return screen.evaluate("element => getComputedStyle(element).backgroundColor")


def option(terminal, name: str) -> None:
    terminal.page.locator("summary[aria-label='Terminal options']").click()
    terminal.page.get_by_role("button", name=name).click()


def clipboard(terminal) -> str:
    return terminal.page.evaluate("navigator.clipboard.readText()")


@pytest.fixture
def clipboard_terminal(terminal):
    """A terminal whose browser lets the test look into the clipboard."""
    terminal.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return terminal


def test_search_counts_walks_and_gives_the_focus_back(terminal):
    terminal.asks("for i in 1 2 3; do echo needle$((i * i)); done", "needle9")
    page = terminal.page
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("needle")
    count = page.locator("[data-search-count]")
    expect(count).to_have_text("1 of 4")
    page.keyboard.press("Enter")
    expect(count).to_have_text("2 of 4")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("1 of 4")
    page.keyboard.type("less")
    expect(count).to_have_text("None")
    page.keyboard.press("Escape")
    expect(page.get_by_role("search")).to_be_hidden()
    terminal.asks("echo $((3 * 3))-typed", "9-typed")


def test_ctrl_shift_c_copies_what_is_selected(clipboard_terminal):
    terminal = clipboard_terminal
    terminal.asks("clear; echo $((11 * 11))word", "121word")
    terminal.page.evaluate("document.querySelector('rexec-terminal').shell.terminal.selectAll()")
    terminal.page.keyboard.press("Control+Shift+C")
    eventually(lambda: "121word" in clipboard(terminal))


def test_the_menu_copies_what_is_in_sight_and_pastes(clipboard_terminal):
    terminal = clipboard_terminal
    terminal.asks("clear; echo $((19 * 19))-sight", "361-sight")
    option(terminal, "Copy selection or screen")
    eventually(lambda: "361-sight" in clipboard(terminal).splitlines())
    terminal.page.evaluate("navigator.clipboard.writeText('echo $((20 * 20))-pasted\\n')")
    option(terminal, "Paste")
    terminal.wait_for("400-pasted")


def test_pasting_from_the_menu_says_where_the_browser_refuses(terminal):
    option(terminal, "Paste")
    terminal.note.get_by_text("The browser does not let pages read the clipboard.").wait_for()


def test_copy_on_select_is_off_until_chosen_and_then_remembered(clipboard_terminal):
    terminal = clipboard_terminal
    page = terminal.page
    page.evaluate("navigator.clipboard.writeText('before')")
    terminal.asks("clear; echo $((12 * 12))word", "144word")

    def select_word() -> None:
        row = page.locator(f"{SCREEN} .xterm-rows > div", has_text="144word").first
        row.scroll_into_view_if_needed()
        box = row.bounding_box()
        page.mouse.dblclick(box["x"] + 20, box["y"] + box["height"] / 2)

    select_word()
    assert (
        page.evaluate("document.querySelector('rexec-terminal').shell.terminal.getSelection()") == "144word"
    )
    assert clipboard(terminal) == "before"
    option(terminal, "Copy on select")
    terminal.reload().wait_for("144word")
    select_word()
    eventually(lambda: clipboard(terminal) == "144word")


def test_a_link_opens_on_ctrl_click_only_and_without_an_opener(terminal):
    page = terminal.page
    address = page.url.rpartition("/")[0]
    terminal.asks(f"clear; echo {address}/n''ew", f"{address}/new")
    box = page.locator(f"{SCREEN} .xterm-rows > div", has_text=f"{address}/new").first.bounding_box()
    at = (box["x"] + 60, box["y"] + box["height"] / 2)
    page.mouse.move(*at)
    expect(page.locator(f"{SCREEN}[title], [data-stage][title]")).to_have_count(1)
    page.mouse.click(*at)
    with page.context.expect_page() as opened:
        page.keyboard.down("Control")
        page.mouse.click(*at)
        page.keyboard.up("Control")
    opened.value.wait_for_load_state()
    assert opened.value.url == f"{address}/new"
    assert opened.value.evaluate("window.opener") is None
    assert len(page.context.pages) == 2


def test_the_size_of_text_changes_by_keys_and_is_remembered(terminal):
    before, columns = font_size(terminal), terminal.columns
    for _ in range(3):
        terminal.page.keyboard.press("Control+Shift+Equal")
    assert font_size(terminal) == before + 3
    eventually(lambda: terminal.columns < columns)
    terminal.page.keyboard.press("Control+Shift+Minus")
    terminal.reload()
    assert font_size(terminal) == before + 2


def test_the_colours_follow_the_system_and_the_page_at_once(terminal):
    page = terminal.page
    page.emulate_media(color_scheme="dark")
    eventually(lambda: background(terminal) == "rgb(20, 23, 26)")
    page.emulate_media(color_scheme="light")
    eventually(lambda: background(terminal) == "rgb(251, 252, 252)")
    page.locator("details.menu summary", has_text="@").click()
    page.get_by_role("button", name="Dark").click()
    eventually(lambda: background(terminal) == "rgb(20, 23, 26)")


def test_full_screen_fills_the_screen_and_leaves_it_again(terminal):
    button = terminal.page.get_by_role("button", name="Full screen")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert terminal.page.evaluate("document.fullscreenElement.matches('rexec-terminal')")
    terminal.asks("echo $((13 * 13))-full", "169-full")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_bell_that_nobody_looks_at_marks_the_browsers_tab(terminal):
    page = terminal.page
    title = page.title()
    page.evaluate("document.hasFocus = () => false")
    terminal.run("printf '\\a'")
    expect(page).to_have_title(f"Bell: {title}")
    assert page.locator("link[rel=icon]").get_attribute("href").endswith("bell.svg")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page).to_have_title(title)


def test_clearing_the_scrollback_forgets_what_scrolled_away_also_after_a_reload(terminal):
    terminal.asks("echo $((14 * 14))-secret; seq 1 100; echo $((15 * 15))-end", "225-end")
    option(terminal, "Clear scrollback")
    eventually(lambda: "196-secret" not in terminal.text)
    terminal.reload()
    terminal.asks("echo $((16 * 16))-next", "256-next")
    assert "196-secret" not in terminal.text


def test_screen_reader_mode_reads_the_rows_aloud(terminal):
    option(terminal, "Screen reader mode")
    terminal.asks("echo $((17 * 17))-row", "289-row")
    rows = terminal.page.locator(".terminal-panel[data-shown] .xterm-accessibility-tree [role=listitem]")
    expect(rows.filter(has_text="289-row")).to_have_count(1)


def test_colours_of_24_bits_are_painted_under_the_content_policy(terminal):
    terminal.asks("printf '\\033[48;2;10;120;200m%s\\033[0m\\n' $((18 * 18))-paint", "324-paint")
    painted = terminal.page.locator(f"{SCREEN} .xterm-rows span", has_text="324-paint").last
    expect(painted).to_have_css("background-color", "rgb(10, 120, 200)")
