"""A copy of this checkout that the scripts can be run in, with what is installed already."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.support.engine import ROOT


def _seal(path: Path, *inputs: Path) -> None:
    """Write the checksum by which scripts/lib.sh knows that something is installed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(hashlib.sha256(b"".join(file.read_bytes() for file in inputs)).hexdigest() + "\n")


def copy_checkout(target: Path) -> Path:
    """Copy the files that git knows; programs and browser packages are this checkout's own."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for program in ("python", "rexec"):
        path = target / ".venv" / "bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/{program}" "$@"\n')
        path.chmod(0o755)
    _seal(target / ".venv" / ".installed", target / "requirements.lock", target / "pyproject.toml")
    _seal(target / "node_modules" / ".installed", target / "package-lock.json")
    built = (
        target / "node_modules" / ".installed",
        target / "static/icons.txt",
        target / "scripts/vendor.py",
    )
    _seal(target / "static" / "vendor" / ".built", *built)
    return target
