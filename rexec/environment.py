"""Reading variables of the environment one by one, collecting what is wrong with them.

Every problem is a line that names the variable and the mend, never the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Problem:
    """What is wrong with one variable.

    Args:
        variable: Its name.
        line: What to print: the variable, what is wrong, the mend; never the value.
        code: Tells kinds of problems of one variable apart.
    """

    variable: str
    line: str
    code: str = "config"


class Reader:
    """Reads variables and keeps the problems met.

    Args:
        environ: The environment, or what stands for it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[Problem] = []

    def get(self, name: str) -> str | None:
        """The value of NAME or the content of the file that NAME_FILE names; an empty one counts as unset."""
        value = self.environ.get(name, "").strip()
        path = self.environ.get(f"{name}_FILE", "").strip()
        if value and path:
            self.problem(name, f"{name} and {name}_FILE are both set: keep one of them.")
        if not value and path:
            value = self._content(name, path)
        return value or None

    def _content(self, name: str, path: str) -> str:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            self.problem(name, f"{name}_FILE names a file that cannot be read: check its path and mode.")
            return ""
        if not value:
            self.problem(name, f"{name}_FILE names a file that is empty: put the value there.")
        return value

    def blank(self, name: str) -> bool:
        """Whether a variable is there and nothing is in it."""
        return not self.environ.get(name, "-").strip()

    def wrong(self, name: str) -> bool:
        """Whether something is known to be wrong with a variable."""
        return any(problem.variable == name for problem in self.problems)

    def require(self, name: str, mend: str) -> None:
        """Note a variable that is not there, or that is empty.

        Args:
            name: The variable.
            mend: What to do.
        """
        if self.get(name) or self.wrong(name):
            return
        state = "is empty" if self.blank(name) else "is missing"
        self.problem(name, f"{name} {state}: {mend}.", "missing")

    def problem(self, name: str, line: str, code: str = "config") -> None:
        """Note what is wrong with a variable, once.

        Args:
            name: The variable; it counts as given, so that it is not called missing as well.
            line: What to print: the variable, what is wrong, the mend; never the value.
            code: Tells kinds of problems of one variable apart.
        """
        found = Problem(name, line, code)
        if found not in self.problems:
            self.problems.append(found)

    def flag(self, name: str) -> bool:
        """Yes or no; unset is no."""
        value = (self.get(name) or "0").lower()
        if value not in {"0", "1", "true", "false", "yes", "no"}:
            self.problem(name, f"{name} is neither 1 nor 0: set it to 1.")
        return value in {"1", "true", "yes"}

    def url(self, name: str, schemes: tuple[str, ...]) -> str | None:
        """An address with one of these schemes."""
        value = self.get(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and bool(parts.hostname or parts.scheme == "unix")
        except ValueError:
            usable = False
        if not usable:
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            self.problem(name, f"{name} is not an address: it starts with {wanted} and names a host.")
        return value

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number within bounds."""
        value = self.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
            self.problem(name, f"{name} is not a whole number from {lowest} to {highest}.")
            return default
        return int(value)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words, in any case."""
        value = self.get(name)
        if value is None:
            return default
        for word in allowed:
            if value.lower() == word.lower():
                return word
        self.problem(name, f"{name} is not one of {', '.join(allowed)}.")
        return default

    def file(self, name: str) -> Path | None:
        """A file that is there."""
        value = self.get(name)
        if value is None:
            return None
        if not Path(value).is_file():
            self.problem(name, f"{name} names a file that is not there: check the path.")
        return Path(value)
