"""Who was told what when: a compare-and-swap decides who may tell, so that of two watchers one does."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from rexec.extensions import db
from rexec.health.models import Alert

Told = dict[str, datetime]
"""Level -> when the operator was last told of it."""


class Ledger(Protocol):
    """Where it is written down."""

    def read(self) -> dict[str, Told]:
        """Everything, by subject."""
        ...

    def move(self, subject: str, level: str, before: datetime | None, after: datetime | None) -> bool:
        """Change an entry from one moment to another if it is still there.

        Args:
            subject: What it is about.
            level: What was told of it.
            before: What `read` gave; None where there was no entry.
            after: What shall be there; None for no entry.
        """
        ...


class RowLedger:
    """Rows that every instance shares; needs an application context."""

    def read(self) -> dict[str, Told]:
        """See `Ledger`."""
        found: dict[str, Told] = {}
        with db.engine.connect() as connection:
            for row in connection.execute(select(Alert.subject, Alert.level, Alert.told_at)):
                found.setdefault(row.subject, {})[row.level] = row.told_at
        return found

    def move(self, subject: str, level: str, before: datetime | None, after: datetime | None) -> bool:
        """See `Ledger`."""
        entry = (Alert.subject == subject, Alert.level == level, Alert.told_at == before)
        try:
            with db.engine.begin() as connection:
                if before is None:
                    connection.execute(insert(Alert).values(subject=subject, level=level, told_at=after))
                    return True
                change = update(Alert).values(told_at=after) if after else delete(Alert)
                return bool(connection.execute(change.where(*entry)).rowcount)
        except IntegrityError:
            return False


class MemoryLedger:
    """For the one subject that no row can tell of: the database itself. Each instance has its own."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}

    def read(self) -> dict[str, Told]:
        """See `Ledger`."""
        return {subject: dict(told) for subject, told in self._told.items()}

    def move(self, subject: str, level: str, before: datetime | None, after: datetime | None) -> bool:
        """See `Ledger`."""
        told = self._told.setdefault(subject, {})
        if told.get(level) != before:
            return False
        if after is None:
            told.pop(level, None)
        else:
            told[level] = after
        return True
