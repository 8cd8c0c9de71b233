"""What the fake account holds: objects by kind, events, a clock, behind one lock."""

from __future__ import annotations

import contextlib
import copy
import secrets
import string
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import stripe

from tests.fakes import stripe_shapes
from tests.fakes.stripe_errors import missing

ALPHABET = string.ascii_letters + string.digits
API_VERSION: str = stripe.api_version
NOBODY = {"id": None, "idempotency_key": None}
"""`request` of an event that no request caused."""
RETRY_DAYS = (1, 3, 5, 7)


class State:
    """The account. Objects are dictionaries as they go over the wire; fields that begin with `_` never do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self.offset = 0
        self.tables: dict[str, dict[str, dict]] = defaultdict(dict)
        self.events: list[dict] = []
        self.failing: dict[str, str] = {}
        self.retry_days = RETRY_DAYS
        self.after_retries = "canceled"
        self.publish: Callable[[list[dict]], None] = lambda _events: None
        self.extra_views: dict[str, Callable[[State, dict, dict], None]] = {}
        self._fresh: list[dict] = []
        self._depth = 0
        self._request: dict = NOBODY

    def now(self) -> int:
        """Seconds since the epoch on the account's own clock."""
        return int(time.time()) + self.offset

    @contextlib.contextmanager
    def change(self, request: dict = NOBODY) -> Iterator[None]:
        """Hold the lock; events go out, in order, when the outermost change ends.

        Args:
            request: For the events: `id` and `idempotency_key` of what caused them.
        """
        with self.lock:
            if not self._depth:
                self._request = request
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    fresh, self._fresh = self._fresh, []
                    self.events += fresh
                    self.publish(fresh)

    def identifier(self, prefix: str, length: int = 24) -> str:
        """A new id."""
        return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))

    def make(self, kind: str, prefix: str, **values: Any) -> dict:
        """A new object, kept in its table."""
        values.setdefault("id", self.identifier(prefix))
        values.setdefault("metadata", {})
        made = stripe_shapes.shape(kind, created=self.now(), livemode=False, **values)
        self.tables[kind][made["id"]] = made
        return made

    def get(self, kind: str, name: str, param: str = "id") -> dict:
        """An object by id, also a deleted one.

        Raises:
            ApiError: There is none.
        """
        found = self.tables[kind].get(name)
        if found is None:
            raise missing(kind, name, param)
        return found

    def living(self, kind: str, name: str, param: str = "id") -> dict:
        """The same, where a deleted one is as good as none."""
        found = self.get(kind, name, param)
        if found.get("deleted"):
            raise missing(kind, name, param)
        return found

    def find(self, name: str) -> dict | None:
        """The object with this id, of whichever kind."""
        return next((table[name] for table in self.tables.values() if name in table), None)

    def all(self, kind: str) -> list[dict]:
        """All objects of a kind, oldest first."""
        return list(self.tables[kind].values())

    def view(self, thing: dict) -> dict:
        """A copy as it goes over the wire."""
        seen = copy.deepcopy({key: value for key, value in thing.items() if not key.startswith("_")})
        add = self.extra_views.get(thing.get("object", ""))
        if add is not None:
            add(self, thing, seen)
        return seen

    def mark(self) -> int:
        """Where the next event goes; for one that belongs before others that are made first."""
        return len(self._fresh)

    def emit(self, kind: str, thing: dict, *, before: dict | None = None, at: int | None = None) -> None:
        """Make an event; https://docs.stripe.com/api/events/object.

        Args:
            kind: `type` of the event.
            thing: The object it is about, of which it carries a snapshot.
            before: A view from before the change, for an update: nothing is made when nothing has changed.
            at: A place among the events of this change.
        """
        seen = self.view(thing)
        data: dict[str, object] = {"object": seen}
        if before is not None:
            old = {key: before.get(key) for key in seen if before.get(key) != seen[key]}
            if not old:
                return
            data["previous_attributes"] = old
        event = stripe_shapes.shape(
            "event",
            id=self.identifier("evt_"),
            type=kind,
            data=data,
            created=self.now(),
            livemode=False,
            api_version=API_VERSION,
            request=dict(self._request),
            pending_webhooks=0,
        )
        for name in ("account", "context"):
            event.pop(name, None)
        self._fresh.insert(len(self._fresh) if at is None else at, event)


def merge_metadata(thing: dict, given: Any) -> None:
    """Change metadata as https://docs.stripe.com/api/metadata says: empty values unset keys, or all."""
    if given is None:
        return
    if given == "":
        thing["metadata"] = {}
        return
    merged = {**thing["metadata"], **given}
    thing["metadata"] = {key: value for key, value in merged.items() if value != ""}
