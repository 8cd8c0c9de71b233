"""The commands that the documents tell people to type."""

from __future__ import annotations

import re
import textwrap

from tests.support.engine import ROOT

DOCUMENTS = ("README.md", "docs/deploy.md", "docs/operations.md")
_BLOCK = re.compile(r"^([ ]*)```sh\n(.*?)^[ ]*```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+#\s.*$")


def text_of(document: str) -> str:
    """The whole of a document, named from the root of the checkout."""
    return (ROOT / document).read_text(encoding="utf-8")


def commands(document: str) -> list[str]:
    """Every command in its fenced `sh` blocks, without comments; what spans several lines is one command."""
    found: list[str] = []
    for _, block in _BLOCK.findall(text_of(document)):
        joined = textwrap.dedent(block).replace("\\\n", " ")
        # A loop belongs together, and so do lines that are continued by indentation.
        for line in joined.splitlines():
            command = _COMMENT.sub("", line)
            if not command.strip():
                continue
            if command.startswith((" ", "done")):
                found[-1] += f"\n{command}"
            else:
                found.append(command)
    return found


def the_command(document: str, beginning: str) -> str:
    """The one command of a document that begins so."""
    (found,) = {command for command in commands(document) if command.startswith(beginning)}
    return found
