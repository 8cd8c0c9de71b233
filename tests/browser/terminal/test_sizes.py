"""The size of a shell: it follows its window, and of several windows the one that typed last decides."""

from playwright.sync_api import expect

from tests.support.waiting import eventually

SMALL = {"viewport": {"width": 640, "height": 480}}


def screen_width(terminal) -> float:
    return terminal.page.locator(".terminal-panel[data-shown] .xterm-screen").bounding_box()["width"]


def test_the_shell_has_as_many_columns_as_fit(terminal):
    wide = terminal.columns
    assert wide > 100
    terminal.page.set_viewport_size({"width": 700, "height": 600})
    eventually(lambda: 40 < terminal.columns < wide, message="fewer columns")


def test_the_window_that_typed_last_decides_the_size(terminal, new_window, user, container):
    wide = terminal.columns
    small = new_window(user, container, **SMALL)
    small.note.get_by_text("Sized by another window").wait_for()
    eventually(lambda: small.columns < wide, message="the narrow window's size")
    expect(small.note).to_be_hidden()
    terminal.note.get_by_text("Sized by another window").wait_for()
    eventually(lambda: screen_width(terminal) < 640, message="the wide window shows the narrow size")
    eventually(lambda: terminal.columns == wide, message="the wide window's size")
    expect(terminal.note).to_be_hidden()


def test_looking_does_not_take_the_size_over(terminal, new_window, user, container):
    wide = terminal.columns
    small = new_window(user, container, **SMALL)
    small.note.get_by_text("Sized by another window").wait_for()
    small.page.set_viewport_size({"width": 500, "height": 400})
    small.reload()
    small.note.get_by_text("Sized by another window").wait_for()
    assert terminal.columns == wide


def test_the_size_is_left_to_those_who_stay(terminal, new_window, user, container):
    wide = terminal.columns
    small = new_window(user, container, **SMALL)
    eventually(lambda: small.columns < wide, message="the narrow window's size")
    terminal.note.get_by_text("Sized by another window").wait_for()
    small.page.context.close()
    expect(terminal.note).to_be_hidden()
    eventually(lambda: terminal.columns == wide, message="the wide window's size")
