"""Timelines and dead letters on Azure Table Storage."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableTransactionError, UpdateMode

from replication.azure.storage_errors import blip_retries, classify
from replication.azure.tables import Table, join_text, split_text
from replication.errors import MalformedError
from replication.job import HistoryEntry
from replication.log import log_outcome
from replication.record import decode_entry, encode_entry

_MAX_BATCH = 100
_MAX_REASON = 300
_MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class TableHistory:
    """Implements the History port."""

    table: Table

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        rows = {entry.id: entry_row(key, entry) for entry in entries}
        for batch in batched(rows.values(), _MAX_BATCH, strict=False):
            blip_retries()(self._upsert, batch)

    def read(self, key: str, *, limit: int = 500) -> tuple[HistoryEntry, ...]:
        def query() -> list[Any]:
            try:
                found = self.table.call(
                    lambda table: list(
                        table.query_entities("PartitionKey eq @key", parameters={"key": key})
                    )
                )
            except HttpResponseError as error:
                raise classify(error) from error
            return found

        rows = sorted(blip_retries()(query), key=lambda row: str(row["RowKey"]))[-limit:]
        return tuple(_entry(row) for row in rows)

    def _upsert(self, rows: Sequence[dict[str, Any]]) -> None:
        operations = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows]
        try:
            self.table.call(lambda table: table.submit_transaction(operations))
        except (TableTransactionError, HttpResponseError) as error:
            raise classify(error) from error


def _entry(row: Any) -> HistoryEntry:
    """Return the row's entry; one that cannot be read shows as such, and hides no other."""
    try:
        return decode_entry(json.loads(join_text("entry", row)))
    except (
        MalformedError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"[:_MAX_REASON]
    except RecursionError:
        reason = "it is nested too deep"
    entry_id = str(row["RowKey"])
    log_outcome("history.unreadable", level=logging.WARNING, id=entry_id, reason=reason)
    return HistoryEntry(
        id=entry_id,
        at=_moment_of(entry_id),
        event="unreadable",
        reason=f"this entry of the timeline cannot be read: {reason}",
    )


def _moment_of(entry_id: str) -> datetime:
    """Return the moment within an entry's id, which starts with microseconds; else the epoch."""
    digits = entry_id.partition("-")[0]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS):
        return epoch
    try:
        return epoch + timedelta(microseconds=int(digits))
    except OverflowError:
        return epoch


def entry_row(key: str, entry: HistoryEntry) -> dict[str, Any]:
    """Return a timeline entry as a row of the table."""
    return {
        "PartitionKey": key,
        "RowKey": entry.id,
        **split_text("entry", json.dumps(encode_entry(entry))),
    }
