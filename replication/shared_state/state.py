"""What all instances share about Azure's state: read at each look, written when something changes.

One table read serves every look of the next two seconds on an instance; a write is a
compare-and-swap, and shows on the instance at once.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tenacity import Retrying

from replication.domain.errors import MalformedError, TransientError
from replication.ports import ControlRow, ControlStore
from replication.shared_state.rows import (
    Control,
    ControlKind,
    address,
    decode_control,
    encode_control,
)
from replication.telemetry.log import log_outcome

_CACHE_S = 2.0
type _Place = tuple[ControlKind, str]


@dataclass(slots=True, kw_only=True)
class SharedState:
    """The shared state, with a short memory; safe to use from many threads."""

    store: ControlStore
    retries: Callable[[], Retrying]
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: Mapping[_Place, Control] = field(default_factory=dict)
    _read_at: datetime | None = None
    _changes: int = 0
    _unreadable: frozenset[tuple[str, str, str]] = frozenset()

    def snapshot(self) -> Mapping[_Place, Control]:
        """Return every control, at most two seconds old; raises what the storage raises."""
        now = self.clock()
        with self._lock:
            known, read_at, changes = self._known, self._read_at, self._changes
        fresh_from = now - timedelta(seconds=_CACHE_S)
        if read_at is not None and fresh_from <= read_at <= now:
            return known
        rows = self.retries()(self.store.all)
        found = self._read_all(rows)
        with self._lock:
            # A change of this instance's own that came meanwhile must not be forgotten again.
            if self._changes == changes:
                self._known, self._read_at = found, now
        return found

    def change(
        self, kind: ControlKind, key: str, change: Callable[[Control | None], Control | None]
    ) -> tuple[Control | None, Control | None]:
        """Change one control and return it before and after.

        `change` may be called several times, each time with the newest; None stands for no such
        control, before and after. Raises what the storage raises when it does not come to rest,
        and TransientError for a row that cannot be read, which stays as it is.
        """
        try:
            before, after = self.retries()(self._change_once, kind, key, change)
        except MalformedError as error:
            # Trouble of ours, not of the event or the message that is being handled.
            raise TransientError(str(error), code="control_unreadable") from error
        with self._lock:
            self._changes += 1
            known = dict(self._known)
            known.pop((kind, key), None)
            if after is not None:
                known[kind, key] = after
            self._known = known
        return before, after

    def put(self, control: Control) -> None:
        """Keep a control, whatever was there before."""
        self.change(*address(control), lambda _before: control)

    def remove(self, kind: ControlKind, key: str) -> Control | None:
        """Remove a control and return it, None where there was none."""
        before, _ = self.change(kind, key, lambda _before: None)
        return before

    def _change_once(
        self, kind: ControlKind, key: str, change: Callable[[Control | None], Control | None]
    ) -> tuple[Control | None, Control | None]:
        row = self.store.load(kind.value, key)
        before = None if row is None else _read(row)
        after = change(before)
        if after == before:
            return before, after
        if after is not None:
            new = ControlRow(kind=kind.value, key=key, document=encode_control(after))
            self.store.save(new, etag=row.etag if row else None)
        elif row is not None:
            self.store.remove(row)
        return before, after

    def _read_all(self, rows: Iterable[ControlRow]) -> dict[_Place, Control]:
        """Read the rows; one that cannot be read is left as it is, and told of once."""
        found: dict[_Place, Control] = {}
        unreadable = set()
        for row in rows:
            try:
                control = _read(row)
            except MalformedError as error:
                unreadable.add((row.kind, row.key, row.etag))
                if (row.kind, row.key, row.etag) not in self._unreadable:
                    log_outcome(
                        "control.unreadable",
                        level=logging.ERROR,
                        kind=row.kind,
                        key=row.key,
                        reason=str(error),
                    )
            else:
                found[address(control)] = control
        self._unreadable = frozenset(unreadable)
        return found


def _read(row: ControlRow) -> Control:
    """Read a row; raises MalformedError."""
    control = decode_control(row.kind, row.document)
    if address(control) != (row.kind, row.key):
        raise MalformedError(f"the {row.kind} under {row.key} is about {address(control)[1]}")
    return control
