"""How a process of the service is told to stop."""

from __future__ import annotations

import signal
import threading

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set; to be called before the process starts threads.

    A thread waits for the signals, since a handler would run in the midst of the main thread's own steps:
    where those are `Event.wait`'s, it would wait for a lock that its own thread holds, and never end.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    stop = threading.Event()

    def listen() -> None:
        signal.sigwait(SIGNALS)
        stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    return stop
