"""A table in the place of the vendor's client: it holds whole rows, as Azure would keep them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from tests.golden.data import Raw, as_json, from_json


class StoredRow(dict[str, Any]):
    """A row as the client hands it out: its columns, and what the table knows of it."""

    metadata: dict[str, Any]

    def __init__(self, columns: Raw) -> None:
        super().__init__(from_json(columns))
        self.metadata = {"etag": "1", "timestamp": datetime(2026, 11, 23, tzinfo=UTC)}


@dataclass
class OneTable:
    """Stands for `Table` of the adapters: answers with its rows, and notes what is written."""

    rows: list[StoredRow] = field(default_factory=list)
    written: list[Raw] = field(default_factory=list)

    @classmethod
    def of(cls, *rows: Raw) -> Any:
        """Return a table that holds these rows."""
        return cls(rows=[StoredRow(row) for row in rows])

    def call[Result](self, action: Callable[[Any], Result]) -> Result:
        return action(self)

    def get_entity(self, partition: str, key: str) -> StoredRow:
        for row in self.rows:
            if (row["PartitionKey"], row["RowKey"]) == (partition, key):
                return row
        raise ResourceNotFoundError

    def list_entities(self) -> list[StoredRow]:
        return self.rows

    def query_entities(self, _text: str, **_options: object) -> list[StoredRow]:
        return self.rows

    def create_entity(self, entity: Raw) -> dict[str, str]:
        self.written.append(as_json(entity))
        return {"etag": "2"}

    def update_entity(self, entity: Raw, **_options: object) -> dict[str, str]:
        return self.create_entity(entity)

    def upsert_entity(self, entity: Raw, **_options: object) -> dict[str, str]:
        return self.create_entity(entity)

    def submit_transaction(self, operations: Iterable[tuple[str, Raw, object]]) -> None:
        self.written += [as_json(entity) for what, entity, _ in operations if what != "delete"]


def written(write: Callable[[Any], object]) -> list[Raw]:
    """Return the rows that something writes into a table."""
    table = OneTable()
    write(table)
    return table.written
