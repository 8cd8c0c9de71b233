"""On a phone the keys that its keyboard lacks are there, within reach of a thumb."""

import pytest
from playwright.sync_api import expect

from tests.support.waiting import eventually


def press(phone, name: str) -> None:
    phone.page.get_by_role("toolbar", name="Keys").get_by_role("button", name=name, exact=True).tap()


def test_ctrl_c_by_two_taps_ends_a_program(phone):
    phone.asks("sh -c 'echo $((1 + 1))-started; sleep 1000'", "2-started")
    press(phone, "Ctrl")
    phone.page.keyboard.type("c")
    phone.asks("echo $((2 + 2))-again", "4-again")


def test_ctrl_holds_for_one_key_and_shows_it(phone):
    held = phone.page.get_by_role("button", name="Ctrl", exact=True)
    expect(held).to_have_attribute("aria-pressed", "false")
    press(phone, "Ctrl")
    expect(held).to_have_attribute("aria-pressed", "true")
    phone.page.keyboard.type("u")
    expect(held).to_have_attribute("aria-pressed", "false")
    press(phone, "Ctrl")
    press(phone, "Ctrl")
    expect(held).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(
    ("taps", "seen"),
    [
        (("Esc", "Tab", "/", "Minus", "Pipe"), "^[^I/-|"),
        (("Up", "Down", "Right", "Left"), "^[[A^[[B^[[C^[[D"),
        (("Ctrl", "Left", "Alt", "Right", "Ctrl", "Alt", "Up"), "^[[1;5D^[[1;3C^[[1;7A"),
    ],
    ids=["plain keys", "arrows", "arrows with modifiers"],
)
def test_keys_send_what_a_keyboard_sends(phone, taps, seen):
    phone.asks("stty -icanon -echo; echo $((1 + 1))-raw; cat -tv", "2-raw")
    for name in taps:
        press(phone, name)
    phone.page.keyboard.press("Enter")
    phone.wait_for(seen)


def test_arrows_follow_the_mode_that_a_program_chose(phone):
    phone.asks("stty -icanon -echo; printf '\\033[?1h'; echo $((1 + 1))-raw; cat -v", "2-raw")
    press(phone, "Up")
    phone.page.keyboard.press("Enter")
    phone.wait_for("^[OA")


def test_alt_goes_before_the_next_key(phone):
    phone.asks("stty -icanon -echo; echo $((1 + 1))-raw; cat -v", "2-raw")
    press(phone, "Alt")
    phone.page.keyboard.type("f")
    phone.page.keyboard.press("Enter")
    phone.wait_for("^[f")


def test_the_keys_are_as_large_as_a_thumb_and_nothing_is_wider_than_the_phone(phone):
    boxes = [key.bounding_box() for key in phone.page.locator(".terminal-key").all()]
    assert len(boxes) == 11
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in boxes)
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.page.evaluate("document.documentElement.scrollHeight") == 780


def test_a_key_leaves_the_on_screen_keyboard_open(phone):
    typing = phone.page.locator(".terminal-panel[data-shown] .xterm-helper-textarea")
    phone.page.locator(".terminal-panel[data-shown] .xterm-screen").tap()
    expect(typing).to_be_focused()
    press(phone, "Tab")
    expect(typing).to_be_focused()


def test_the_keys_stay_above_an_on_screen_keyboard_that_covers_the_page(phone):
    phone.page.evaluate(
        """() => {
          Object.defineProperty(visualViewport, 'height', { get: () => innerHeight - 300 });
          visualViewport.dispatchEvent(new Event('resize'));
        }"""
    )
    bar = phone.page.locator(".terminal-keys")
    box = bar.bounding_box()
    assert box["y"] + box["height"] <= 480


def test_there_are_no_such_keys_beside_a_real_keyboard(terminal):
    assert terminal.page.locator(".terminal-keys").is_hidden()


def swipe(phone, way: int) -> None:
    """Move a finger over the screen, downwards by so many pixels."""
    session = phone.page.context.new_cdp_session(phone.page)
    gesture = {"x": 195, "y": 400 - way // 2, "yDistance": way, "gestureSourceType": "touch"}
    session.send("Input.synthesizeScrollGesture", gesture)


def test_a_finger_scrolls_back_through_what_was_printed(phone):
    phone.asks("for i in $(seq 1 300); do echo $i-line; done", "300-line")
    first = phone.page.locator(".terminal-panel[data-shown] .xterm-rows > div").first
    before = int(first.inner_text().partition("-")[0])
    swipe(phone, 300)
    eventually(lambda: 10 <= before - int(first.inner_text().partition("-")[0]) <= 60)


def test_a_finger_scrolls_in_a_program_that_fills_the_screen(phone):
    phone.asks("stty -icanon -echo; printf '\\033[?1049h'; echo $((1 + 1))-full; cat -v", "2-full")
    swipe(phone, -100)
    phone.page.keyboard.press("Enter")
    eventually(lambda: "^[[B^[[B^[[B^[[B" in phone.text)
