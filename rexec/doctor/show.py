"""The human output: a line for each check, aligned, and one at the end that says what to do first."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

import click

from rexec.doctor.checks import Check

MARKS: Final = {"ok": "✓", "warning": "!", "fail": "✗", "skipped": "–"}
COLOURS: Final = {"ok": "green", "warning": "yellow", "fail": "red", "skipped": "bright_black"}
STATUS_WIDTH: Final = len("warning")
NARROWEST: Final = 60


class Sheet:
    """Lays checks out for a terminal or a file.

    Args:
        names: Of all checks, for the width of their column.
        width: Characters of a line.
        colour: Whether states are coloured; their word and mark always stand there.
    """

    def __init__(self, names: Sequence[str], *, width: int, colour: bool) -> None:
        self._name_width = max(map(len, names))
        self._width = max(NARROWEST, width)
        self._colour = colour

    def line(self, check: Check) -> str:
        """A check, with its hint below it."""
        found = check.finding
        state = (
            f"{MARKS[found.status]} {check.name.ljust(self._name_width)}  {found.status.ljust(STATUS_WIDTH)}"
        )
        margin = " " * (len(state) + 2)
        text = self._fill(found.message, margin)
        if found.hint:
            text += "\n" + self._fill(f"→ {found.hint}", margin, hang="  ")
        painted = click.style(state, fg=COLOURS[found.status]) if self._colour else state
        return painted + text[len(state) :]

    def _fill(self, text: str, margin: str, hang: str = "") -> str:
        return textwrap.fill(
            text,
            self._width,
            initial_indent=margin,
            subsequent_indent=margin + hang,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def summary(self, checks: Sequence[Check]) -> str:
        """What to do first."""
        failed = [check for check in checks if check.finding.status == "fail"]
        warned = [check for check in checks if check.finding.status == "warning"]
        if not failed and not warned:
            return self._bold("Everything works.")
        first = (failed or warned)[0]
        warnings = f"{len(warned)} warning{'s' if len(warned) > 1 else ''}"
        start = f"{len(failed)} failed" if failed else f"It works, with {warnings}"
        return self._bold(f"{start}. First, {first.name}: {first.finding.hint or first.finding.message}")

    def _bold(self, text: str) -> str:
        return click.style(text, bold=True) if self._colour else text
