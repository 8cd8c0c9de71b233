"""The loop that keeps a shell running, in every shell that an image may have as /bin/sh."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import time
from pathlib import Path

import pytest

from rexec.containers.specs import shell_loop

LOOPS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "sh"]}


class Loop:
    """The loop on a terminal of its own."""

    def __init__(self, argv, home, shell):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "REXEC_SHELL": shell,
            "PS1": "$ ",
            "TERM": "xterm",
        }
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe(argv[0], [*argv, "-c", shell_loop()], environment)  # noqa: S606 - the loop itself
        self.output = b""
        self.ended = False

    def type(self, data):
        # Where nothing has the terminal open any more, a write would wait for ever.
        assert select.select([], [self.fd], [], 5)[1], f"nothing reads: {self.output[-800:]!r}"
        os.write(self.fd, data)

    def until(self, wanted, timeout=20):
        deadline = time.monotonic() + timeout
        while wanted not in self.output:
            assert time.monotonic() < deadline, f"{wanted!r} did not come: {self.output[-800:]!r}"
            assert not self.ended, f"the loop ended: {self.output[-800:]!r}"
            self.read(0.2)
        before, _, self.output = self.output.partition(wanted)
        return before

    def read(self, timeout):
        if not select.select([self.fd], [], [], timeout)[0]:
            return
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.ended = not data
        self.output += data

    def answers(self, number):
        """Type until the shell answers: while it starts, it may throw away what was typed."""
        wanted = b"answer%d" % (number * 2)
        deadline = time.monotonic() + 20
        while wanted not in self.output:
            assert time.monotonic() < deadline, f"the shell does not answer: {self.output[-800:]!r}"
            self.type(b"echo answer$((%d*2))\r" % number)
            for _ in range(10):
                self.read(0.1)
        self.output = b""

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        started = time.monotonic()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return time.monotonic() - started, status


@pytest.fixture
def start(tmp_path):
    loops = []

    def make(kind, shell="dash"):
        loops.append(Loop(LOOPS[kind], tmp_path, shutil.which(shell) or shell))
        return loops[-1]

    yield make
    for loop in loops:
        try:
            os.kill(loop.pid, signal.SIGKILL)
            os.waitpid(loop.pid, 0)
            os.close(loop.fd)
        except (ProcessLookupError, ChildProcessError):
            continue


@pytest.mark.parametrize("kind", LOOPS)
def test_a_shell_that_ends_is_followed_by_another(start, kind):
    loop = start(kind)
    loop.answers(1)
    loop.type(b"exit\r")
    loop.until(b"a new one starts")
    loop.answers(2)


@pytest.mark.parametrize("kind", LOOPS)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_shell_that_is_killed_leaves_the_terminal_to_the_next(start, kind, shell):
    loop = start(kind, shell)
    loop.answers(1)
    loop.type(b"kill -9 $$\r")
    loop.until(b"a new one starts")
    loop.answers(2)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_shell_that_is_stopped_goes_on(start, kind):
    loop = start(kind, "bash")
    loop.answers(1)
    loop.type(b"kept=here; kill -STOP $$\r")
    loop.answers(2)
    loop.type(b"echo $kept''again\r")
    loop.until(b"hereagain")


@pytest.mark.parametrize("kind", LOOPS)
def test_keys_pressed_between_two_shells_do_not_end_the_loop(start, kind):
    loop = start(kind)
    loop.answers(1)
    loop.type(b"exit\r")
    loop.until(b"a new one starts")
    for _ in range(20):
        loop.type(b"\x03\x1a\x1c\x03")
        loop.read(0.02)
    loop.answers(2)


@pytest.mark.parametrize("kind", LOOPS)
def test_a_profile_that_exits_is_left_out_after_three_times_and_tried_again_later(start, kind, tmp_path):
    profile = tmp_path / ".profile"
    profile.write_text("echo profile''-read; exit\n")
    loop = start(kind)
    for _ in range(3):
        loop.until(b"profile-read")
    loop.until(b"without your profile files")
    loop.answers(1)
    profile.write_text("echo profile''-mended\n")
    # A shell that lived for five seconds was a good one.
    loop.type(b"sleep 5; echo sle''pt\r")
    loop.until(b"slept")
    loop.type(b"exit\r")
    loop.until(b"here is a new one")
    loop.until(b"profile-mended")
    loop.answers(2)


def test_a_bash_profile_that_exits_is_left_out_too(start, tmp_path):
    (tmp_path / ".bash_profile").write_text("exit\n")
    (tmp_path / ".bashrc").write_text("exit\n")
    loop = start("dash", "bash")
    loop.until(b"without your profile files")
    loop.answers(1)


def test_ends_follow_each_other_slowly(start, tmp_path):
    (tmp_path / ".profile").write_text("echo start''ed; exit\n")
    loop = start("dash")
    started = time.monotonic()
    for _ in range(3):
        loop.until(b"started")
    assert time.monotonic() - started >= 1.5


def test_a_shell_that_is_not_there_is_replaced_by_sh(start):
    loop = start("dash", "/nonexistent/fish")
    loop.answers(1)


@pytest.mark.parametrize("kind", LOOPS)
def test_programs_inherit_no_ignored_signal(start, kind):
    ignored = re.search(r"SigIgn:\s*(\w+)", Path("/proc/self/status").read_text())[1]
    loop = start(kind)
    loop.answers(1)
    loop.type(b"grep Sig''Ign /proc/self/status; echo do''ne\r")
    # What pytest itself ignores is inherited, and nothing else.
    found = loop.until(b"done").partition(b"SigIgn:")[2].split()[0].decode()
    assert int(found, 16) & ~int(ignored, 16) == 0


@pytest.mark.parametrize("kind", LOOPS)
def test_sigterm_ends_the_loop_at_once(start, kind):
    loop = start(kind)
    loop.answers(1)
    took, status = loop.end()
    assert took < 1
    assert os.WTERMSIG(status) == signal.SIGTERM
