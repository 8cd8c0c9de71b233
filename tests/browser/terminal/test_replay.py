"""A replay is shown and never answered."""

import pytest

from tests.support.waiting import eventually

QUERIES = (
    r"\033[c\033[>c\033[5n\033[6n\033[?6n"
    r"\033]10;?\007\033]11;?\007\033]12;?\007\033]4;1;?\007"
    r"\033[?1\$p\033P\$qm\033\\\\"
)
ANSWER = b"\x1b[?1;2c"


@pytest.fixture
def typed(engine, container):
    """Reads every byte that reached the terminal's program."""

    def read() -> bytes:
        dump = engine.docker(
            "exec", f"rexec-{container}", "hexdump", "-ve", '1/1 "%02x"', "/root/typed", check=False
        )
        return bytes.fromhex(dump)

    return read


def ask_once(terminal, typed) -> bytes:
    """Let a program print every query and take the answers; returns them."""
    terminal.run(f'stty -icanon -echo; printf "{QUERIES}"; cat > /root/typed')
    return eventually(
        lambda: ANSWER in typed() and _settled(terminal, typed), message="answers to live queries"
    )


def _settled(terminal, typed) -> bytes:
    terminal.page.keyboard.type("!")
    return eventually(lambda: typed() if typed().endswith(b"!") else b"")


def test_queries_are_answered_live_but_never_in_a_replay(terminal, typed):
    before = ask_once(terminal, typed)
    terminal.reload()
    terminal.page.keyboard.type("x")
    eventually(lambda: typed().endswith(b"x"))
    assert typed() == before + b"x"


def test_of_two_windows_only_one_answers(terminal, typed, new_window, user, container):
    new_window(user, container)
    answers = ask_once(terminal, typed)
    assert answers.count(ANSWER) == 1


class HeldReplay:
    """Keeps back the end of a replay on its way to the page, so that there is time to type during it."""

    def __init__(self, page):
        self._held = []
        self._holding = True
        page.route_web_socket("**/terminal*", self._route)

    def _route(self, window):
        self._window = window
        window.connect_to_server().on_message(self._pass)

    def _pass(self, message):
        if self._holding and (self._held or (isinstance(message, str) and '"live"' in message)):
            self._held.append(message)
        else:
            self._window.send(message)

    def end(self):
        self._holding = False
        for message in self._held:
            self._window.send(message)


def test_keys_struck_from_the_first_moment_on_arrive_after_the_replay(terminal):
    terminal.asks("seq 1 20000; echo $((1 + 1))-printed", "2-printed", timeout=30)
    replay = HeldReplay(terminal.page)
    terminal.page.reload()
    terminal.page.locator('.terminal-panel[aria-busy="true"] .xterm-helper-textarea').focus()
    terminal.page.keyboard.type("echo $((2 + 2))-typed\n")
    assert "4-typed" not in terminal.text
    replay.end()
    terminal.wait_live()
    terminal.wait_for("4-typed")


def test_a_replay_after_a_reconnection_replaces_what_was_shown(terminal, page_errors):
    page_errors.allow("WebSocket connection to")
    terminal.asks("echo $((1 + 1))-once", "2-once")
    terminal.page.context.set_offline(True)
    terminal.page.evaluate(
        "document.querySelector('rexec-terminal').shell.connection.socket.onclose({code: 1006})"
    )
    terminal.note.get_by_text("Reconnecting").wait_for()
    terminal.page.context.set_offline(False)
    terminal.wait_live()
    terminal.asks("echo $((2 + 2))-more", "4-more")
    assert terminal.text.splitlines().count("2-once") == 1
