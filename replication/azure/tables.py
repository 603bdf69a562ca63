"""Tables: create when missing, and translate errors in one place."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableClient, TableServiceClient

from replication.azure.storage_errors import classify

# A text of a table row holds 32 Ki UTF-16 units.
_CHUNK = 30_000


@dataclass(slots=True)
class Table:
    """A table that comes into being with its first row."""

    service: TableServiceClient
    name: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: TableClient | None = None

    def call[Result](self, action: Callable[[TableClient], Result]) -> Result:
        """Run the action, creating the table if that is what it lacks.

        Errors of the row (changed, exists) pass as they are; all others are translated.
        """
        client = self._table()
        try:
            return action(client)
        except ResourceNotFoundError as error:
            if _code(error) != "TableNotFound":
                raise
        except AzureError as error:
            if isinstance(error, ResourceExistsError) or _code(error) in _ROW_CODES:
                raise
            raise classify(error) from error
        try:
            with suppress(ResourceExistsError):
                self.service.create_table(self.name)
        except AzureError as error:
            raise classify(error) from error
        return action(client)

    def _table(self) -> TableClient:
        with self._lock:
            if self._client is None:
                self._client = self.service.get_table_client(self.name)
            return self._client


_ROW_CODES = {"UpdateConditionNotSatisfied", "ConditionNotMet", "EntityAlreadyExists"}


def split_text(name: str, text: str) -> dict[str, str]:
    """Spread a long text over as many columns as it needs."""
    return {
        f"{name}_{number}": text[start : start + _CHUNK]
        for number, start in enumerate(range(0, max(1, len(text)), _CHUNK))
    }


def join_text(name: str, row: dict[str, object]) -> str:
    """Put the text of `split_text` together again."""
    parts: list[str] = []
    while (part := row.get(f"{name}_{len(parts)}")) is not None:
        parts.append(str(part))
    return "".join(parts)


def _code(error: AzureError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")
