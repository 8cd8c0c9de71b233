"""The hub: one thread that holds every terminal of this process."""

from __future__ import annotations

import contextlib
import logging
import secrets
import socket
import time
from typing import TYPE_CHECKING, Final, Protocol

from rexec.terminals.loop import Loop
from rexec.terminals.openers import Openers
from rexec.terminals.session import News, Session
from rexec.terminals.sources import AttachSource, ExecSource, Source
from rexec.terminals.viewer import GOING_AWAY, SESSION_OVER, Viewer

if TYPE_CHECKING:
    from rexec.docker_host import DockerHost
    from rexec.terminals.admission import Admission

log = logging.getLogger(__name__)

MAIN_TAB: Final = 1
KEEP_MAIN_S: Final = 30.0
KEEP_TAB_S: Final = 25.0
"""Long enough for a page to be loaded again."""
TICK_S: Final = 5.0
BEAT_EVERY_S: Final = 10.0
UPKEEP_EVERY_S: Final = 30.0
REAP_AFTER_S: Final = (2.0, 40.0)
"""At the start, and once more when the lease of a process killed just before has run out."""
STOP_POLL_S: Final = 0.05

Key = tuple[str, str, int]
"""Public id, the daemon's name, tab."""


class Upkeep(Protocol):
    """What the hub wants from the database; called in the openers' threads."""

    def live_sessions(self, session_ids: set[int]) -> set[int]:
        """Which of these log-in sessions are not over."""
        ...

    def note_activity(self, containers: set[str]) -> None:
        """Somebody typed in these containers."""
        ...

    def beat(self, instance: str) -> None:
        """This process is alive, and so are its tabs."""
        ...

    def reap(self) -> None:
        """End the tabs of processes that are not alive."""
        ...

    def retire(self, instance: str) -> None:
        """This process ends, and its tabs with it."""
        ...


class Hub:
    """Every terminal of this process.

    Args:
        docker: The daemon.
        upkeep: The database.
    """

    def __init__(self, docker: DockerHost, upkeep: Upkeep) -> None:
        self.instance = secrets.token_hex(6)
        self.loop = Loop()
        self._docker = docker
        self._upkeep = upkeep
        self._openers = Openers()
        self._sessions: dict[Key, Session] = {}
        self._leaving: list[Session] = []
        self._active: set[str] = set()
        self._stopping = False
        self._next_beat = self._next_upkeep = 0.0

    # -- from any thread

    def start(self) -> None:
        """Start the thread."""
        self.loop.call_soon(self._tick)
        for delay in REAP_AFTER_S:
            self.loop.call_later(delay, self._reap)
        self.loop.start()

    def admit(self, sock: socket.socket, leftover: bytes, admission: Admission) -> None:
        """Take an upgraded connection over.

        Args:
            sock: The browser's socket; the hub closes it.
            leftover: What came behind the request.
            admission: What it may look at.
        """
        self.loop.call_soon(lambda: self._admit(sock, leftover, admission))

    def begin_stop(self) -> None:
        """Send every viewer away; returns at once."""
        self.loop.call_soon(self._leave)

    def stop(self, timeout_s: float) -> None:
        """End the thread when every viewer has gone and every tab is ended, or after so many seconds."""
        deadline = time.monotonic() + timeout_s
        self.begin_stop()
        while time.monotonic() < deadline - 2 * STOP_POLL_S and not self._is_empty():
            time.sleep(STOP_POLL_S)
        self.loop.stop(max(deadline - time.monotonic(), STOP_POLL_S))

    def heartbeat_age(self) -> float:
        """Seconds since the thread last came round."""
        return time.monotonic() - self.loop.beat

    def viewers_of(self, *, user_id: int | None = None, container: str | None = None) -> int:
        """How many viewers a person or a container has at present."""
        return sum(
            1
            for (public_id, _, _), session in list(self._sessions.items())
            for viewer in list(session.viewers)
            if (container is None or container == public_id)
            and (user_id is None or viewer.identity.user_id == user_id)
        )

    def stats(self) -> dict[str, float]:
        """Figures for `/metrics` and the bench."""
        sessions = list(self._sessions.items())
        attaches = sum(1 for (_, _, tab), _ in sessions if tab == MAIN_TAB)
        return {
            "terminals": len(sessions),
            "attaches": attaches,
            "tabs": len(sessions) - attaches,
            "viewers": sum(len(session.viewers) for _, session in sessions),
            "output_bytes": self.loop.output_bytes,
            "input_bytes": self.loop.input_bytes,
            "slow_steps": self._openers.unfinished,
            "heartbeat_age_s": round(self.heartbeat_age(), 3),
        }

    # -- in the loop's thread

    def _admit(self, sock: socket.socket, leftover: bytes, admission: Admission) -> None:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        session = self._session_for(admission)
        viewer = Viewer(self.loop, sock, admission, session)
        if self._stopping:
            viewer.close(GOING_AWAY, "restarting")
            return
        session.join(viewer)
        viewer.begin(leftover)

    def _session_for(self, admission: Admission) -> Session:
        key = (admission.container, admission.docker_name, admission.tab)
        session = self._sessions.get(key)
        if session is None:
            main = admission.tab == MAIN_TAB
            session = Session(
                self.loop,
                self._openers,
                self._source(admission.docker_name, main=main),
                KEEP_MAIN_S if main else KEEP_TAB_S,
                lambda news: self._on_news(key, news),
            )
            self._sessions[key] = session
        return session

    def _source(self, docker_name: str, *, main: bool) -> Source:
        if main:
            return AttachSource(self._docker, docker_name)
        return ExecSource(self._docker, docker_name, f"{self.instance}.{secrets.token_hex(8)}")

    def _on_news(self, key: Key, news: News) -> None:
        if news is News.TYPED:
            self._active.add(key[0])
        else:
            self._sessions.pop(key, None)

    def _leave(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._leaving = list(self._sessions.values())
        for session in self._leaving:
            session.leave()
        self._openers.submit(lambda: self._upkeep.retire(self.instance))

    def _is_empty(self) -> bool:
        return (
            self._stopping
            and not self._openers.unfinished
            and not any(session.viewers for session in self._leaving)
        )

    def _tick(self) -> None:
        now = time.monotonic()
        if not self._stopping:
            self.loop.call_later(TICK_S, self._tick)
        for session in list(self._sessions.values()):
            session.tick()
            for viewer in list(session.viewers):
                viewer.keep_alive(now)
        if self._stopping:
            return
        if now >= self._next_beat:
            self._next_beat = now + BEAT_EVERY_S
            self._openers.submit(lambda: self._upkeep.beat(self.instance))
        if now >= self._next_upkeep:
            self._next_upkeep = now + UPKEEP_EVERY_S
            self._keep_up()

    def _keep_up(self) -> None:
        active, self._active = self._active, set()
        sessions = {
            viewer.identity.session_id for session in self._sessions.values() for viewer in session.viewers
        }

        def work() -> None:
            try:
                self._upkeep.note_activity(active)
            except Exception:
                # Whoever typed would be taken for idle, and stopped.
                self.loop.call_soon(lambda: self._active.update(active))
                raise
            live = self._upkeep.live_sessions(sessions)
            self.loop.call_soon(lambda: self._end_sessions(sessions - live))

        self._openers.submit(work)

    def _end_sessions(self, over: set[int]) -> None:
        for session in list(self._sessions.values()):
            for viewer in list(session.viewers):
                if viewer.identity.session_id in over:
                    viewer.close(SESSION_OVER, "session over")

    def _reap(self) -> None:
        if not self._stopping:
            self._openers.submit(self._upkeep.reap)
