"""When a request is whole: its head, and the body whose length the head announces.

Only the framing is looked at here; gunicorn's parser then judges the request itself. Where the two could
read a length differently, the request is refused.
"""

from __future__ import annotations

import re
from enum import Enum
from http import HTTPStatus

MAX_HEAD = 64 * 1024
_END = b"\r\n\r\n"
_MAX_DIGITS = 15
_EXPECT = re.compile(rb"\r\nexpect[ \t]*:[^\r\n]*", re.IGNORECASE)


class Refused(Exception):
    """The request cannot be taken.

    Args:
        status: What to answer.
    """

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        super().__init__(status.phrase)


class Expects(Enum):
    """What the client waits for before it goes on."""

    NOTHING = 0
    CONTINUE = 1


class IncomingRequest:
    """Collects the bytes of one connection until a whole request is there.

    Args:
        max_body: Bytes. A larger body is not waited for: its head goes on alone, and the application refuses.
    """

    __slots__ = ("_data", "_expected", "_head_end", "_max_body", "_scanned", "expects", "needed", "oversized")

    def __init__(self, max_body: int) -> None:
        self._data = bytearray()
        self._max_body = max_body
        self._restart()

    def _restart(self) -> None:
        self._head_end = -1
        self._scanned = 0
        self._expected = False
        self.needed = 0
        """Bytes of the whole request; 0 while the head is not complete."""
        self.oversized = False
        self.expects = Expects.NOTHING

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def is_whole(self) -> bool:
        """Say whether `take` has a request to give.

        Raises:
            Refused: The framing is not one we take.
        """
        if self._head_end < 0 and not self._find_head():
            return False
        return self.oversized or len(self._data) >= self.needed

    def take(self) -> bytes:
        """Hand over the request and keep what follows it for the next one."""
        end = self._head_end if self.oversized else self.needed
        head, body = bytes(self._data[: self._head_end]), bytes(self._data[self._head_end : end])
        if self._expected:
            # Met already; gunicorn would meet it again in the middle of the response.
            head = _EXPECT.sub(b"", head, count=1)
        del self._data[:end]
        self._restart()
        return head + body

    def leftover(self) -> bytes:
        """Everything that came behind the last request taken."""
        return bytes(self._data)

    def _find_head(self) -> bool:
        while self._data.startswith(b"\r\n"):
            # RFC 9112, 2.2: an empty line before the request line is to be ignored.
            del self._data[:2]
        at = self._data.find(_END, max(0, self._scanned - len(_END)))
        self._scanned = len(self._data)
        if max(at, self._scanned if at < 0 else 0) > MAX_HEAD:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if at < 0:
            return False
        self._head_end = at + len(_END)
        length = self._read_head(bytes(self._data[:at]))
        self.oversized = length > self._max_body
        self.needed = self._head_end + length
        return True

    def _read_head(self, head: bytes) -> int:
        length = -1
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            name, value = name.strip().lower(), value.strip(b" \t")
            if name == b"transfer-encoding":
                # Browsers and webhooks send lengths; unlike a length, chunks cannot be bounded beforehand.
                raise Refused(HTTPStatus.LENGTH_REQUIRED)
            if name == b"content-length":
                if length >= 0 or not value.isdigit() or len(value) > _MAX_DIGITS:
                    raise Refused(HTTPStatus.BAD_REQUEST)
                length = int(value)
            elif name == b"expect" and value.lower() == b"100-continue":
                self._expected = True
                self.expects = Expects.CONTINUE
        return max(length, 0)
