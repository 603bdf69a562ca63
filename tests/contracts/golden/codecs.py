"""How the code reads and writes each kind: the one place that knows its modules and names."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.storage.queue import QueueServiceClient

from bootstrap.app import SHARED_KINDS
from costs.pricing.price_book import decode_book, encode_book
from costs.pricing.sizes import decode_sizes, encode_sizes
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.history import TableHistory
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.listing import TableListing
from replication.azure.storage.queues import StorageJobQueues
from replication.azure.storage.shared_state import TableControls
from replication.dead_letters.rows import decode_letter, encode_letter, letter_causes
from replication.dead_letters.rows import standing_key as letter_key
from replication.dead_letters.rows import view_keys as letter_view_keys
from replication.domain.job import HistoryEntry, ReplicationJob
from replication.domain.message import JobMessage
from replication.listing.job_rows import (
    ListedJob,
    Standing,
    decode_listed,
    decode_standing,
    encode_listed,
    encode_standing,
    standing_key,
    view_keys,
)
from replication.listing.jobs import HourOfCopies, Listing, ListingTotals
from replication.listing.store import ListingChange, ListingRow
from replication.operations.journal import ActionRecord, Journal
from replication.ports import DeadLetter, LetterCause, ListedLetter, QueueName
from replication.records.message_codec import decode_message
from replication.shared_state.kind import Kind
from replication.sweeping.rounds import SWEEP_BOOKMARKS
from tests.contracts.golden.data import Raw
from tests.contracts.golden.one_table import OneTable, written
from tests.support.listing import MemoryListing
from tests.support.listings import once

LETTERS_PARTITION = "letters"
# Kinds that came after that commit.
_LATER = (SWEEP_BOOKMARKS,)
KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in SHARED_KINDS if kind not in _LATER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """Reads what is stored, and writes it; `write` is None for what is only ever added up.

    `format` is the newest format that is read, None for a kind without formats.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None
    format: int | None = None


def read_job(row: Raw) -> ReplicationJob:
    stored = TableJobStore(OneTable.of(row)).load(row["PartitionKey"])
    assert stored is not None
    return stored.job


def write_job(job: ReplicationJob) -> Raw:
    (row,) = written(lambda table: TableJobStore(table).insert(job))
    return row


def write_message(message: JobMessage) -> str:
    """Return the text that is handed to the vendor's client."""
    sent: list[str] = []

    class _Client:
        def send_message(self, body: str, **_options: object) -> None:
            sent.append(body)

    class _Service(QueueServiceClient):
        def __init__(self) -> None:
            """Open nothing."""

        def get_queue_client(self, *_names: object, **_options: object) -> Any:
            return _Client()

    queues = StorageJobQueues(service=_Service(), clock=datetime.now)
    queues.send(QueueName.JOBS, message)
    return sent[0]


def read_control(row: Raw) -> Any:
    stored = TableControls(OneTable.of(row)).load(row["PartitionKey"], row["RowKey"])
    assert stored is not None
    return KINDS[stored.kind].read(stored)


def _controls_of(kind: Kind[Any]) -> Codec:
    def write(control: object) -> Raw:
        new = kind.write(control)
        (row,) = written(lambda table: TableControls(table).save(new, etag=None))
        return row

    return Codec(read=read_control, write=write, format=1)


def read_entry(row: Raw) -> HistoryEntry:
    (entry,) = TableHistory(OneTable.of(row)).read(row["PartitionKey"])
    return entry


def write_entry(entry: HistoryEntry) -> Raw:
    (row,) = written(lambda table: TableHistory(table).append("a key", [entry]))
    return row


def read_act(row: Raw) -> ActionRecord:
    journal = Journal(history=TableHistory(OneTable.of(row)), clock=datetime.now, new_id=str)
    (act,) = journal.page().records
    return act


def read_letter(row: Raw) -> DeadLetter:
    stored = TableDeadLetters(OneTable.of(row)).get(row["RowKey"])
    assert stored is not None
    return stored.letter


def write_letter(letter: DeadLetter) -> Raw:
    (row,) = written(lambda table: TableDeadLetters(table).put(letter))
    return row


def stored_document(row: Raw) -> ListingRow:
    """Return a row of a listing as the services get it."""
    return TableListing(OneTable.of(row)).between("", "~", limit=1)[0]


def write_listing(keys: list[str], document: Raw, partition: str | None = None) -> list[Raw]:
    """Return the rows of a listing that hold the same document."""
    changes = [ListingChange(key=key, document=document) for key in sorted(keys)]

    def write(table: Any) -> None:
        listing = TableListing(table, partition) if partition else TableListing(table)
        listing.commit(changes)

    return written(write)


def read_listed_job(rows: list[Raw]) -> ListedJob:
    return decode_listed(stored_document(rows[0]).document)


def write_listed_job(one: ListedJob) -> list[Raw]:
    return write_listing(list(view_keys(one)), encode_listed(one))


def read_standing(rows: list[Raw]) -> Standing:
    return decode_standing(stored_document(rows[0]).document)


def write_standing(one: Standing) -> list[Raw]:
    return write_listing([standing_key(one.listed.key)], encode_standing(one))


def read_listed_letter(rows: list[Raw]) -> ListedLetter:
    return decode_letter(stored_document(rows[0]).document)


def write_listed_letter(one: ListedLetter) -> list[Raw]:
    keys = [letter_key(one.id), *letter_view_keys(one)]
    return write_listing(keys, encode_letter(one), LETTERS_PARTITION)


def read_counts(rows: list[Raw]) -> tuple[ListingTotals, tuple[HourOfCopies, ...]]:
    """Return what counting rows of the jobs' listing add up to."""
    stored = [stored_document(row) for row in rows]
    store = MemoryListing(rows={one.key: one for one in stored})
    listing = Listing(store=store, retries=once)
    hours = listing.hours(since=datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
    return listing.totals(), hours


def read_letter_counts(rows: list[Raw]) -> tuple[LetterCause, ...]:
    return letter_causes(stored_document(row).document for row in rows)


CODECS: dict[str, Codec] = {
    "job": Codec(read=read_job, write=write_job, format=1),
    "message": Codec(read=decode_message, write=write_message, format=1),
    **{name: _controls_of(kind) for name, kind in KINDS.items()},
    "timeline": Codec(read=read_entry, write=write_entry),
    "journal": Codec(read=read_act),
    "letter": Codec(read=read_letter, write=write_letter, format=1),
    "listed_letter": Codec(read=read_listed_letter, write=write_listed_letter, format=1),
    "letter_counts": Codec(read=read_letter_counts),
    "listed_job": Codec(read=read_listed_job, write=write_listed_job, format=1),
    "standing": Codec(read=read_standing, write=write_standing, format=2),
    "counts": Codec(read=read_counts),
    "price_book": Codec(
        read=lambda text: decode_book(text.encode()),
        write=lambda book: encode_book(book).decode(),
        format=1,
    ),
    "occupied_sizes": Codec(
        read=lambda text: decode_sizes(text.encode()),
        write=lambda sizes: encode_sizes(sizes).decode(),
        format=1,
    ),
}


def newer(raw: Any) -> Any:
    """Return what is stored as a newer release would write it: each format in it one higher."""
    if isinstance(raw, list):
        return [newer(one) for one in raw]
    if isinstance(raw, str):
        document = json.loads(raw)
        return json.dumps({**document, "v": document["v"] + 1, "new": "shape"})
    row = dict(raw)
    if "v" in row:
        row["v"] += 1
    if "document_0" in row:
        texts = [row.pop(f"document_{number}") for number in range(_columns(row))]
        row["document_0"] = newer("".join(texts))
    return row


def _columns(row: Raw) -> int:
    return sum(name.startswith("document_") for name in row)
