"""Shared state: what all instances know, read at each look, written when something changes.

One table read serves every look of the next two seconds on an instance; a write is a
compare-and-swap, and shows on the instance at once.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from replication.domain.errors import MalformedError, TransientError
from replication.ports import Retries
from replication.shared_state.kind import Kind
from replication.shared_state.port import ControlRow, ControlStore
from replication.telemetry.log import ERROR, log_outcome

_CACHE_S = 2.0
# The values of each kind, by key. What stands under the name of a kind is of its type.
type _Known = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class SharedState:
    """The shared state, with a short memory; safe to use from many threads.

    Rows that are of none of its `kinds`, or cannot be read, are left as they are.
    """

    store: ControlStore
    kinds: tuple[Kind[Any], ...]
    retries: Retries
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: _Known = field(default_factory=dict)
    _read_at: datetime | None = None
    _changes: int = 0
    _unreadable: frozenset[tuple[str, str, str]] = frozenset()

    def all[T](self, kind: Kind[T]) -> Mapping[str, T]:
        """Return what there is of a kind by key, at most two seconds old.

        Raises what the storage raises.
        """
        now = self.clock()
        with self._lock:
            known, read_at, changes = self._known, self._read_at, self._changes
        fresh_from = now - timedelta(seconds=_CACHE_S)
        if read_at is not None and fresh_from <= read_at <= now:
            return known[kind.name]
        found = self._read_all(self.retries()(self.store.all))
        with self._lock:
            # A change of this instance's own that came meanwhile must not be forgotten again.
            if self._changes == changes:
                self._known, self._read_at = found, now
        return found[kind.name]

    def get[T](self, kind: Kind[T], key: str) -> T | None:
        """Return what stands under a key, at most two seconds old; None for nothing."""
        return self.all(kind).get(key)

    def change[T, R](
        self, kind: Kind[T], key: str, change: Callable[[T | None], tuple[T | None, R]]
    ) -> R:
        """Change what stands under a key; returns the second of what `change` returned last.

        `change` may be called several times, each time with the newest; None stands for no such
        row, before and after. Raises what the storage raises when it does not come to rest, and
        TransientError for a row that cannot be read, which stays as it is.
        """
        try:
            after, result = self.retries()(lambda: self._change_once(kind, key, change))
        except MalformedError as error:
            # Trouble of ours, not of the event or the message that is being handled.
            raise TransientError(str(error), code="control_unreadable") from error
        with self._lock:
            self._changes += 1
            values = {**self._known.get(kind.name, {})}
            values.pop(key, None)
            if after is not None:
                values[key] = after
            self._known = {**self._known, kind.name: values}
        return result

    def put[T](self, kind: Kind[T], value: T) -> None:
        """Keep a value, whatever was there before."""
        self.change(kind, kind.key(value), lambda _before: (value, None))

    def remove[T](self, kind: Kind[T], key: str) -> T | None:
        """Remove what stands under a key and return it, None where there was nothing."""
        return self.change(kind, key, lambda before: (None, before))

    def _change_once[T, R](
        self, kind: Kind[T], key: str, change: Callable[[T | None], tuple[T | None, R]]
    ) -> tuple[T | None, R]:
        row = self.store.load(kind.name, key)
        before = None if row is None else kind.read(row)
        after, result = change(before)
        if after == before:
            return after, result
        if after is not None:
            self.store.save(kind.write(after), etag=row.etag if row else None)
        elif row is not None:
            self.store.remove(row)
        return after, result

    def _read_all(self, rows: Iterable[ControlRow]) -> _Known:
        """Read the rows; one that cannot be read is left as it is, and told of once."""
        kinds = {kind.name: kind for kind in self.kinds}
        found: dict[str, dict[str, Any]] = {name: {} for name in kinds}
        unreadable = set()
        for row in rows:
            try:
                found[row.kind][row.key] = _read(row, kinds)
            except MalformedError as error:
                place = row.kind, row.key, row.etag
                unreadable.add(place)
                if place not in self._unreadable:
                    log_outcome(
                        "control.unreadable",
                        level=ERROR,
                        kind=row.kind,
                        key=row.key,
                        reason=str(error),
                    )
        self._unreadable = frozenset(unreadable)
        return found


def _read(row: ControlRow, kinds: Mapping[str, Kind[Any]]) -> Any:
    if row.kind not in kinds:
        raise MalformedError(f"this release knows no {row.kind} in the controls")
    return kinds[row.kind].read(row)
