"""scripts/test: it hands on its arguments and pytest's verdict, and leaves nothing behind when stopped."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import ROOT
from tests.support.waiting import eventually


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start it with its temporary files in `tmp_path`."""
    return subprocess.Popen(
        [str(ROOT / "scripts" / "test"), "-p", "no:cacheprovider", "-q", *arguments],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("-k", "loopback"), 0, "passed"),
        (("-k", "nothing_is_called_so"), 5, "no tests ran"),
        (("--no-such-option",), 4, ""),
    ],
)
def test_arguments_and_verdict_are_pytests(tmp_path, arguments, code, words):
    process = start(tmp_path, "tests/unit/test_config.py", *arguments)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == code, output
    assert words in output
    assert list(tmp_path.iterdir()) == []


def _processes_in(folder: Path) -> list[str]:
    """Command lines of processes that work in a folder or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = str((process / "cwd").readlink())
        except OSError:
            continue
        if (
            line
            and (str(folder) in line or place.startswith(str(folder)))
            and process.name != str(os.getpid())
        ):
            found.append(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_tests_and_all_their_services(tmp_path, number):
    process = start(tmp_path, "tests/engine/scripts/test_engine.py", "-k", "not test_help")
    eventually(lambda: any(tmp_path.glob("*/*/engine/dockerd.pid")), 60, message="the tests' engine started")
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode not in {0, None}, output
    eventually(lambda: not _processes_in(tmp_path), 5, message="all processes gone")
    assert list(tmp_path.iterdir()) == []
