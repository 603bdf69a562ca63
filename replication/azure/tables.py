"""Tables: create when missing, and translate errors in one place."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableServiceClient

from replication.azure.storage_errors import classify

# A text of a table row holds 32 Ki UTF-16 units; a character takes one or two.
_CHUNK = 16_000
_NO_TABLE = "TableNotFound"


@dataclass(slots=True)
class Table:
    """A table that comes into being with its first row."""

    service: TableServiceClient
    name: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: TableClient | None = None

    def call[Result](self, action: Callable[[TableClient], Result]) -> Result:
        """Run the action, creating the table if that is what it lacks.

        The answer that a row is missing, there already or changed passes as it is; all other
        errors are translated.
        """
        client = self._table()
        try:
            return action(client)
        except AzureError as error:
            if not _lacks_the_table(error):
                raise _translated(error) from error
        try:
            with suppress(ResourceExistsError):
                self.service.create_table(self.name)
            return action(client)
        except AzureError as error:
            raise _translated(error) from error

    def _table(self) -> TableClient:
        with self._lock:
            if self._client is None:
                self._client = self.service.get_table_client(self.name)
            return self._client


_ABOUT_THE_ROW = (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)


def _translated(error: AzureError) -> Exception:
    return error if isinstance(error, _ABOUT_THE_ROW) else classify(error)


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


def _lacks_the_table(error: AzureError) -> bool:
    code = getattr(error, "error_code", None)
    # The client decodes the code for some calls; for create_entity it stays in the body.
    return str(getattr(code, "value", code)) == _NO_TABLE or f'"{_NO_TABLE}"' in str(error)
