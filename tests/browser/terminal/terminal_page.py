"""A page with a terminal, as tests see and use it."""

from __future__ import annotations

import re

from playwright.sync_api import Error, Locator, Page

from tests.support.waiting import eventually

SHOWN = ".terminal-panel[data-shown]"


class TerminalPage:
    """The terminal of one container in one browser tab.

    Args:
        page: Of a browser that is logged in.
        address: Of the container's page.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self._asked = 0

    @property
    def public_id(self) -> str:
        """The container's."""
        return self.address.rpartition("/")[2]

    def open(self) -> TerminalPage:
        """Go to the page and wait until the shell hears what is typed."""
        self.page.goto(self.address)
        # A container that starts on this machine changes its network: Chromium drops what it loads.
        eventually(self._scripts_loaded, interval=0.2, message="the page's scripts")
        return self.wait_live()

    def _scripts_loaded(self) -> bool:
        try:
            loaded = self.page.evaluate("customElements.get('rexec-terminal') !== undefined")
            if not loaded:
                self.page.reload()
        except Error as error:
            # The page may be loading itself again at the same moment.
            raise AssertionError(str(error)) from error
        return loaded

    def reload(self) -> TerminalPage:
        """Reload the page and wait until the shell hears what is typed."""
        self.page.reload()
        return self.wait_live()

    def wait_live(self, timeout: float = 20.0) -> TerminalPage:
        """Wait until the shown shell is connected and its replay drawn."""
        self.page.locator(f'{SHOWN}[aria-busy="false"]').wait_for(timeout=timeout * 1000)
        return self

    @property
    def text(self) -> str:
        """Everything in the shown shell, above its screen too; lines without what is blank at their ends."""
        return self.page.evaluate("document.querySelector('rexec-terminal').text()")

    def wait_for(self, text: str, timeout: float = 20.0) -> TerminalPage:
        """Wait until `text` is a line of the shown shell."""

        def shown() -> bool:
            assert text in self.text.splitlines(), self.text[-2000:]
            return True

        eventually(shown, timeout, message=f"the terminal shows {text!r}")
        return self

    def run(self, command: str) -> TerminalPage:
        """Type a command and Enter."""
        self.page.keyboard.type(command)
        self.page.keyboard.press("Enter")
        return self

    def asks(self, command: str, answer: str, timeout: float = 20.0) -> TerminalPage:
        """Type a command and wait until a line says `answer`, which must not be in the command."""
        assert answer not in command
        return self.run(command).wait_for(answer, timeout)

    @property
    def note(self) -> Locator:
        """What is said at the bottom edge."""
        return self.page.locator(f"{SHOWN} [data-note]")

    def tab(self, name: str) -> Locator:
        """A tab of the strip."""
        return self.page.get_by_role("tab", name=name, exact=True)

    @property
    def columns(self) -> int:
        """How many columns the shell believes to have."""
        self._asked += 1
        answer = re.compile(rf"^cols=(\d+) {self._asked}$", re.MULTILINE)
        self.run(f"echo cols=$(stty size | cut -d' ' -f2) {self._asked}")
        return int(eventually(lambda: answer.search(self.text), message="stty's answer")[1])
