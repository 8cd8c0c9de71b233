"""What a viewer that comes late is shown first, and how the engine's log joins the live stream."""

from __future__ import annotations

from typing import Final

REPLAY_BYTES: Final = 256 * 1024
_TRIES: Final = 2000
_TELLING: Final = 256
"""Bytes that are not found in a log by chance."""
_UTF8_CONTINUES = range(0x80, 0xC0)


def before_live(log: bytes, live: bytes) -> bytes:
    """The part of the engine's log that is older than the live stream.

    The attach comes first and the log second, so that nothing falls between them; what was printed
    meanwhile is in both.

    Args:
        log: The engine's log, fetched after the attach was made. It holds whole lines.
        live: What came through the attach until then.
    """
    line_end = live.find(b"\n") + 1
    if not line_end:
        return log
    whole_log, whole_live = memoryview(log), memoryview(live)
    at = log.find(live[:line_end], max(0, len(log) - len(live)))
    for _ in range(_TRIES):
        if at < 0:
            break
        if whole_log[at:] == whole_live[: len(log) - at]:
            return log[:at]
        at = log.find(live[:line_end], at + 1)
    # A flood: the log may be ahead of what has come through the attach so far.
    at = log.rfind(live) if len(live) >= _TELLING else -1
    return log[:at] if at >= 0 else log


def clean_start(data: bytes) -> int:
    """Where in a cut stream to begin: behind the first line's end, or else not inside a UTF-8 character."""
    at = data.find(b"\n", 0, len(data) // 2)
    if at >= 0:
        return at + 1
    at = 0
    while at < min(4, len(data)) and data[at] in _UTF8_CONTINUES:
        at += 1
    return at


def newest(data: bytes, limit: int = REPLAY_BYTES) -> bytes:
    """The end of a stream, beginning cleanly.

    Args:
        data: All of it.
        limit: Bytes at most.
    """
    if len(data) <= limit:
        return data
    data = data[-limit:]
    return data[clean_start(data) :]
