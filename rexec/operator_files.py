"""Reads the TOML files that an operator may replace, and names every problem in them at once.

A line of a problem starts with the variable that names the file, then the table and key, then the mend, as
the settings' own problems do.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from rexec.errors import ConfigError

KEY = re.compile(r"[a-z][a-z0-9-]{0,29}\Z")


def read_tables(path: Path, variable: str) -> dict[str, dict[str, Any]]:
    """The tables of a TOML file, in the order they are written.

    Args:
        path: The file.
        variable: The setting that names it, for the problem lines.

    Raises:
        ConfigError: The file cannot be read, is not TOML, or holds something else than named tables.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ConfigError([f"{variable}: the file cannot be read: check its path and mode."]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{variable}: the file is not TOML: {error}."]) from None
    problems = [
        f"{variable}: `{key}` is not a table: write [{key}] on a line of its own."
        for key, value in document.items()
        if not isinstance(value, dict)
    ]
    problems += [
        f"{variable}: [{key}] is not a usable key: use small letters, digits and hyphens, at most 30."
        for key, value in document.items()
        if isinstance(value, dict) and not KEY.match(key)
    ]
    if not document:
        problems.append(f"{variable}: the file holds nothing: write at least one table.")
    if problems:
        raise ConfigError(problems)
    return document


class TableReader:
    """Reads one table key by key and notes what is wrong with it.

    Args:
        table: The table as TOML gave it.
        where: The variable and the table's name, for the problem lines.
        problems: The list that problems are added to.
    """

    def __init__(self, table: dict[str, Any], where: str, problems: list[str]) -> None:
        self._left = dict(table)
        self._where = where
        self._problems = problems

    def problem(self, text: str) -> None:
        """Note a problem of this table."""
        self._problems.append(f"{self._where} {text}")

    def text(
        self,
        key: str,
        *,
        longest: int = 80,
        default: str | None = None,
        pattern: re.Pattern[str] | None = None,
        wanted: str = "",
    ) -> str:
        """A non-empty line of text.

        Args:
            key: The key to read.
            longest: Number of characters that fit.
            default: What counts where the key is not there; None makes it required.
            pattern: What the whole text has to match.
            wanted: The mend to name where it does not.
        """
        value = self._left.pop(key, default)
        if not isinstance(value, str) or not value.strip():
            self.problem(f"lacks `{key}`: write a text.")
            return ""
        if len(value) > longest or not value.isprintable():
            self.problem(f"has a `{key}` that does not fit: at most {longest} characters on one line.")
        elif pattern is not None and not pattern.fullmatch(value):
            self.problem(f"has a `{key}` that does not fit: {wanted}.")
        return value

    def whole(self, key: str, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self._left.pop(key, None)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            self.problem(f"needs `{key}`: a whole number from {lowest} to {highest}.")
            return lowest
        return value

    def whole_or_none(self, key: str, lowest: int, highest: int) -> int | None:
        """A whole number within bounds, or nothing where the key is not there."""
        return self.whole(key, lowest, highest) if key in self._left else None

    def number(self, key: str, lowest: float, highest: float) -> float:
        """A number within bounds, with or without a fraction."""
        value = self._left.pop(key, None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            self.problem(f"needs `{key}`: a number from {lowest} to {highest}.")
            return lowest
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false; false where the key is not there."""
        value = self._left.pop(key, False)
        if not isinstance(value, bool):
            self.problem(f"has a `{key}` that is neither true nor false.")
            return False
        return value

    def finish(self) -> None:
        """Note every key that nobody asked for: most likely a slip of the pen."""
        for key in self._left:
            self.problem(f"has a key that is not known: `{key}`.")
