"""Timelines and dead letters on Azure Table Storage."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched, islice
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.data.tables import TableTransactionError, UpdateMode

from replication.azure.storage_errors import blip_retries, classify
from replication.azure.tables import Table, join_text, split_text
from replication.job import HistoryEntry
from replication.ports import DeadLetter
from replication.record import decode_entry, encode_entry

_LETTERS = "letters"
_ALL_LETTERS = f"PartitionKey eq '{_LETTERS}'"
_MAX_BATCH = 100


@dataclass(frozen=True, slots=True)
class TableHistory:
    """Implements the History port."""

    table: Table

    def append(self, key: str, entries: Iterable[HistoryEntry]) -> None:
        rows = {
            entry.id: {
                "PartitionKey": key,
                "RowKey": entry.id,
                **split_text("entry", json.dumps(encode_entry(entry))),
            }
            for entry in entries
        }
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
        return tuple(decode_entry(json.loads(join_text("entry", row))) for row in rows)

    def _upsert(self, rows: Sequence[dict[str, Any]]) -> None:
        operations = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows]
        try:
            self.table.call(lambda table: table.submit_transaction(operations))
        except (TableTransactionError, HttpResponseError) as error:
            raise classify(error) from error


@dataclass(frozen=True, slots=True)
class TableDeadLetters:
    """Implements the DeadLetters port."""

    table: Table

    def put(self, letter: DeadLetter) -> None:
        row = {
            "PartitionKey": _LETTERS,
            "RowKey": letter.id,
            "at": letter.at,
            "source": letter.source,
            "code": letter.code,
            "attempts": letter.attempts,
            "correlation_id": letter.correlation_id,
            "image_version_id": letter.image_version_id or "",
            **split_text("cause", letter.cause),
            **split_text("raw", letter.raw),
        }

        def upsert() -> None:
            try:
                self.table.call(lambda table: table.upsert_entity(row, mode=UpdateMode.REPLACE))
            except HttpResponseError as error:
                raise classify(error) from error

        blip_retries()(upsert)

    def get(self, letter_id: str) -> DeadLetter | None:
        try:
            return _letter(self.table.call(lambda table: table.get_entity(_LETTERS, letter_id)))
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            raise classify(error) from error

    def find(self, *, limit: int = 100) -> tuple[DeadLetter, ...]:
        try:
            rows = self.table.call(
                lambda table: list(
                    islice(table.query_entities(_ALL_LETTERS, results_per_page=limit), limit)
                )
            )
        except HttpResponseError as error:
            raise classify(error) from error
        return tuple(_letter(row) for row in rows)


def _letter(row: Any) -> DeadLetter:
    at = row["at"]
    return DeadLetter(
        id=str(row["RowKey"]),
        at=at if isinstance(at, datetime) else datetime.fromisoformat(str(at)),
        source=str(row["source"]),
        code=str(row["code"]),
        cause=join_text("cause", row),
        attempts=int(row["attempts"]),
        correlation_id=str(row["correlation_id"]),
        image_version_id=str(row["image_version_id"]) or None,
        raw=join_text("raw", row),
    )
