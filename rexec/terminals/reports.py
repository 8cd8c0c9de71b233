"""Which bytes a terminal sends by itself.

Every browser on a shared terminal answers each query that a program prints. One answer is right: that of the
viewer whose size the terminal has.
"""

from __future__ import annotations

import re
from typing import Final

_REPORT: Final = re.compile(
    rb"(?:"
    rb"\x1b\[[?>=]?[0-9;]*[cnRt]"  # device attributes, status, cursor position, window
    rb"|\x1b\[\?[0-9;]*\$?[yu]"  # modes, keyboard protocol
    rb"|\x1b\[[IO]"  # focus came, focus went
    rb"|\x1b\][0-9;]+[^\x07\x1b]*(?:\x07|\x1b\\)"  # colours
    rb"|\x1bP[^\x1b]*\x1b\\"  # settings, capabilities
    rb")+"
)
_LONGEST: Final = 4096


def is_report(data: bytes) -> bool:
    """Say whether nobody typed these bytes: they are answers to queries, or notes about focus."""
    return len(data) <= _LONGEST and data[:1] == b"\x1b" and _REPORT.fullmatch(data) is not None
