"""One terminal and its viewers: replay, pace, sizes, typing, outages and ends."""

from __future__ import annotations

import hashlib
import threading

import pytest

from rexec.docker_host.errors import DockerUnreachable
from rexec.terminals import hub, sources, viewer
from rexec.terminals.ring import CAPACITY
from rexec.terminals.session import News
from rexec.terminals.sources import Over
from tests.support.waiting import eventually

BLOCK = b"0123456789abcdef" * 4096
ROUTERS_WAIT_S = 25
"""The least that a router may wait for a byte before it closes a WebSocket."""


def live(browser):
    browser.until(lambda: browser.has("live"))
    return browser


def flood(container, blocks):
    """Print in the background, as a program does that is stopped while nobody reads."""

    def run():
        for _ in range(blocks):
            container.say(BLOCK)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_first_viewer_sees_the_log_and_then_live(container, browser):
    container.older = b"before\r\n"
    viewer = live(browser())
    assert viewer.state_names()[-2:] == ["replay", "live"]
    assert viewer.last("replay")["bytes"] == len(b"before\r\n")
    container.say(b"after")
    viewer.until(lambda: viewer.output == b"before\r\nafter")


def test_what_is_in_the_log_and_in_the_stream_comes_once(container, browser):
    container.older = b"one\r\ntwo\r\n"
    container.at_once = b"two\r\n$ "
    viewer = live(browser())
    viewer.until(lambda: len(viewer.output) >= len(b"one\r\ntwo\r\n$ "))
    assert viewer.output == b"one\r\ntwo\r\n$ "


def test_a_second_viewer_sees_the_ring_marked_off_from_what_comes(container, browser):
    first = live(browser())
    container.say(b"\x1b[c asked long ago")
    first.until(lambda: first.output)
    second = live(browser())
    second.until(lambda: second.has("live"))
    assert second.output == b"\x1b[c asked long ago"
    container.say(b" new")
    second.until(lambda: second.output.endswith(b" new"))


def test_a_replay_is_at_most_256_kb_and_begins_with_a_line(container, browser):
    first = live(browser())
    lines = b"".join(b"line %06d\r\n" % number for number in range(60_000))
    sender = threading.Thread(target=container.say, args=(lines,))
    sender.start()
    first.until(lambda: len(first.output) == len(lines))
    sender.join()
    second = live(browser())
    assert second.output.startswith(b"line ")
    assert 250 * 1024 < len(second.output) <= 256 * 1024
    assert lines.endswith(second.output)


def test_a_viewer_that_stops_reading_does_not_hold_up_another(container, browser):
    silent, reader = live(browser(buffer=4096)), live(browser())
    sender = flood(container, 80)
    reader.until(lambda: len(reader.output) == 80 * len(BLOCK), timeout=30)
    sender.join()
    assert hashlib.sha256(reader.output).digest() == hashlib.sha256(BLOCK * 80).digest()
    container.say(b"\r\nend")
    silent.until(lambda: silent.output.endswith(b"\r\nend"))
    assert silent.has("skipped")
    skipped = sum(state["bytes"] for state in silent.states if state.get("state") == "skipped")
    assert skipped + len(silent.output) == 80 * len(BLOCK) + 5


def test_a_lone_viewer_that_stops_reading_is_drained_past_after_two_seconds(container, browser):
    silent = live(browser(buffer=4096))
    sender = flood(container, 100)
    sender.join(10)
    assert not sender.is_alive()
    silent.until(lambda: silent.has("skipped"))


def test_a_lone_slow_viewer_slows_the_program_down(container, browser):
    slow = live(browser(buffer=4096))
    sender = flood(container, 100)
    slow.until(lambda: len(slow.output) > 10 * len(BLOCK))
    assert sender.is_alive()
    slow.until(lambda: len(slow.output) == 100 * len(BLOCK), timeout=30)
    assert not slow.has("skipped")
    sender.join()


def test_a_flood_without_viewers_is_drained(container, browser):
    gone = live(browser())
    gone.sock.close()
    eventually(lambda: not browser.session.viewers)
    sender = flood(container, 100)
    sender.join(10)
    assert not sender.is_alive()


def test_memory_of_a_flood_is_given_back(container, browser, loop):
    viewer = live(browser())
    sender = flood(container, 40)
    viewer.until(lambda: len(viewer.output) == 40 * len(BLOCK))
    sender.join()
    ring = browser.session._audience.ring
    assert len(ring._buffer) == CAPACITY
    loop.call_soon(browser.session.tick)
    eventually(lambda: len(ring._buffer) <= 256 * 1024)


def test_typed_bytes_of_every_value_reach_the_container(container, browser, news):
    viewer = live(browser())
    viewer.type(bytes(range(256)))
    assert container.hear(256) == bytes(range(256))
    # The key goes on before it is noted.
    eventually(lambda: news == [News.TYPED])


def test_a_megabyte_typed_at_once_arrives_whole_although_the_container_reads_late(container, browser):
    viewer = live(browser())
    pasted = bytes(range(256)) * 4096
    sender = threading.Thread(target=viewer.type, args=(pasted,))
    sender.start()
    # The browser is held off while the container does not read.
    sender.join(0.5)
    assert sender.is_alive()
    assert container.hear(len(pasted)) == pasted
    sender.join()


def test_what_is_typed_before_the_connection_stands_is_kept(container, browser):
    viewer = browser()
    viewer.type(b"early")
    eventually(lambda: container.sock)
    assert container.hear(5) == b"early"


def test_the_viewer_that_typed_last_owns_the_size(container, browser):
    first, second = live(browser()), live(browser())
    first.resize(80, 24)
    first.until(lambda: first.has("size"))
    second.resize(120, 40)
    second.until(lambda: second.has("size"))
    assert (first.last("size")["owner"], second.last("size")["owner"]) == (True, False)
    assert second.last("size")["cols"] == 80
    second.type(b"x")
    first.until(lambda: not first.last("size")["owner"])
    assert (first.last("size")["cols"], first.last("size")["rows"]) == (120, 40)
    eventually(lambda: container.sizes[-1:] == [(120, 40)])
    second.sock.close()
    first.until(lambda: first.last("size")["owner"])
    eventually(lambda: container.sizes[-1:] == [(80, 24)])


def test_after_a_log_the_program_is_made_to_draw_again(container, browser):
    container.older = b"line\r\n"
    viewer = live(browser())
    viewer.resize(80, 24)
    eventually(lambda: container.sizes == [(80, 23), (80, 24)])


def test_only_the_owner_answers_queries(container, browser):
    first, second = live(browser()), live(browser())
    first.resize(80, 24)
    second.resize(80, 24)
    first.type(b"a")
    assert container.hear(1) == b"a"
    second.type(b"\x1b[?1;2c")
    assert container.hears_nothing()
    first.type(b"\x1b[?1;2c")
    assert container.hear(7) == b"\x1b[?1;2c"
    first.until(lambda: first.has("size") and first.last("size")["owner"])


def test_an_outage_is_told_and_the_same_viewer_goes_on_afterwards(container, browser):
    viewer = live(browser())
    container.failures = [DockerUnreachable(), DockerUnreachable()]
    container.older = b"log\r\n"
    container.sock.close()
    viewer.until(lambda: viewer.has("unreachable"))
    assert viewer.last("unreachable")["retry_in"] > 0
    viewer.until(lambda: viewer.state_names().count("live") == 2)
    viewer.type(b"z")
    assert container.hear(1) == b"z"


def test_what_is_typed_in_an_outage_is_not_kept(container, browser):
    viewer = live(browser())
    container.failures = [DockerUnreachable()]
    container.sock.close()
    viewer.until(lambda: viewer.has("unreachable"))
    viewer.type(b"rm -rf /\r")
    viewer.until(lambda: viewer.state_names().count("live") == 2)
    viewer.type(b"x")
    assert container.hear(1) == b"x"


def test_a_stopped_container_ends_the_terminal_with_a_reason(container, browser, news):
    viewer = live(browser())
    container.failures = [Over("stopped")] * 4
    container.sock.close()
    viewer.until(lambda: viewer.closed)
    assert viewer.closed == 1000
    assert viewer.last("exit") == {
        "type": "exit",
        "reason": "stopped",
        "message": "The container is stopped.",
    }
    eventually(lambda: news == [News.OVER])


def test_a_restarted_container_keeps_its_viewers(container, browser):
    viewer = live(browser())
    container.failures = [Over("stopped")] * 2
    container.sock.close()
    viewer.until(lambda: viewer.state_names().count("live") == 2)
    assert viewer.closed is None


@pytest.mark.parametrize("reason", ["deleted", "ended"])
def test_what_is_gone_is_not_waited_for(container, browser, reason):
    viewer = live(browser())
    container.failures = [Over(reason)]
    container.sock.close()
    viewer.until(lambda: viewer.closed)
    assert viewer.last("exit")["reason"] == reason
    assert container.opened == 1


def test_a_terminal_is_kept_for_a_while_after_its_last_viewer(make_session, container, news, loop):
    from tests.unit.terminals.conftest import Browser

    session = make_session(keep_s=1.0)
    viewer = live(Browser(loop, session))
    viewer.sock.close()
    eventually(lambda: not session.viewers)
    assert news == []
    again = live(Browser(loop, session))
    assert container.opened == 1
    again.sock.close()
    eventually(lambda: News.OVER in news, 5)
    eventually(lambda: container.discarded == 1)


def test_what_a_tab_left_is_ended_once_the_daemon_is_back(make_session, container, loop, monkeypatch):
    from tests.unit.terminals.conftest import Browser

    monkeypatch.setattr(sources, "DISCARD_AGAIN_S", 0.05)
    container.discard_failures = [DockerUnreachable(), DockerUnreachable()]
    live(Browser(loop, make_session(keep_s=0.0))).sock.close()
    eventually(lambda: container.discarded == 1, 5)


def test_a_control_message_that_makes_no_sense_ends_the_connection(browser):
    viewer = live(browser())
    viewer.control(type="resize", cols="many", rows=1)
    viewer.until(lambda: viewer.closed)
    assert viewer.closed == 1008


def test_a_control_message_without_end_ends_the_connection(browser):
    viewer = live(browser())
    viewer.control(type="x" * 5000)
    viewer.until(lambda: viewer.closed)
    assert viewer.closed == 1008


def test_a_latency_ping_comes_back(browser):
    viewer = live(browser())
    viewer.control(type="ping", t=42)
    viewer.until(lambda: viewer.has("pong"))
    assert viewer.last("pong")["t"] == 42


def test_a_broken_frame_ends_the_connection_with_its_code(browser):
    viewer = live(browser())
    viewer.sock.sendall(b"\xff\xff\xff\xff")
    viewer.until(lambda: viewer.closed)
    assert viewer.closed == 1002


def test_pings_are_never_further_apart_than_routers_wait():
    assert viewer.PING_EVERY_S + hub.TICK_S <= ROUTERS_WAIT_S
