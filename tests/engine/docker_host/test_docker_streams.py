"""Terminal streams: attach and exec over connections of their own, every byte, within one deadline."""

import time

import pytest

from rexec.docker_host import DETACH_KEYS
from rexec.docker_host.errors import DockerAPIError, DockerConflict, DockerNotFound
from rexec.docker_host.execs import EXEC_DETACH_KEYS
from tests.engine.docker_host.streams import Reader
from tests.support.waiting import eventually

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def test_the_shell_answers(attach):
    reader = attach()
    reader.type(b"echo $((6*7))-is-it\n")
    reader.until(b"42-is-it")


def test_the_stream_is_handed_over_without_blocking(attach):
    assert attach().stream.sock.getblocking() is False


def test_a_second_attach_finds_the_same_shell_and_what_it_printed(attach, container):
    first = attach()
    first.type(b"kept=still-here; echo said-$((1+1))\n")
    first.until(b"said-2")
    first.stream.close()
    second = attach()
    second.until(b"said-2")
    second.type(b"echo $kept\n")
    second.until(b"still-here\r\n")


def test_attach_without_logs_replays_nothing(attach):
    first = attach()
    first.type(b"echo said-$((1+1))\n")
    first.until(b"said-2")
    second = attach(logs=False)
    second.type(b"echo now-$((1+2))\n")
    assert b"said-2" not in second.until(b"now-3")


def test_every_byte_value_comes_through_live_and_from_the_log(attach, host, container):
    everything = bytes(range(256))
    escapes = "".join(f"\\{byte:03o}" for byte in everything)
    assert host.exec_run(container, ["sh", "-c", f"printf '{escapes}' > /root/bytes"], 10) == (0, b"")
    reader = attach()
    reader.type(b"stty raw; cat /root/bytes; stty sane; echo; echo over-$((1+1))\n")
    assert everything in reader.until(b"over-2")
    assert everything in attach().until(b"over-2")


def test_keys_that_the_engine_would_swallow_reach_the_program(attach):
    reader = attach()
    reader.type(b"stty raw -echo; echo ready-$((1+1)); head -c 6 | od -An -tx1; stty sane\n")
    reader.until(b"ready-2")
    reader.type(b"\x10\x11\x10\x11\x1d\x1c")
    reader.until(b"10 11 10 11 1d 1c")


def test_the_detach_keys_themselves_would_end_the_stream(attach):
    """Otherwise the test above would prove nothing about the parameter."""
    reader = attach(detach_keys="a,b")
    reader.type(b"ab")
    reader.to_the_end()


def test_no_text_contains_the_detach_keys():
    first = DETACH_KEYS.split(",")[0].encode("latin-1")
    assert len(first) == 1
    with pytest.raises(UnicodeDecodeError):
        first.decode("utf-8")


def test_a_half_typed_detach_sequence_is_passed_on(attach):
    reader = attach()
    reader.type(b"stty -icanon -echo; echo ready-$((1+1)); head -c 4 | od -An -tx1; stty sane\n")
    reader.until(b"ready-2")
    reader.type(b"\xff\xfe\xffx")
    reader.until(b"ff fe ff 78")


def test_closing_the_stream_leaves_the_shell_alone(attach, host, container):
    attach().stream.close()
    assert host.inspect_container(container)["State"]["Running"]


def test_the_stream_ends_when_the_container_stops(attach, host, container):
    reader = attach()
    host.stop_container(container, grace_s=0)
    reader.to_the_end()


def test_a_large_paste_and_a_flood_pass(attach):
    reader = attach()
    reader.type(b"stty -icanon -echo; head -c 500000 | wc -c; stty sane\n")
    reader.until(b"stty sane\r\n")
    reader.type(b"x" * 500_000)
    reader.until(b"500000", timeout=30)
    reader.type(b"head -c 3000000 /dev/zero | tr '\\0' y; echo; echo over-$((1+1))\n")
    assert reader.until(b"over-2", timeout=30).count(b"y") >= 3_000_000


def test_there_is_no_such_container(host):
    with pytest.raises(DockerNotFound):
        host.open_attach("rexec-none", logs=False)


def test_a_paused_container_cannot_be_attached_to(host, engine, container):
    engine.docker("pause", container)
    try:
        with pytest.raises(DockerConflict):
            host.open_attach(container, logs=False)
    finally:
        engine.docker("unpause", container)


def test_resize_reaches_the_shell(attach, host, container):
    host.resize_container(container, cols=101, rows=37)
    reader = attach()
    reader.type(b"stty size\n")
    reader.until(b"37 101")


# Execs


@pytest.fixture
def shell(host, container):
    """An exec's shell."""
    exec_id = host.exec_create(container, ["sh"], {"RX_TERM": "tab-2"})
    stream = host.open_exec(exec_id)
    yield exec_id, Reader(stream)
    stream.close()


def test_an_exec_is_a_shell_of_its_own(host, shell):
    exec_id, reader = shell
    host.exec_resize(exec_id, cols=90, rows=33)
    reader.type(b"stty size; echo $RX_TERM-$$; exit 7\n")
    reader.until(b"33 90")
    reader.until(b"tab-2-")
    reader.to_the_end()
    state = eventually(lambda: (found := host.exec_inspect(exec_id))["Running"] is False and found)
    assert state["ExitCode"] == 7


def test_keys_that_the_engine_would_swallow_reach_an_exec(shell):
    _, reader = shell
    reader.type(b"stty raw -echo; echo ready-$((1+1)); head -c 4 | od -An -tx1; stty sane\n")
    reader.until(b"ready-2")
    reader.type(b"\x10\x11\x10\x11")
    reader.until(b"10 11 10 11")
    assert "\x10" not in EXEC_DETACH_KEYS


def test_an_exec_of_a_container_that_stopped_meanwhile(host, container):
    exec_id = host.exec_create(container, ["sh"])
    host.stop_container(container, grace_s=0)
    with pytest.raises((DockerConflict, DockerNotFound)):
        host.open_exec(exec_id)


def test_there_is_no_such_exec(host):
    with pytest.raises(DockerNotFound):
        host.open_exec("0" * 64)


def test_a_process_runs_to_its_end(host, container):
    code, output = host.exec_run(container, ["sh", "-c", "echo out; echo err >&2; exit 3"], 10)
    assert code == 3
    assert sorted(output.split()) == [b"err", b"out"]


def test_of_a_process_that_prints_for_ever_the_first_megabyte_is_kept(host, container):
    code, output = host.exec_run(container, ["sh", "-c", "yes | head -c 3000000"], 20)
    assert code == 0
    assert len(output) == 1024 * 1024


def test_a_process_that_does_not_end_is_given_up(host, container):
    started = time.monotonic()
    with pytest.raises(DockerAPIError) as caught:
        host.exec_run(container, ["sleep", "60"], 0.5)
    assert caught.value.code == "docker_exec_timeout"
    assert time.monotonic() - started < 5


def test_a_program_that_the_container_lacks(host, container):
    code, output = host.exec_run(container, ["/bin/none"], 10)
    assert code in {126, 127}
    assert b"none" in output
