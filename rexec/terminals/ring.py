"""The last megabyte of a terminal's output, addressed by its position since the beginning."""

from __future__ import annotations

from typing import Final

CAPACITY: Final = 1024 * 1024
_SMALLEST: Final = 4 * 1024


class Ring:
    """Keeps the newest bytes of a stream; takes memory as they come.

    Positions count from the first byte ever added: a reader's stays right while old bytes go.

    Args:
        capacity: Bytes kept at most.
    """

    __slots__ = ("_buffer", "_capacity", "end", "start")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._buffer = bytearray()
        self.start = 0
        """Position of the oldest byte kept."""
        self.end = 0
        """Position after the newest byte."""

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, data: bytes) -> None:
        """Add bytes; the oldest go where the capacity is used up."""
        if len(data) > self._capacity:
            self.end += len(data) - self._capacity
            self.start = self.end
            data = data[-self._capacity :]
        self._grow(len(self) + len(data))
        size = len(self._buffer)
        if not size:
            return
        at = self.end % size
        first = min(len(data), size - at)
        self._buffer[at : at + first] = data[:first]
        self._buffer[: len(data) - first] = data[first:]
        self.end += len(data)
        self.start = max(self.start, self.end - size)

    def read(self, position: int, limit: int) -> bytes:
        """Bytes from a position on.

        Args:
            position: Between `start` and `end`.
            limit: How many at most.
        """
        count = min(limit, self.end - position)
        if position < self.start or count <= 0:
            return b""
        size = len(self._buffer)
        at = position % size
        piece = bytes(self._buffer[at : at + count])
        return piece + bytes(self._buffer[: count - len(piece)])

    def keep_newest(self, count: int) -> None:
        """Give the memory back that more than so many bytes take."""
        if len(self._buffer) <= count:
            return
        kept = self.read(max(self.start, self.end - count), count)
        self._buffer = bytearray()
        self.start = self.end - len(kept)
        self.end = self.start
        self.append(kept)

    def _grow(self, wanted: int) -> None:
        size = len(self._buffer)
        if size >= min(wanted, self._capacity):
            return
        new_size = max(size, _SMALLEST)
        while new_size < wanted:
            new_size *= 2
        new_size = min(new_size, self._capacity)
        kept = self.read(self.start, len(self))
        self._buffer = bytearray(new_size)
        at = self.start % new_size
        first = min(len(kept), new_size - at)
        self._buffer[at : at + first] = kept[:first]
        self._buffer[: len(kept) - first] = kept[first:]
