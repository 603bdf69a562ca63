"""Timelines on Azure Table Storage, the newest entry first: a page reads no more than it shows."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched, islice
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from replication.azure.storage.errors import classify
from replication.azure.storage.tables import Table, join_text, split_text
from replication.domain.errors import MalformedError
from replication.domain.job import HistoryEntry
from replication.records.job_codec import ENTRIES
from replication.records.retries import blip_retries
from replication.telemetry.log import log_outcome

_MAX_BATCH = 100
_MAX_REASON = 300
_MAX_DIGITS = 20
# Ids are of one width, and the table sorts ascending: each digit's counterpart turns that round.
_TURNED = str.maketrans("0123456789", "9876543210")


@dataclass(frozen=True, slots=True)
class TableHistory:
    """Implements the History port."""

    table: Table

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        rows = {entry.id: entry_row(key, entry) for entry in entries}
        for batch in batched(rows.values(), _MAX_BATCH, strict=False):
            blip_retries()(self._upsert, batch)

    def read(
        self, key: str, *, limit: int = 500, before: str | None = None
    ) -> tuple[HistoryEntry, ...]:
        wanted, parameters = "PartitionKey eq @key", {"key": key}
        if before is not None:
            wanted += " and RowKey gt @before"
            parameters["before"] = _row_key(before)

        def query() -> list[Any]:
            def ask(table: TableClient) -> list[Any]:
                found = table.query_entities(
                    wanted, parameters=dict(parameters), results_per_page=limit
                )
                return list(islice(found, limit))

            try:
                return self.table.call(ask)
            except HttpResponseError as error:
                raise classify(error) from error

        return tuple(_entry(row) for row in reversed(blip_retries()(query)))

    def _upsert(self, rows: Sequence[dict[str, Any]]) -> None:
        operations = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows]
        try:
            self.table.call(lambda table: table.submit_transaction(operations))
        except (TableTransactionError, HttpResponseError) as error:
            raise classify(error) from error


def _entry(row: Any) -> HistoryEntry:
    """Return the row's entry; one that cannot be read shows as such, and hides no other."""
    try:
        return ENTRIES.decode_text(join_text("entry", row))
    except MalformedError as error:
        reason = str(error)[:_MAX_REASON]
    entry_id = _row_key(str(row["RowKey"]))
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


def _row_key(entry_id: str) -> str:
    """Return the row of an entry, which is the newer the sooner it comes; and back again."""
    return entry_id.translate(_TURNED)


def entry_row(key: str, entry: HistoryEntry) -> dict[str, Any]:
    """Return a timeline entry as a row of the table."""
    return {
        "PartitionKey": key,
        "RowKey": _row_key(entry.id),
        **split_text("entry", ENTRIES.encode_text(entry)),
    }
