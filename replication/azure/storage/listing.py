"""A listing on Azure Table Storage: one partition, so that a transaction can hold all rows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from replication.azure.storage.tables import Table, join_document, split_text
from replication.domain.errors import RecordChangedError
from replication.listing.store import ListingChange, ListingRow

_CHANGED = frozenset(
    {
        "ConditionNotMet",
        "EntityAlreadyExists",
        "EntityNotFound",
        "ResourceNotFound",
        "UpdateConditionNotSatisfied",
    }
)
type _Operation = tuple[str, dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TableListing:
    """Implements the ListingStore port."""

    table: Table
    partition: str = "listing"

    def get(self, keys: Sequence[str]) -> dict[str, ListingRow]:
        if not keys:
            return {}
        names = {f"k{number}": key for number, key in enumerate(keys)}
        wanted = " or ".join(f"RowKey eq @{name}" for name in names)
        rows = self._query(f"PartitionKey eq '{self.partition}' and ( {wanted} )", names, len(keys))
        return {row.key: row for row in rows}

    def between(self, first: str, last: str, *, limit: int) -> tuple[ListingRow, ...]:
        text = f"PartitionKey eq '{self.partition}' and RowKey gt @first and RowKey lt @last"
        return self._query(text, {"first": first, "last": last}, limit)

    def commit(self, changes: Sequence[ListingChange]) -> None:
        operations = [_operation(self.partition, one) for one in changes]

        def submit(table: TableClient) -> None:
            try:
                table.submit_transaction(operations)
            except TableTransactionError as error:
                code = getattr(error, "error_code", None)
                if str(getattr(code, "value", code)) in _CHANGED:
                    raise RecordChangedError("the listing was changed meanwhile") from error
                raise

        self.table.call(submit)

    def _query(self, text: str, names: Mapping[str, str], limit: int) -> tuple[ListingRow, ...]:
        def query(table: TableClient) -> tuple[ListingRow, ...]:
            found = table.query_entities(text, parameters=dict(names), results_per_page=limit)
            # The first page alone is one call; a page ends early where the service wants it to.
            return tuple(_row(row) for row in islice(found, limit))

        return self.table.call(query)


def _operation(partition: str, change: ListingChange) -> _Operation:
    keys = {"PartitionKey": partition, "RowKey": change.key}
    condition = {"etag": change.expected, "match_condition": MatchConditions.IfNotModified}
    if change.document is None:
        return "delete", keys, {} if change.expected == "*" else condition
    entity = {**keys, **split_text("document", json.dumps(change.document))}
    if change.expected is None:
        return "create", entity, {}
    if change.expected == "*":
        return "upsert", entity, {"mode": UpdateMode.REPLACE}
    return "update", entity, {"mode": UpdateMode.REPLACE, **condition}


def _row(row: Any) -> ListingRow:
    return ListingRow(
        key=str(row["RowKey"]),
        document=join_document("document", row),
        etag=str(row.metadata["etag"]),
    )
