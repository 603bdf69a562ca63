"""Dead letters on Azure Table Storage: kept until discarded, with no time to live."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from replication.azure.storage.tables import Table, check_row, join_text, split_text, storable
from replication.codec import parse_json
from replication.dead_letters.filter import gallery_of_letter
from replication.dead_letters.rows import list_letter
from replication.domain.errors import (
    FailureCode,
    MalformedError,
    NewerFormatError,
    RecordChangedError,
)
from replication.ports import DeadLetter, LetterState, ListedLetter, StoredLetter
from replication.records.job_codec import decode_entry, encode_entry
from replication.records.retries import blip_retries

FORMAT_VERSION = 1
# The source of a row that cannot be read; such a row is shown, and never written over.
UNREADABLE = "unreadable"
_LETTERS = "letters"
# What a list shows: of a long cause the first column, of the message nothing.
_LISTED = (
    *("PartitionKey", "RowKey", "v", "at", "source", "code", "attempts", "correlation_id"),
    *("image_version_id", "regions", "state", "state_at", "cause_0", "state_reason_0"),
)
_MAX_CAUSE = 500
_UNREADABLE_AS = (MalformedError, KeyError, TypeError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class TableDeadLetters:
    """Implements the LetterStore port."""

    table: Table

    def put(self, letter: DeadLetter) -> None:
        row = letter_row(letter)
        self._run(letter.id, lambda table: table.upsert_entity(row, mode=UpdateMode.REPLACE))

    def get(self, letter_id: str) -> StoredLetter | None:
        try:
            row = self._run(letter_id, lambda table: table.get_entity(_LETTERS, letter_id))
        except ResourceNotFoundError:
            return None
        return _stored(row)

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        if stored.letter.source == UNREADABLE:
            raise RecordChangedError(f"{stored.letter.cause}; it is left as it is")
        row = letter_row(letter)
        try:
            self._run(
                letter.id,
                lambda table: table.update_entity(
                    row,
                    mode=UpdateMode.REPLACE,
                    etag=stored.etag,
                    match_condition=MatchConditions.IfNotModified,
                ),
            )
        except ResourceNotFoundError as error:
            raise RecordChangedError(f"the dead letter {letter.id} is gone") from error

    def discard(self, stored: StoredLetter) -> None:
        # The client takes a row that is gone as deleted.
        self._run(
            stored.letter.id,
            lambda table: table.delete_entity(
                _LETTERS,
                stored.letter.id,
                etag=stored.etag,
                match_condition=MatchConditions.IfNotModified,
            ),
        )

    def after(self, letter_id: str, *, limit: int) -> tuple[ListedLetter, ...]:
        def read(table: TableClient) -> tuple[ListedLetter, ...]:
            rows = table.query_entities(
                "PartitionKey eq @partition and RowKey gt @id",
                parameters={"partition": _LETTERS, "id": letter_id},
                select=list(_LISTED),
                results_per_page=limit,
            )
            return tuple(list_letter(_stored(row).letter) for row in islice(rows, limit))

        return self._run(letter_id, read)

    def _run[Result](self, letter_id: str, action: Callable[[TableClient], Result]) -> Result:
        try:
            result: Result = blip_retries()(self.table.call, action)
        except ResourceModifiedError as error:
            raise RecordChangedError(
                f"the dead letter {letter_id} was changed meanwhile"
            ) from error
        return result


def letter_row(letter: DeadLetter) -> dict[str, Any]:
    row: dict[str, Any] = {
        "PartitionKey": _LETTERS,
        "RowKey": letter.id,
        "v": FORMAT_VERSION,
        "at": letter.at,
        "source": letter.source,
        "code": letter.code,
        "attempts": letter.attempts,
        "correlation_id": storable(letter.correlation_id),
        "image_version_id": letter.image_version_id or "",
        "gallery": gallery_of_letter(letter),
        "state": letter.state.value,
        "regions": " ".join(letter.regions),
        **split_text("cause", letter.cause),
        **split_text("raw", letter.raw),
        **split_text("state_reason", letter.state_reason),
        **split_text("timeline", json.dumps([encode_entry(one) for one in letter.timeline])),
    }
    if letter.state_at is not None:
        row["state_at"] = letter.state_at
    return row


def _stored(row: Any) -> StoredLetter:
    """Read a row; one that cannot be read is shown as such, and hides none of the others."""
    try:
        letter = _letter(row)
    except _UNREADABLE_AS as error:
        letter = _unreadable(row, error)
    return StoredLetter(letter=letter, etag=str(row.metadata["etag"]))


def _letter(row: Any) -> DeadLetter:
    # One without a version is of the first.
    check_row({"v": FORMAT_VERSION, **row}, what="it", reads=FORMAT_VERSION)
    timeline = parse_json(join_text("timeline", row) or "[]", what="its timeline")
    return DeadLetter(
        id=str(row["RowKey"]),
        at=_moment(row["at"]),
        source=str(row["source"]),
        code=str(row["code"]),
        cause=join_text("cause", row),
        attempts=int(row["attempts"]),
        correlation_id=str(row["correlation_id"]),
        image_version_id=str(row["image_version_id"]) or None,
        raw=join_text("raw", row),
        regions=tuple(str(row.get("regions") or "").split()),
        timeline=tuple(decode_entry(one) for one in timeline),
        state=LetterState(str(row.get("state") or LetterState.OPEN.value)),
        state_at=_moment(row["state_at"]) if row.get("state_at") else None,
        state_reason=join_text("state_reason", row),
    )


def _unreadable(row: Any, error: Exception) -> DeadLetter:
    newer = isinstance(error, NewerFormatError)
    try:
        raw = join_text("raw", row)
    except MalformedError:
        raw = ""
    return DeadLetter(
        id=str(row["RowKey"]),
        # The table keeps this one itself.
        at=row.metadata["timestamp"] or datetime.fromtimestamp(0, UTC),
        source=UNREADABLE,
        code=(FailureCode.NEWER_FORMAT if newer else FailureCode.MALFORMED_MESSAGE).value,
        cause=f"unreadable letter: {str(error)[:_MAX_CAUSE] or type(error).__name__}",
        attempts=0,
        correlation_id="",
        image_version_id=None,
        raw=raw,
    )


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment
