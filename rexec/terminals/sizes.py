"""Which viewer's window a terminal fits: the one that typed last owns the size, the others are told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from rexec.docker_host.errors import DockerHostError

if TYPE_CHECKING:
    from rexec.terminals.loop import Loop
    from rexec.terminals.openers import Openers
    from rexec.terminals.viewer import Viewer

log = logging.getLogger(__name__)

Size = tuple[int, int]
LARGEST: Final = 1000


def parse_size(message: dict[str, Any]) -> Size | None:
    """Columns and rows of a resize message; None where they make no sense."""
    cols, rows = message.get("cols"), message.get("rows")
    if isinstance(cols, int) and isinstance(rows, int) and 0 < cols <= LARGEST and 0 < rows <= LARGEST:
        return cols, rows
    return None


class Sizes:
    """Belongs to the loop's thread; the engine's answer is awaited in an opener.

    Args:
        loop: Where results come back to.
        openers: Where the engine is asked.
        resize: Sets the size in the container; takes columns and rows.
    """

    def __init__(self, loop: Loop, openers: Openers, resize: Callable[[int, int], None]) -> None:
        self.owner: Viewer | None = None
        self._loop = loop
        self._openers = openers
        self._resize = resize
        self._wanted: Size | None = None
        self._set: Size | None = None
        self._repaint = False
        self._is_open = False
        self._busy = False

    def on_size(self, viewer: Viewer, size: Size, viewers: Iterable[Viewer]) -> None:
        """A viewer's window has this size."""
        viewer.size = size
        if self.owner is None:
            self.owner = viewer
        if self.owner is viewer:
            self._want(viewers)
        else:
            self.tell(viewer)

    def on_typed(self, viewer: Viewer, viewers: Iterable[Viewer]) -> None:
        """A viewer typed, and so becomes the owner."""
        if self.owner is not viewer:
            self.owner = viewer
            self._want(viewers)

    def on_left(self, viewer: Viewer, viewers: Iterable[Viewer]) -> None:
        """A viewer is gone; who typed last of the others owns the size."""
        if self.owner is viewer:
            self.owner = max(
                viewers, key=lambda other: (other.size is not None, other.typed_at), default=None
            )
            self._want(viewers)

    def tell(self, viewer: Viewer) -> None:
        """Tell one viewer which size the terminal has, and whether that is by its window."""
        if self._wanted is not None:
            cols, rows = self._wanted
            viewer.send_status("size", cols=cols, rows=rows, owner=self.owner is viewer)

    def on_opened(self, *, repaint: bool) -> None:
        """There is a terminal to set the size of.

        Args:
            repaint: Make its program draw again: what stood in the last line is not in the log.
        """
        self._is_open = True
        self._set = None
        self._repaint = repaint
        self._apply()

    def on_closed(self) -> None:
        """There is none for now."""
        self._is_open = False

    def _want(self, viewers: Iterable[Viewer]) -> None:
        if self.owner is not None and self.owner.size is not None:
            self._wanted = self.owner.size
        for viewer in list(viewers):
            self.tell(viewer)
        self._apply()

    def _apply(self) -> None:
        if self._busy or not self._is_open or self._wanted is None or self._wanted == self._set:
            return
        self._busy = True
        wanted, repaint = self._wanted, self._repaint
        self._set, self._repaint = wanted, False
        self._openers.submit(lambda: self._ask(wanted, repaint=repaint))

    def _ask(self, size: Size, *, repaint: bool) -> None:
        cols, rows = size
        try:
            if repaint:
                # Programs draw when the size changes, and only then.
                self._resize(cols, rows - 1 if rows > 1 else rows + 1)
            self._resize(cols, rows)
        except DockerHostError as error:
            # The stream's end tells the rest.
            log.info("A terminal could not be resized: %s", error.code)
        finally:
            self._loop.call_soon(self._on_answer)

    def _on_answer(self) -> None:
        self._busy = False
        self._apply()
