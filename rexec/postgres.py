"""Connections to PostgreSQL that give up on a server which is there and says nothing.

TCP's own deadline (`tcp_user_timeout`) ends when the other side's kernel has taken the question: a pooler or
a server that hangs behind it would hold a thread of ours for ever. PgBouncer in transaction mode forgets a
`statement_timeout`, and a server that hangs does not keep it.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

DEADLINE_S = 10.0


class DeadlineConnection(psycopg.Connection[TupleRow]):
    """A connection that is closed when an answer takes longer than its deadline."""

    deadline_s: float | None = DEADLINE_S
    """Seconds for each answer; None for work that takes as long as it takes, such as a migration."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, as psycopg does, but not for ever.

        Args:
            gen: psycopg's own steps of an exchange with the server.
            interval: Seconds between two looks for Ctrl-C.
            timeout: Seconds that psycopg itself allows; the deadline where it allows any.

        Raises:
            OperationalError: No answer came in time; the connection is closed, since its next answer would be
                to this question.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.deadline_s)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.deadline_s:.0f} s") from None


def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> DeadlineConnection:
    """Connect for SQLAlchemy: its event `do_connect`."""
    return DeadlineConnection.connect(*arguments, **options)
