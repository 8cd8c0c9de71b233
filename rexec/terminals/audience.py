"""Everybody who looks at one terminal, and the ring from which each is shown the output at its own pace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rexec.terminals import replay
from rexec.terminals.ring import Ring
from rexec.terminals.viewer import CHUNK

if TYPE_CHECKING:
    from rexec.terminals.loop import Loop
    from rexec.terminals.sizes import Sizes
    from rexec.terminals.stream import EngineStream
    from rexec.terminals.viewer import Viewer

PAUSE_LAG: Final = 384 * 1024
RESUME_LAG: Final = 96 * 1024
PACE_EVERY_S: Final = 0.25
LONGEST_LINE: Final = 4096


class Audience:
    """Belongs to the loop's thread.

    Args:
        loop: For timers.
        sizes: Tells a viewer the terminal's size when its replay begins.
    """

    def __init__(self, loop: Loop, sizes: Sizes) -> None:
        self.viewers: list[Viewer] = []
        self.ring = Ring()
        self._loop = loop
        self._sizes = sizes
        self._stream: EngineStream | None = None
        self._paused = False

    def follow(self, stream: EngineStream | None) -> None:
        """Show another stream from here on; None where there is none for now."""
        self._stream = stream
        self._paused = False
        if stream is not None:
            self.ring = Ring()
            for viewer in self.viewers:
                viewer.cursor = viewer.live_at = None

    def insert_before(self, older: bytes) -> int:
        """Put what was printed before the stream in front of it.

        Args:
            older: The engine's log.

        Returns:
            The position in the ring where the live stream begins.
        """
        if self.ring.start:
            # So much has come meanwhile that nobody would see the log.
            return self.ring.start
        live = self.ring.read(0, len(self.ring))
        before = replay.newest(replay.before_live(older, live))
        self.ring = Ring()
        self.ring.append(before)
        self.ring.append(live)
        return max(len(before), self.ring.start)

    def take(self, data: bytes, *, is_live: bool) -> None:
        """Keep new output, and hand it to everybody who has room for it.

        Args:
            data: From the stream.
            is_live: Whether anybody may see it yet.
        """
        ring = self.ring
        before = ring.end
        following = [
            viewer
            for viewer in self.viewers
            if is_live and viewer.cursor == before and viewer.live_at is None and not viewer.waiting
        ]
        for viewer in following:
            # The usual case: sent before it is kept, and not by way of the ring.
            viewer.cursor = before + len(data)
            viewer.send_output(data)
        ring.append(data)
        if is_live and (self._paused or len(following) < len(self.viewers)):
            self._show_others(following)

    def _show_others(self, following: list[Viewer]) -> None:
        for viewer in tuple(self.viewers):
            if viewer not in following:
                self.show(viewer)
        self.pace()

    def show(self, viewer: Viewer) -> None:
        """Hand a viewer as much as it has room for."""
        ring = self.ring
        while viewer.cursor is not None and viewer.has_room():
            if viewer.cursor < ring.start:
                self._skip(viewer, viewer.cursor)
            if viewer.live_at is not None and viewer.cursor >= viewer.live_at:
                viewer.live_at = None
                viewer.send_status("live")
            end = ring.end if viewer.live_at is None else viewer.live_at
            data = ring.read(viewer.cursor, min(CHUNK, end - viewer.cursor))
            if not data:
                return
            viewer.cursor += len(data)
            viewer.send_output(data)

    def _skip(self, viewer: Viewer, cursor: int) -> None:
        # Half of the ring, so that it is not lost again while the browser catches up.
        start = max(self.ring.start, self.ring.end - len(self.ring) // 2)
        start += replay.clean_start(self.ring.read(start, 4096))
        viewer.send_status("skipped", bytes=start - cursor)
        viewer.cursor = start

    def begin_replay(self, viewer: Viewer, live_at: int) -> None:
        """Show a viewer the end of what there is, then what comes.

        Args:
            viewer: Who is to see it.
            live_at: The position in the ring up to which it is old.
        """
        start = self.ring.start
        if live_at - start > replay.REPLAY_BYTES:
            start = live_at - replay.REPLAY_BYTES
            start += replay.clean_start(self.ring.read(start, 4096))
        viewer.cursor = min(start, live_at)
        viewer.live_at = live_at
        viewer.send_status("replay", bytes=live_at - viewer.cursor)
        self._sizes.tell(viewer)
        self.show(viewer)

    def pace(self) -> None:
        """Read the engine as fast as the fastest viewer follows; one that does not move is not waited for."""
        lag = self._smallest_lag() if self.viewers else 0
        if lag > PAUSE_LAG and not self._paused and self._stream is not None:
            self._paused = True
            self._stream.pause()
            self._loop.call_later(PACE_EVERY_S, self._pace_again)
        elif lag < RESUME_LAG and self._paused and self._stream is not None:
            self._paused = False
            self._stream.resume()

    def _smallest_lag(self) -> int:
        now = time.monotonic()
        smallest: int | None = None
        for viewer in self.viewers:
            if viewer.cursor is None or viewer.is_stalled(now):
                continue
            lag = self.ring.end - viewer.cursor + viewer.waiting
            smallest = lag if smallest is None else min(smallest, lag)
        return smallest or 0

    def _pace_again(self) -> None:
        self.pace()
        if self._paused and self._stream is not None:
            self._stream.read_a_little()
            self._loop.call_later(PACE_EVERY_S, self._pace_again)

    def forget(self) -> None:
        """Show nobody again what was printed, but for the line that is being written."""
        line = self.ring.read(max(self.ring.start, self.ring.end - LONGEST_LINE), LONGEST_LINE)
        self.ring.keep_newest(len(line) - line.rfind(b"\n") - 1)

    def rest(self) -> None:
        """Give memory back that a flood took, once everybody has seen it."""
        if all(viewer.cursor == self.ring.end for viewer in self.viewers):
            self.ring.keep_newest(replay.REPLAY_BYTES)
