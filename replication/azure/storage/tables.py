"""Tables: create when missing, and translate errors in one place."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableServiceClient

from replication.azure.storage.errors import classify
from replication.codec import check_version, parse_json
from replication.domain.errors import MalformedError

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
    text = storable(text)
    return {
        f"{name}_{number}": text[start : start + _CHUNK]
        for number, start in enumerate(range(0, max(1, len(text)), _CHUNK))
    }


def join_text(name: str, row: Mapping[str, object]) -> str:
    """Put the text of `split_text` together again.

    Raises MalformedError where a column in between is missing or holds no text.
    """
    numbers = [key.removeprefix(f"{name}_") for key in row if key.startswith(f"{name}_")]
    parts: list[str] = []
    for number in range(sum(one.isdecimal() for one in numbers)):
        part = row.get(f"{name}_{number}")
        if not isinstance(part, str):
            kind = "missing" if part is None else type(part).__name__
            raise MalformedError(f"the column {name}_{number} is {kind}, not a text")
        parts.append(part)
    return "".join(parts)


def join_document(name: str, row: Mapping[str, object]) -> dict[str, Any]:
    """Read the JSON object in the text of `split_text`.

    What is none is read as an empty one, which its decoder then refuses by name.
    """
    with suppress(MalformedError):
        document = parse_json(join_text(name, row), what=name)
        if isinstance(document, dict):
            return document
    return {}


def check_row(row: Mapping[str, object], *, what: str, reads: int) -> None:
    """Raise what `check_version` raises of a row whose column `v` is its version."""
    version = row.get("v")
    if isinstance(version, tuple):  # it is beyond 32 bits, and its type stands beside it
        version = version[0]
    check_version({"v": version}, what=what, reads=reads)


def storable(text: str) -> str:
    """Escape half characters, which JSON can hold and a table cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def _lacks_the_table(error: AzureError) -> bool:
    code = getattr(error, "error_code", None)
    # The client decodes the code for some calls; for create_entity it stays in the body.
    return str(getattr(code, "value", code)) == _NO_TABLE or f'"{_NO_TABLE}"' in str(error)
