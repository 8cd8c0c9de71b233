"""Several windows on one terminal: none holds up another, and one owns the size."""

from __future__ import annotations

import time

import pytest

from tests.support.stacks import on_postgres
from tests.support.terminal_window import Refused
from tests.support.waiting import eventually

pytestmark = on_postgres

FIFTY_MB = 50_000_000
LINE = "y" * 99


def test_a_window_that_stops_reading_costs_the_others_nothing(user, container, open_window):
    silent, waking = (open_window(user, container, receive_buffer=4096).ready() for _ in range(2))
    reader = open_window(user, container).ready()
    before = reader.received
    reader.type(b"yes %s | head -n 500000; echo 'do''ne'\n" % LINE.encode())
    tail = b""
    deadline = time.monotonic() + 120
    while b"done\r\n" not in tail:
        assert time.monotonic() < deadline
        reader.read(1)
        tail = (tail + reader.live)[-100:]
        reader.live = b""
    # 500,000 lines of 99 characters, each with CR and LF, and the frames around them.
    assert reader.received - before >= 500_000 * 101
    assert reader.count("skipped") == 0
    waking.wait(lambda: waking.count("skipped"), "the notice of what was left out")
    started = time.monotonic()
    user.act(container, "delete")
    user.wait_for(container, None, timeout=10)
    assert time.monotonic() - started < 10
    silent.wait_closed()


def test_a_container_that_floods_a_window_nobody_reads_can_be_deleted(user, container, open_window):
    silent = open_window(user, container, receive_buffer=4096).ready()
    silent.type(b"yes\n")
    silent.until(b"y\r\ny\r\n")
    started = time.monotonic()
    user.act(container, "delete")
    user.wait_for(container, None, timeout=10)
    assert time.monotonic() - started < 10


def test_ctrl_c_ends_a_flood_at_once(user, container, open_window):
    window = open_window(user, container).ready()
    window.type(b"yes\n")
    window.until(b"y\r\n" * 100_000)
    window.type(b"\x03")
    started = time.monotonic()
    window.until(b"^C", timeout=10)
    assert time.monotonic() - started < 5
    assert window.run("echo back").endswith("back")


def test_the_window_that_typed_last_owns_the_size(user, container, open_window):
    first = open_window(user, container).ready(80, 24)
    first.wait(lambda: first.count("size"), "its size")
    second = open_window(user, container).ready(120, 40)
    second.wait(lambda: (second.last("size") or {}).get("owner") is False, "the other's size")
    assert first.run("stty size") == "24 80"
    assert second.run("sleep 0; stty size").endswith(("40 120", "24 80"))
    first.wait(lambda: first.last("size")["cols"] == 120, "the new size")
    assert first.last("size")["owner"] is False

    eventually(lambda: second.run("stty size").endswith("40 120"), 5)
    second.close()
    first.wait(lambda: first.last("size")["owner"], "the size again")


def test_both_windows_see_what_either_types(user, container, open_window):
    first, second = open_window(user, container).ready(), open_window(user, container).ready()
    first.type(b"echo from-fi''rst\n")
    second.until(b"from-first")
    second.type(b"echo from-sec''ond\n")
    first.until(b"from-second")


def test_a_window_learns_what_its_container_takes_up(user, container, open_window):
    window = open_window(user, container).ready()
    window.control(type="usage")
    window.wait(lambda: window.count("usage"), "the first figures")
    assert 0 < window.last("usage")["memory"] < 512 * 1024**2
    assert window.last("usage")["pids"] >= 2
    window.run("(while :; do :; done) & sleep 300 &")

    def busy():
        window.control(type="usage")
        window.read(1.0)
        return (window.last("usage")["cpus"] or 0) > 0.05

    window.wait(busy, "figures of a busy container", 30)
    assert window.last("usage")["cpus"] < 4
    assert window.last("usage")["pids"] >= 4


def test_many_windows_are_bounded(user, container, open_window):
    windows = [open_window(user, container).ready() for _ in range(32)]
    with pytest.raises(Refused) as refusal:
        open_window(user, container)
    assert refusal.value.status == 429
    windows[0].close()

    def is_let_in():
        try:
            return open_window(user, container)
        except Refused:
            return None

    assert eventually(is_let_in).ready()
