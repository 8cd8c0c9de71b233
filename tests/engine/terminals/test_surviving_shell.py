"""The shell outlives connections and servers, and its terminal carries every byte."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.support.stacks import on_postgres
from tests.support.terminal_window import Refused
from tests.support.waiting import eventually


def test_a_window_that_comes_back_finds_the_same_shell(user, container, open_window):
    first = open_window(user, container).ready()
    first.run("kept=still''here")
    first.close()
    second = open_window(user, container).ready()
    assert second.run("echo $kept") == "stillhere"


def test_a_second_person_does_not_see_it(server, new_user, user, container, open_window):
    stranger = new_user(server)
    with pytest.raises(Refused) as refusal:
        open_window(stranger, container)
    assert refusal.value.status == 404


def test_a_restart_of_rexec_keeps_shell_scrollback_and_prompt(own_server, new_user, open_window):
    user = new_user(own_server)
    public_id = user.new_container()
    user.wait_for(public_id)
    before = open_window(user, public_id).ready()
    before.run("kept=still''here; echo scroll''back; PS1='pro''mpt> '")
    own_server.stop()
    assert before.wait_closed() == (1001, "restarting")
    own_server.start()
    after = open_window(user, public_id).ready()
    assert b"scrollback" in after.replayed
    # The prompt has no line end, so that it is not in the log: the shell draws it again.
    after.until(b"prompt> ")
    assert after.run("echo $kept") == "stillhere"


@on_postgres
def test_what_a_program_asked_the_terminal_comes_back_only_as_replay(own_server, new_user, open_window):
    user = new_user(own_server)
    public_id = user.new_container()
    user.wait_for(public_id)
    before = open_window(user, public_id).ready()
    # What vim asks when it starts: attributes, cursor, background colour.
    queries = r"\033[c\033[>c\033]11;?\007"
    before.run(f"printf '{queries}'; echo as''ked")
    own_server.restart()
    after = open_window(user, public_id).ready()
    for query in (b"\x1b[c", b"\x1b[>c", b"\x1b]11;?\x07"):
        assert query in after.replayed
    assert after.run("echo clean") == "clean"
    assert b"\x1b]11;?" not in after.live
    second = open_window(user, public_id).ready()
    assert b"\x1b]11;?\x07" in second.replayed


@on_postgres
def test_output_goes_on_while_nobody_looks_and_is_there_afterwards(own_server, new_user, open_window, engine):
    user = new_user(own_server)
    public_id = user.new_container()
    user.wait_for(public_id)
    window = open_window(user, public_id).ready()
    window.type(b"i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo line-$i-end; done; echo do''ne\n")
    own_server.kill()
    window.close()
    name = f"rexec-{public_id}"
    eventually(lambda: "\ndone" in engine.docker("logs", "--tail", "5", name), 30)
    own_server.start()
    after = open_window(user, public_id).ready()
    assert b"line-2000-end" in after.replayed


@on_postgres
def test_every_byte_reaches_the_shell(user, container, open_window):
    window = open_window(user, container).ready()
    # The engine holds a last 0xff back, which begins the keys that would detach, until the next byte comes.
    every = bytes(range(255, -1, -1)) * 8
    window.type(b"stty raw -echo; echo rea''dy; head -c 2048 | sha256sum; stty sane\n")
    window.until(b"ready")
    window.type(every)
    window.until(hashlib.sha256(every).hexdigest().encode())


@on_postgres
def test_ctrl_p_and_what_would_detach_reach_the_shell(user, container, open_window):
    window = open_window(user, container).ready()
    window.type(b"stty raw -echo; echo rea''dy; head -c 4 | od -An -tx1; stty sane\n")
    window.until(b"ready")
    window.type(b"\x10\x11\x10\x11")
    window.until(b"10 11 10 11")


@on_postgres
def test_a_megabyte_pasted_arrives_whole(user, container, open_window):
    window = open_window(user, container).ready()
    # The engine keeps a last byte to itself that could begin its detach keys, until more comes.
    pasted = os.urandom(1024 * 1024 - 1) + b"."
    window.type(b"stty raw -echo; echo rea''dy; head -c 1048576 | sha256sum; stty sane\n")
    window.until(b"ready")
    for start in range(0, len(pasted), 65536):
        window.type(pasted[start : start + 65536])
    window.until(hashlib.sha256(pasted).hexdigest().encode(), timeout=30)


@on_postgres
def test_binary_output_arrives_unchanged(user, container, open_window):
    window = open_window(user, container).ready()
    window.type(
        b"stty -opost; i=0; while [ $i -lt 256 ]; do printf '%03o ' $i; i=$((i+1)); done >/root/codes\n"
    )
    window.type(b"for code in $(cat /root/codes); do printf \"\\\\$code\"; done; echo e''nd\n")
    everything = window.until(b"end\n")
    assert bytes(range(256)) in everything


@on_postgres
def test_a_profile_that_exits_leaves_a_shell_without_it(user, container, open_window):
    window = open_window(user, container).ready()
    window.run("echo exit > /root/.profile")
    window.type(b"exit\n")
    window.until(b"without your profile files", timeout=30)
    assert window.run("echo al''ive").endswith("alive")
    assert user.status(container) == "running"


@on_postgres
def test_a_killed_shell_is_followed_by_another(user, container, open_window):
    window = open_window(user, container).ready()
    first = window.run("echo $$")
    window.type(b"kill -9 $$\n")
    window.until(b"a new one starts")
    window.until(b"# ")
    assert window.run("echo $$") != first
