"""The log: capped, and its end is what one gets."""

from dataclasses import replace

from tests.support.waiting import eventually

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def test_the_log_keeps_less_than_a_megabyte_and_its_end(host, attach, container, engine):
    reader = attach()
    count = b"i=0; while [ $i -lt 40000 ]; do echo line-$i-of-a-log-that-goes-on-and-on; i=$((i+1)); done"
    reader.type(count + b"; echo over-$((1+1))\n")
    reader.until(b"over-2", timeout=60)
    log = eventually(lambda: (found := host.container_logs(container)).endswith(b"over-2\r\n") and found)
    assert len(log) == 256 * 1024
    assert b"line-39999-" in log
    assert host.container_logs(container, tail_bytes=100) == log[-100:]
    folder = engine.folder / "data"
    (logs,) = (path for path in folder.glob(f"*/containers/{container}/local-logs"))
    assert sum(path.stat().st_size for path in logs.iterdir()) <= 1024**2


def test_an_empty_log_is_empty(host, spec):
    made = host.create_container(replace(spec, command=("sleep", "60")))
    assert host.container_logs(made) == b""
    host.remove_container(made)
    host.remove_volume(spec.volume_name)
