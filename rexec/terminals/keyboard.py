"""What people type into one terminal, on its way to the container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rexec.terminals.stream import EngineStream
    from rexec.terminals.viewer import Viewer

HELD_BYTES: Final = 256 * 1024
FREE_BYTES: Final = 64 * 1024


class Keyboard:
    """Belongs to the loop's thread. Holds browsers off while the container does not read."""

    def __init__(self) -> None:
        self._stream: EngineStream | None = None
        self._ahead = bytearray()
        """Typed while there is no stream yet."""
        self._held: list[Viewer] = []

    def connect(self, stream: EngineStream) -> None:
        """Send there from now on, beginning with what was typed ahead."""
        self._stream = stream
        if self._ahead:
            stream.send(bytes(self._ahead))
            self._ahead.clear()

    def disconnect(self) -> None:
        """There is nowhere to send to for now."""
        self._stream = None
        self.release()

    def forget(self) -> None:
        """Drop what was typed ahead: typed blindly, it would run when nobody expects it any more."""
        self._ahead.clear()
        self.release()

    def type(self, viewer: Viewer, data: bytes) -> None:
        """Send bytes, or keep them until there is a stream."""
        if self._stream is None:
            self._ahead += data
        else:
            self._stream.send(data)
        if self._unsent() > HELD_BYTES and viewer not in self._held:
            self._held.append(viewer)
            viewer.hold()

    def release(self) -> None:
        """Let the browsers go on, if enough has gone."""
        if self._held and self._unsent() < FREE_BYTES:
            held, self._held = self._held, []
            for viewer in held:
                viewer.release()

    def on_left(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        if viewer in self._held:
            self._held.remove(viewer)

    def _unsent(self) -> int:
        return self._stream.unsent if self._stream is not None else len(self._ahead)
