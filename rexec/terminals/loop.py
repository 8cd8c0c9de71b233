"""The one thread that moves bytes for every terminal: epoll, timers, and calls from other threads."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

log = logging.getLogger(__name__)

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT
LONGEST_WAIT_S: Final = 1.0
AWAKE_S: Final = 0.001
"""How long an answer is looked for that comes at once: to sleep and to wake up takes longer than its way."""
LENT_S: Final = 0.001
"""Where one look takes longer, somebody else has work for the processor."""
ASLEEP_S: Final = 1.0
"""How long that one is let have it."""
MOST_EVENTS: Final = 64
"""In one turn; the others come in the next. Left to itself, each turn allots room for 1,023."""


class Handler(Protocol):
    """Something with a descriptor."""

    def fileno(self) -> int:
        """The descriptor."""
        ...

    def on_events(self, mask: int) -> None:
        """The descriptor is ready, or broken."""
        ...

    def on_broken(self) -> None:
        """`on_events` raised: give everything back."""
        ...


class Loop:
    """An event loop that no handler can end. Everything but `call_soon` belongs to its own thread."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self._again: set[Handler] = set()
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._epoll.register(self._wake_read, READ)
        self._running = True
        self._awake_until = self._asleep_until = 0.0
        self._thread: threading.Thread | None = None
        self.beat = time.monotonic()
        """When the loop last came round: the time, for whoever needs it no more exactly than that."""
        self.output_bytes = 0
        """Read from containers by streams that this loop watches."""
        self.input_bytes = 0
        """Written to them."""

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="terminals", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread, at most so many seconds from now."""
        self.call_soon(self._end)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _end(self) -> None:
        self._running = False

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have a function called in the loop's thread; may be called from any thread."""
        self._calls.append(function)
        # A full pipe has woken the loop often enough.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"\0")

    def call_later(self, delay_s: float, function: Callable[[], None]) -> None:
        """Have a function called after a while."""
        heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._numbers), function))

    def register(self, handler: Handler, mask: int) -> None:
        """Watch a descriptor."""
        self._handlers[handler.fileno()] = handler
        self._epoll.register(handler.fileno(), mask)

    def modify(self, handler: Handler, mask: int) -> None:
        """Watch for something else."""
        self._epoll.modify(handler.fileno(), mask)

    def unregister(self, handler: Handler) -> None:
        """Watch it no more; before it is closed."""
        self._again.discard(handler)
        if self._handlers.pop(handler.fileno(), None) is not None:
            self._epoll.unregister(handler.fileno())

    def again(self, handler: Handler) -> None:
        """Come back to a handler that stopped before its descriptor was exhausted."""
        self._again.add(handler)

    def stay_awake(self) -> None:
        """Do not sleep for a moment: an answer is on its way."""
        if self.beat >= self._asleep_until:
            self._awake_until = time.monotonic() + AWAKE_S

    def _run(self) -> None:
        while self._running:
            ready = self._look() or self._epoll.poll(self._patience(), MOST_EVENTS)
            self.beat = time.monotonic()
            if self._again:
                self._go_on()
            for descriptor, mask in ready:
                if (found := self._handlers.get(descriptor)) is not None:
                    self._handle(found, mask)
                elif descriptor == self._wake_read:
                    os.read(self._wake_read, 65536)
            if self._calls:
                self._run_calls()
            self._run_timers()
        self._epoll.close()

    def _look(self) -> list[tuple[int, int]]:
        """Wait for an answer without sleeping, as long as nobody else wants the processor."""
        if not self._awake_until or self._again:
            return []
        until, self._awake_until = self._awake_until, 0.0
        ready: list[tuple[int, int]] = []
        now = time.monotonic()
        while now < until and not ready:
            os.sched_yield()
            ready = self._epoll.poll(0, MOST_EVENTS)
            began, now = now, time.monotonic()
            if now - began > LENT_S:
                self._asleep_until = now + ASLEEP_S
                break
        return ready

    def _patience(self) -> float:
        if self._again or self._calls:
            return 0
        if not self._timers:
            return LONGEST_WAIT_S
        return min(max(self._timers[0][0] - time.monotonic(), 0), LONGEST_WAIT_S)

    def _handle(self, handler: Handler, mask: int) -> None:
        try:
            handler.on_events(mask)
        except Exception:
            log.exception("A terminal connection failed")
            self._guard(handler.on_broken)

    def _go_on(self) -> None:
        unfinished, self._again = self._again, set()
        for handler in unfinished:
            self._handle(handler, READ)

    def _run_calls(self) -> None:
        for _ in range(len(self._calls)):
            self._guard(self._calls.popleft())

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self.beat:
            self._guard(heapq.heappop(self._timers)[2])

    def _guard(self, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception:
            # What went wrong for one terminal must not end the others.
            log.exception("A terminal's step failed")
