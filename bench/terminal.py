"""Terminals, measured as ratios in one run: echo, output, memory of idle ones, a page beside floods.

    eval "$(scripts/engine env)"; .venv/bin/python bench/terminal.py [--rounds 20] [--idle 1000] [--json FILE]

Needs the engine with the built-in image. Each exec takes a session keyring, of which a remapped root has 200:
for a thousand idle terminals `sysctl kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000` on the VM.
Prints a Markdown table, and JSON where asked for.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import selectors
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from terminal_stand import HubWay, Stand, Way

KEYS = 200
LINE = 50
"""Keys before the line is cleared, so that it does not wrap."""
OUTPUT_MB = 20
FLOODS = 20
FLOOD_SETTLES_S = 2
PAGES = 200
TABS_EACH = 100


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def echo(way: Way, keys: int) -> list[float]:
    """Seconds from a key to its echo at the shell's prompt, key by key."""
    took = []
    for number in range(keys):
        if number % LINE == 0:
            way.send(b"\x15")
            way.drain(0.05)
        key = b"%c" % (97 + number % 26)
        started = time.perf_counter()
        way.send(key)
        way.until(key)
        took.append(time.perf_counter() - started)
    return took


def output_rate(way: Way) -> float:
    """MB a second of 20 MB of text."""
    way.drain(0.1)
    mark = f"mark-{time.monotonic_ns():x}"
    started = time.perf_counter()
    # The quotes keep the echoed line from ending the measurement.
    way.run(f"cat /root/text; echo 'ma''{mark[2:]}'", mark)
    return OUTPUT_MB / (time.perf_counter() - started)


def alternate(
    first: Callable[[], Any], second: Callable[[], Any], rounds: int
) -> tuple[list[Any], list[Any]]:
    """Measure two things in turns, the order changing, so that the machine's moods meet both."""
    results: tuple[list[Any], list[Any]] = ([], [])
    for number in range(rounds):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            results[which].append((first, second)[which]())
    return results


def measure_echo(stand: Stand, rounds: int) -> dict[str, float]:
    """Echo through the hub against the attach socket read directly."""
    hub, direct = stand.through_hub(stand.container()[0]), stand.direct(stand.container()[1])
    for way in (hub, direct):
        way.drain()
        echo(way, KEYS)
    ours, theirs = alternate(lambda: echo(hub, KEYS), lambda: echo(direct, KEYS), rounds)
    found: dict[str, float] = {}
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        mine = statistics.median(percentile(run, share) for run in ours)
        other = statistics.median(percentile(run, share) for run in theirs)
        found |= {
            f"{name}_hub_ms": mine * 1e3,
            f"{name}_direct_ms": other * 1e3,
            f"{name}_ratio": mine / other,
        }
    return found


def measure_output(stand: Stand, rounds: int) -> dict[str, float]:
    """20 MB of output through the hub against the attach socket read directly."""
    hub, direct = stand.through_hub(stand.container()[0]), stand.direct(stand.container()[1])
    for way in (hub, direct):
        way.drain()
        lines = OUTPUT_MB * 1_000_000 // 80
        way.run(f"yes {'x' * 78} | head -n {lines} >/root/text; echo 're''ady'", "ready")
        output_rate(way)
    ours, theirs = alternate(lambda: output_rate(hub), lambda: output_rate(direct), rounds)
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {"hub_mb_s": mine, "direct_mb_s": other, "ratio": mine / other}


def measure_idle(stand: Stand, count: int) -> dict[str, float]:
    """Memory of idle terminals: few containers, many tabs, each an exec with a TLS connection of its own."""
    before = stand.pss_kb()
    ways: list[HubWay] = []
    containers = [stand.container(pids=4096)[0] for _ in range(max(1, count // TABS_EACH))]
    for number in range(count):
        tab = 2 + number // len(containers)
        ways.append(stand.through_hub(containers[number % len(containers)], tab))
        if number % TABS_EACH == 0:
            answer_pings(ways)
    # Two turns of the hub's housekeeping.
    for _ in range(12):
        time.sleep(1)
        answer_pings(ways)
    after = stand.pss_kb()
    for way in ways:
        way.sock.close()
    return {"process_mb": after / 1024, "empty_mb": before / 1024, "kb_each": (after - before) / count}


def answer_pings(ways: list[HubWay]) -> None:
    """Read what every terminal has sent, as its browser would."""
    for way in ways:
        way.drain(0)


def measure_pages(stand: Stand) -> dict[str, float]:
    """A page while 20 terminals print as fast as they can and their browsers read it.

    The same beside as many that are read past the hub tells its part from the wait for a processor.
    """
    quiet = [page(stand) for _ in range(PAGES)]
    hub = pages_beside(stand, [stand.through_hub(stand.container()[0]) for _ in range(FLOODS)])
    direct = pages_beside(stand, [stand.direct(stand.container()[1]) for _ in range(FLOODS)])
    return {
        "quiet_p95_ms": percentile(quiet, 0.95) * 1e3,
        "p50_ms": percentile(hub, 0.5) * 1e3,
        "p95_ms": percentile(hub, 0.95) * 1e3,
        "past_hub_p50_ms": percentile(direct, 0.5) * 1e3,
        "past_hub_p95_ms": percentile(direct, 0.95) * 1e3,
    }


def pages_beside(stand: Stand, ways: Sequence[Way]) -> list[float]:
    """Seconds of each page while all of these terminals flood; they are closed in the end."""
    # A thread would hold up the pages' clock: the two would wait for each other's interpreter lock.
    reader = multiprocessing.get_context("fork").Process(target=read_for_ever, args=(ways,), daemon=True)
    reader.start()
    for way in ways:
        way.send(b"yes 0123456789012345678901234567890123456789\n")
    time.sleep(FLOOD_SETTLES_S)
    beside = [page(stand) for _ in range(PAGES)]
    for way in ways:
        way.send(b"\x03")
    time.sleep(FLOOD_SETTLES_S)
    reader.terminate()
    reader.join()
    for way in ways:
        way.sock.close()
    return beside


def read_for_ever(ways: Sequence[Way]) -> None:
    """Take what terminals print, and drop it."""
    poll = selectors.DefaultSelector()
    for way in ways:
        poll.register(way.sock, selectors.EVENT_READ, way)
    while True:
        for key, _ in poll.select():
            key.data.read()
            key.data.seen.clear()


def page(stand: Stand) -> float:
    """Seconds that the page of containers takes."""
    request = urllib.request.Request(f"{stand.url}/containers", headers={"Cookie": stand.cookie})
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
    return time.perf_counter() - started


def table(found: dict[str, dict[str, float]]) -> str:
    """The figures with their limits, as Markdown."""
    rows = [
        ("Echo of a key, p50, against the attach socket", found["echo"].get("p50_ratio"), "≤ 1.3"),
        ("Echo of a key, p99, against the attach socket", found["echo"].get("p99_ratio"), "≤ 2"),
        ("20 MB of output, against the attach socket's rate", found["output"].get("ratio"), "≥ 0.9"),
        ("An idle terminal, KB (PSS)", found["idle"].get("kb_each"), "≤ 64"),
        ("The process with 1,000 of them, MB (PSS)", found["idle"].get("process_mb"), "< 150"),
        ("A page's p95 beside 20 floods, ms", found["pages"].get("p95_ms"), "< 60"),
        ("The same beside floods that are read past the hub", found["pages"].get("past_hub_p95_ms"), ""),
    ]
    lines = ["| Measured | Found | Limit |", "|---|---|---|"]
    lines += [f"| {name} | {value:.2f} | {limit} |" for name, value, limit in rows if value is not None]
    return "\n".join(lines)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--idle", type=int, default=1000, help="number of idle terminals")
    parser.add_argument("--only", choices=["echo", "output", "idle", "pages"], action="append")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    steps: dict[str, Callable[[Stand], dict[str, float]]] = {
        "echo": lambda stand: measure_echo(stand, options.rounds),
        "output": lambda stand: measure_output(stand, options.rounds),
        "pages": measure_pages,
        "idle": lambda stand: measure_idle(stand, options.idle),
    }
    found: dict[str, dict[str, float]] = {name: {} for name in steps}
    for name, step in steps.items():
        if options.only and name not in options.only:
            continue
        # A process of its own for each, so that memory is not what an earlier step left.
        stand = Stand()
        try:
            found[name] = step(stand)
        finally:
            stand.close()
        print(name, {key: round(value, 3) for key, value in found[name].items()}, file=sys.stderr)
    print(table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
