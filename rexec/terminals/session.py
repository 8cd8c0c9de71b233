"""One terminal: a stream from the engine, the ring it is drained into, and everybody who looks at it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from rexec.docker_host.errors import DockerHostError
from rexec.terminals.audience import Audience
from rexec.terminals.keyboard import Keyboard
from rexec.terminals.reports import is_report
from rexec.terminals.sizes import Sizes, parse_size
from rexec.terminals.sources import ENDINGS, Over, discard
from rexec.terminals.stream import EngineStream
from rexec.terminals.usage import Usage
from rexec.terminals.viewer import BAD_FRAME, GOING_AWAY, NORMAL, Viewer

if TYPE_CHECKING:
    from rexec.docker_host import HijackedStream
    from rexec.terminals.loop import Loop
    from rexec.terminals.openers import Openers
    from rexec.terminals.sources import Source

log = logging.getLogger(__name__)

LOG_PATIENCE_S: Final = 3.0
SETTLE_S: Final = 0.03
"""What was logged just now reaches us through the attach a moment later."""
TELL_EVERY_S: Final = 5.0
RESTART_TRIES: Final = 4
RESTART_EVERY_S: Final = 0.3
BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)


class State(Enum):
    """What a terminal is doing."""

    OPENING = "opening"
    """Connecting, or connected and waiting for the log."""
    LIVE = "live"
    LOST = "lost"
    """The daemon does not answer; tried again."""
    OVER = "over"


class News(Enum):
    """What the hub hears of a terminal."""

    TYPED = "typed"
    OVER = "over"


class Session:
    """Belongs to the loop's thread.

    Args:
        loop: Where its descriptors are watched.
        openers: Where it waits for the daemon.
        source: Its end in the container.
        keep_s: Seconds it is kept after the last viewer.
        hear: Called when something happens that the hub wants to know.
    """

    def __init__(
        self, loop: Loop, openers: Openers, source: Source, keep_s: float, hear: Callable[[News], None]
    ) -> None:
        self.state = State.OPENING
        self._loop = loop
        self._openers = openers
        self._source = source
        self._keep_s = keep_s
        self._hear = hear
        self._sizes = Sizes(loop, openers, source.resize)
        self._audience = Audience(loop, self._sizes)
        self._keyboard = Keyboard()
        self._usage = Usage(loop, openers, source.usage)
        self._stream: EngineStream | None = None
        self._attempt = 0
        """Number of the opening under way: what an older one brings comes too late."""
        self._failures = 0
        self._last_problem: tuple[str, float] = ("", 0.0)
        self._left_at = time.monotonic()
        self._told_at = 0.0
        self._open()

    @property
    def viewers(self) -> list[Viewer]:
        """Everybody who looks at it."""
        return self._audience.viewers

    # -- viewers

    def join(self, viewer: Viewer) -> None:
        """Show the terminal to one more browser."""
        self.viewers.append(viewer)
        if self.state is State.LIVE:
            self._audience.begin_replay(viewer, live_at=self._audience.ring.end)
        elif self.state is State.LOST:
            message, retry_in = self._last_problem
            viewer.send_status("unreachable", message=message, retry_in=retry_in)
        else:
            viewer.send_status("connecting")

    def on_left(self, viewer: Viewer) -> None:
        """See `Shown`."""
        if viewer not in self.viewers:
            return
        self.viewers.remove(viewer)
        self._keyboard.on_left(viewer)
        self._sizes.on_left(viewer, self.viewers)
        self._audience.pace()
        if not self.viewers and viewer.is_done:
            self.retire()
        elif not self.viewers:
            self._left_at = time.monotonic()
            self._loop.call_later(self._keep_s, self._retire_if_alone)

    def on_typed(self, viewer: Viewer, data: bytes) -> None:
        """See `Shown`."""
        if self.state is State.LOST or self.state is State.OVER:
            return
        if is_report(data):
            if self._sizes.owner is viewer or self._sizes.owner is None:
                self._keyboard.type(viewer, data)
            return
        # The key first: somebody waits for it.
        self._keyboard.type(viewer, data)
        viewer.typed_at = now = self._loop.beat
        self._sizes.on_typed(viewer, self.viewers)
        if now - self._told_at > TELL_EVERY_S:
            self._told_at = now
            self._hear(News.TYPED)

    def on_control(self, viewer: Viewer, message: dict[str, Any]) -> None:
        """See `Shown`."""
        kind = message.get("type")
        if kind == "ping":
            viewer.send_status("pong", t=message.get("t"))
        elif kind == "resize" and (size := parse_size(message)) is not None:
            self._sizes.on_size(viewer, size, self.viewers)
        elif kind == "usage":
            self._usage.tell(viewer)
        elif kind == "clear":
            self._audience.forget()
        else:
            viewer.close(BAD_FRAME, "control message not understood")

    def on_room(self, viewer: Viewer) -> None:
        """See `Shown`."""
        self._audience.show(viewer)
        self._audience.pace()

    # -- opening

    def _open(self) -> None:
        self._attempt += 1
        attempt = self._attempt

        def work() -> None:
            try:
                opened = self._source.open()
            except (Over, DockerHostError) as failure:
                found = failure
                self._loop.call_soon(lambda: self._on_failure(attempt, found))
                return
            self._loop.call_soon(lambda: self._on_opened(attempt, opened))
            self._fetch_log(attempt)

        self._openers.submit(work)

    def _fetch_log(self, attempt: int) -> None:
        try:
            older = self._source.log()
        except DockerHostError as error:
            log.warning("The log of a terminal could not be read: %s", error.code)
            older = None
        delay = SETTLE_S if older else 0

        def on_loop() -> None:
            self._loop.call_later(delay, lambda: self._on_log(attempt, older))

        self._loop.call_soon(on_loop)

    def _on_opened(self, attempt: int, opened: HijackedStream) -> None:
        if attempt != self._attempt or self.state is State.OVER:
            opened.close()
            return
        self.state = State.OPENING
        self._failures = 0
        self._stream = EngineStream(
            self._loop, opened.sock, self._on_output, self._keyboard.release, self._on_stream_end
        )
        self._audience.follow(self._stream)
        if opened.pending:
            self._on_output(opened.pending)
        self._loop.call_later(LOG_PATIENCE_S, lambda: self._on_log(attempt, None))
        self._keyboard.connect(self._stream)

    def _on_log(self, attempt: int, older: bytes | None) -> None:
        if attempt != self._attempt or self.state is not State.OPENING or self._stream is None:
            return
        boundary = self._audience.ring.start if older is None else self._audience.insert_before(older)
        self.state = State.LIVE
        self._sizes.on_opened(repaint=older is not None)
        for viewer in list(self.viewers):
            self._audience.begin_replay(viewer, live_at=boundary)
        self._audience.pace()

    def _on_output(self, data: bytes) -> None:
        self._audience.take(data, is_live=self.state is State.LIVE)

    def _on_stream_end(self) -> None:
        self._stream = None
        self._audience.follow(None)
        self._sizes.on_closed()
        self._keyboard.disconnect()
        self.state = State.OPENING
        if self.viewers:
            self._open()
        else:
            self.retire()

    def _on_failure(self, attempt: int, failure: Over | DockerHostError) -> None:
        if attempt != self._attempt or self.state is State.OVER:
            return
        self._failures += 1
        if not self.viewers:
            self.retire()
        elif isinstance(failure, Over):
            if failure.reason == "stopped" and self._failures < RESTART_TRIES:
                # It may be on its way up again: a restart looks like a stop for a moment.
                self._retry(RESTART_EVERY_S)
            else:
                self.end(failure.reason)
        else:
            self._lose(failure)

    def _lose(self, failure: DockerHostError) -> None:
        self.state = State.LOST
        self._keyboard.forget()
        delay = BACK_OFF_S[min(self._failures, len(BACK_OFF_S)) - 1]
        self._last_problem = (failure.message, delay)
        for viewer in list(self.viewers):
            viewer.send_status("unreachable", message=failure.message, retry_in=delay)
        self._retry(delay)

    def _retry(self, delay: float) -> None:
        attempt = self._attempt

        def again() -> None:
            if attempt == self._attempt and self.state is not State.OVER:
                self._open()

        self._loop.call_later(delay, again)

    # -- the end

    def end(self, reason: str) -> None:
        """Tell every viewer that the terminal is over, and give everything back."""
        for viewer in list(self.viewers):
            viewer.send_control({"type": "exit", "reason": reason, "message": ENDINGS[reason]})
            viewer.close(NORMAL, reason)
        self._give_back()

    def leave(self) -> None:
        """Send the viewers away because this process stops; they find the same shell elsewhere."""
        for viewer in list(self.viewers):
            viewer.close(GOING_AWAY, "restarting")
        self.retire()

    def retire(self) -> None:
        """Let go of the engine, and end what would be left running."""
        if self.state is not State.OVER:
            discard(self._source, self._loop, self._openers)
            self._give_back()

    def _give_back(self) -> None:
        if self.state is State.OVER:
            return
        self.state = State.OVER
        self._attempt += 1
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._hear(News.OVER)

    def _retire_if_alone(self) -> None:
        if not self.viewers and time.monotonic() - self._left_at >= self._keep_s - 0.1:
            self.retire()

    def tick(self) -> None:
        """Give memory back that a flood took, once everybody has seen it; find out that a network is lost."""
        self._audience.rest()
        if self._stream is not None:
            self._stream.end_if_cut_off()
