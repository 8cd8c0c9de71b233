"""Further tabs: shells of their own, which live as long as somebody looks."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.support.stacks import on_postgres
from tests.support.waiting import eventually

pytestmark = on_postgres


def processes(engine, public_id):
    return engine.docker("top", f"rexec-{public_id}", "-eo", "pid,args")


def session_of(pid):
    """The processes of a session that have not ended, the oldest first."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if session == str(pid) and state != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def kill_without_warning(server):
    """End every process with SIGKILL, all frozen before, so that none tidies up or starts another."""
    pid = server.pid
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for member in session_of(pid):
            os.kill(member, number)
    server.kill()
    eventually(lambda: not session_of(pid))


def test_a_tab_has_a_shell_and_a_terminal_of_its_own(user, container, open_window):
    main, tab = open_window(user, container).ready(), open_window(user, container, tab=2).ready(100, 30)
    main.run("here=main")
    assert tab.run("echo [$here]") == "[]"
    assert tab.run("tty") != main.run("tty")
    eventually(lambda: tab.run("stty size") == "30 100")


def test_two_windows_on_one_tab_share_its_shell(user, container, open_window):
    first = open_window(user, container, tab=3).ready()
    first.run("kept=tab''three")
    second = open_window(user, container, tab=3).ready()
    assert second.run("echo $kept") == "tabthree"


def test_a_tab_loaded_again_finds_its_shell(user, container, open_window):
    first = open_window(user, container, tab=2).ready()
    first.run("kept=re''loaded")
    first.close()
    assert open_window(user, container, tab=2).ready().run("echo $kept") == "reloaded"


def test_the_end_of_its_shell_ends_the_tab_and_no_other(user, container, open_window):
    main, tab = open_window(user, container).ready(), open_window(user, container, tab=2).ready()
    tab.type(b"exit\n")
    assert tab.wait_closed() == (1000, "ended")
    assert tab.exit_message()["reason"] == "ended"
    assert main.run("echo he''re") == "here"
    assert open_window(user, container, tab=2).ready().run("echo a''gain").endswith("again")


def test_what_a_tab_left_running_is_ended_when_its_browser_is_gone(
    own_hurried, new_user, open_window, engine
):
    user = new_user(own_hurried)
    container = user.new_container()
    user.wait_for(container)
    main, tab = open_window(user, container).ready(), open_window(user, container, tab=2).ready()
    tab.run("sleep 4001 & setsid sleep 4002 & (trap '' HUP; exec sleep 4003) &")
    main.run("sleep 4004 &")
    of_the_tab = ("sleep 4001", "sleep 4002", "sleep 4003")

    def running():
        return [name for name in (*of_the_tab, "sleep 4004") if name in processes(engine, container)]

    eventually(lambda: len(running()) == 4)
    tab.close()
    eventually(lambda: not set(running()) & set(of_the_tab), 45, interval=0.5)
    assert "sleep 4004" in processes(engine, container)
    assert main.run("echo he''re") == "here"


def test_what_a_killed_rexec_left_running_is_ended_by_the_next(own_hurried, new_user, open_window, engine):
    user = new_user(own_hurried)
    public_id = user.new_container()
    user.wait_for(public_id)
    tab = open_window(user, public_id, tab=2).ready()
    tab.run("sleep 4005 &")
    eventually(lambda: "sleep 4005" in processes(engine, public_id))
    kill_without_warning(own_hurried)
    assert "sleep 4005" in processes(engine, public_id)
    own_hurried.start()
    again = open_window(user, public_id, tab=2).ready()
    again.run("sleep 4006 &")
    eventually(lambda: "sleep 4005" not in processes(engine, public_id), 80, interval=1)
    assert "sleep 4006" in processes(engine, public_id)


def test_a_stop_of_rexec_ends_its_tabs(own_server, new_user, open_window, engine):
    user = new_user(own_server)
    public_id = user.new_container()
    user.wait_for(public_id)
    tab = open_window(user, public_id, tab=2).ready()
    tab.run("sleep 4007 &")
    own_server.stop()
    assert tab.wait_closed() == (1001, "restarting")
    assert "sleep 4007" not in processes(engine, public_id)
