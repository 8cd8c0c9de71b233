"""Typing and seeing: keys, Unicode, what belongs to the shell, pasting."""

import hashlib

import pytest

from tests.support.waiting import eventually

DEFAULT_COLUMNS = 80
PASTED_LINES = 16_000


@pytest.mark.smoke
def test_what_is_typed_is_run_and_shown(terminal):
    terminal.asks("echo $((6 * 7))-answer", "42-answer")


def test_the_terminal_has_the_focus_when_it_appears(terminal):
    assert terminal.page.evaluate("document.activeElement.matches('.xterm-helper-textarea')")


def test_the_terminal_fills_the_window_without_scrolling_the_page(terminal):
    page = terminal.page
    sizes = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert sizes == [800, 1280]
    box = page.locator(".terminal-panel[data-shown] .xterm-screen").bounding_box()
    assert box["width"] > 1200
    assert box["y"] + box["height"] > 740


def test_a_terminal_that_waits_animates_nothing(terminal):
    # A cursor that blinks has the whole page painted sixty times a second, on the battery of whoever thinks.
    eventually(lambda: terminal.page.evaluate("document.getAnimations().length") == 0)
    assert terminal.page.evaluate("document.activeElement.matches('.xterm-helper-textarea')")


def test_letters_of_any_script_arrive_whole(terminal):
    # BusyBox takes the bytes of a letter one by one when the window changes just before it.
    eventually(lambda: terminal.columns > DEFAULT_COLUMNS, message="the window's own size")
    terminal.asks("echo 'čäß世界🙂' | wc -c", "17")
    terminal.asks("printf '%s\\n' 'čäß' '世界🙂' | tr '\\n' +; echo", "čäß+世界🙂+")


def test_ctrl_p_reaches_the_shell(terminal):
    terminal.asks("echo once-$((1 + 1))", "once-2")
    terminal.page.keyboard.press("Control+p")
    terminal.page.keyboard.press("Enter")
    lines = terminal.asks("echo $((3 + 3))-then", "6-then").text.splitlines()
    assert lines.count("once-2") == 2


def test_ctrl_c_ends_a_program(terminal):
    terminal.asks("sh -c 'echo $((1 + 1))-started; sleep 1000'", "2-started")
    terminal.page.keyboard.press("Control+c")
    terminal.asks("echo $((2 + 2))-again", "4-again")


def test_a_megabyte_pasted_arrives_to_the_byte(terminal, engine, container):
    text = "".join(f"{number:063d}\n" for number in range(PASTED_LINES))
    page = terminal.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    terminal.asks(
        "stty -echo; echo $((1 + 1))-ready; md5sum > /root/sum; stty echo; echo $((2 + 2))-done", "2-ready"
    )
    page.keyboard.press("Control+Shift+V")
    page.keyboard.press("Control+d")
    terminal.wait_for("4-done", timeout=30)
    digest = engine.docker("exec", f"rexec-{container}", "cat", "/root/sum").split()[0]
    assert digest == hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_a_paste_is_bracketed_where_the_program_asked_for_it(terminal):
    page = terminal.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a\\nb')")
    terminal.asks("stty -echo; printf '\\033[?2004h'; echo $((1 + 1))-on; cat -v", "2-on")
    page.keyboard.press("Control+Shift+V")
    page.keyboard.press("Enter")
    terminal.wait_for("^[[200~a")
    terminal.wait_for("b^[[201~")


def test_a_mouse_report_beyond_ascii_is_sent_byte_by_byte(terminal, engine, container):
    # The oldest mouse protocol sends column + 32 as one byte: 0xa0 and more beyond column 128.
    terminal.asks(
        "stty -icanon -echo; printf '\\033[?1000h'; echo $((1 + 1))-on; head -c 6 > /root/mouse", "2-on"
    )
    box = terminal.page.locator(".terminal-panel[data-shown] .xterm-screen").bounding_box()
    terminal.page.mouse.click(box["x"] + box["width"] * 0.95, box["y"] + 40)
    terminal.page.keyboard.type("......")
    dump = engine.docker("exec", f"rexec-{container}", "hexdump", "-ve", '1/1 "%02x "', "/root/mouse").split()
    assert dump[:4] == ["1b", "5b", "4d", "20"]
    assert int(dump[4], 16) > 0xA0
