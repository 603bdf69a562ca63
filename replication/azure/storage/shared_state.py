"""Shared state on Azure Table Storage: one small table, read whole in one round trip."""

import json
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode

from replication.azure.storage.tables import Table, join_document, split_text
from replication.domain.errors import RecordChangedError
from replication.shared_state.port import ControlRow


@dataclass(frozen=True, slots=True)
class TableControls:
    """Implements the ControlStore port."""

    table: Table

    def all(self) -> tuple[ControlRow, ...]:
        rows = self.table.call(lambda table: list(table.list_entities()))
        return tuple(_control(row) for row in rows)

    def load(self, kind: str, key: str) -> ControlRow | None:
        try:
            return _control(self.table.call(lambda table: table.get_entity(kind, key)))
        except ResourceNotFoundError:
            return None

    def save(self, row: ControlRow, *, etag: str | None) -> None:
        entity = {
            "PartitionKey": row.kind,
            "RowKey": row.key,
            **split_text("document", json.dumps(row.document)),
        }
        try:
            if etag is None:
                self.table.call(lambda table: table.create_entity(entity))
            else:
                self.table.call(
                    lambda table: table.update_entity(
                        entity,
                        mode=UpdateMode.REPLACE,
                        etag=etag,
                        match_condition=MatchConditions.IfNotModified,
                    )
                )
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
            raise RecordChangedError(f"{row.kind} {row.key} was changed meanwhile") from error

    def remove(self, row: ControlRow) -> None:
        try:
            # The client takes a row that is gone as deleted.
            self.table.call(
                lambda table: table.delete_entity(
                    row.kind,
                    row.key,
                    etag=row.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except ResourceModifiedError as error:
            raise RecordChangedError(f"{row.kind} {row.key} was changed meanwhile") from error


def _control(row: Any) -> ControlRow:
    return ControlRow(
        kind=str(row["PartitionKey"]),
        key=str(row["RowKey"]),
        document=join_document("document", row),
        etag=str(row.metadata["etag"]),
    )
