"""Rows in real tables: chunks missing, types wrong, written by a newer release."""

import json
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty, UpdateMode

from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.history import TableHistory, entry_row
from replication.azure.storage.job_store import TableJobStore, job_row
from replication.azure.storage.tables import Table, join_text, split_text
from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.job import HistoryEntry
from replication.ports import DeadLetter, JobQuery
from tests.support.arm.raw import RawAnswer, running_raw_arm
from tests.support.builders import NOON, version_id
from tests.support.horrors import TEXTS
from tests.support.jobs import job, large_job
from tests.support.storage.emulator import FreshTables

LARGE = large_job()
KEY = LARGE.key
HEALTHY = job(version_id(image="healthy"))


@pytest.fixture
def table(fresh_tables: FreshTables) -> Table:
    table = fresh_tables.table()
    TableJobStore(table).insert(LARGE)
    TableJobStore(table).insert(HEALTHY)
    return table


def rewrite(table: Table, **changes: Any) -> dict[str, Any]:
    """Write the large job's row with changes; a column that is None is left out."""
    row = {**job_row(LARGE), **changes}
    row = {name: value for name, value in row.items() if value is not None}
    write(table, row)
    return stored(table)


def write(table: Table, row: dict[str, Any], mode: UpdateMode = UpdateMode.REPLACE) -> None:
    table.call(lambda client: client.upsert_entity(row, mode=mode))


def stored(table: Table) -> dict[str, Any]:
    row: Any = table.call(lambda client: client.get_entity(KEY, "job"))
    return {**row, "etag": row.metadata["etag"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"document_0": None}, "the column document_0 is missing"),
        ({"document_3": None}, "the column document_3 is missing"),
        ({"document_2": 5}, "the column document_2 is int"),
        ({"document_1": b"\xff"}, "the column document_1 is bytes"),
        ({"document_0": ""}, "is not JSON"),
        ({"document_0": "\ufeff{"}, "is not JSON"),
        ({"v": None}, "no format version 'v'"),
        ({"v": 0}, "no format version 'v'"),
        ({"v": "1"}, "no format version 'v'"),
        ({"v": "x"}, "no format version 'v'"),
        ({"v": True}, "no format version 'v'"),
        ({"v": 1.5}, "no format version 'v'"),
        (split_text("document", "[]"), "is not JSON|is not a JSON object"),
        (
            dict.fromkeys(job_row(LARGE)) | job_row(HEALTHY) | {"PartitionKey": KEY},
            f"the record {KEY} is about /subscriptions",
        ),
    ],
)
def test_a_row_that_cannot_be_read_stays_and_hides_no_other(
    table: Table, changes: dict[str, Any], said: str
) -> None:
    before = rewrite(table, **changes)
    store = TableJobStore(table)
    with pytest.raises(MalformedError, match=said):
        store.load(KEY)
    page = store.find(JobQuery())
    assert page.jobs == (HEALTHY,)
    assert [(one.key, one.newer) for one in page.unreadable] == [(KEY, False)]
    assert stored(table) == before


@pytest.mark.parametrize("version", [2, 2**31 - 1, EntityProperty(2**40, EdmType.INT64)])
def test_a_row_of_a_newer_release_stays_whatever_its_columns_are(
    table: Table, version: Any
) -> None:
    before = rewrite(table, v=version, document_0=None, phase=5, later="x")
    store = TableJobStore(table)
    with pytest.raises(NewerFormatError, match="this release reads 1"):
        store.load(KEY)
    page = store.find(JobQuery())
    assert page.jobs == (HEALTHY,)
    assert [(one.key, one.newer) for one in page.unreadable] == [(KEY, True)]
    assert stored(table) == before


def test_what_no_table_would_take_is_written_all_the_same(table: Table) -> None:
    store = TableJobStore(table)
    strange = job(version_id(version="2.0.0"), reason="\udfff\0", trigger="\0")
    store.insert(strange)
    loaded = store.load(strange.key)
    assert loaded is not None
    assert loaded.job == strange


def test_one_entry_that_cannot_be_read_leaves_the_others_of_a_timeline(
    fresh_tables: FreshTables,
) -> None:
    table = fresh_tables.table()
    history = TableHistory(table)
    stamp = f"{int(NOON.timestamp() * 1_000_000):020d}"
    entries = [
        HistoryEntry(id=f"{stamp}-00000{number}", at=NOON, event="track", reason="because")
        for number in range(3)
    ]
    history.append("key", entries)
    horrors = ["{", "[]", "null", '{"id": 5}', "[" * 12_000, '{"details": []}', ""]
    for text in horrors:
        keys = {name: entry_row("key", entries[1])[name] for name in ("PartitionKey", "RowKey")}
        write(table, {**keys, **split_text("entry", text)})
        first, shown, last = history.read("key")
        assert (first, last) == (entries[0], entries[2])
        assert (shown.id, shown.at, shown.event) == (entries[1].id, NOON, "unreadable")
        assert shown.reason.startswith("this entry of the timeline cannot be read: ")


@pytest.mark.parametrize("row_key", ["x", "9" * 40, "9" * 20, "٣", "-1"])
def test_an_unreadable_entry_under_any_id_is_shown(fresh_tables: FreshTables, row_key: str) -> None:
    table = fresh_tables.table()
    row = {"PartitionKey": "key", "RowKey": row_key, "entry_0": 5}
    write(table, row)
    (shown,) = TableHistory(table).read("key")
    assert shown.event == "unreadable"
    assert entry_row("key", shown)["RowKey"] == row_key


def letter(letter_id: str, **changes: Any) -> DeadLetter:
    plain = DeadLetter(
        id=letter_id,
        at=NOON,
        source="q",
        code="poison_message",
        cause="",
        attempts=1,
        correlation_id="",
        image_version_id=None,
        raw="",
    )
    return replace(plain, **changes)


def test_a_letter_of_any_text_is_kept(fresh_tables: FreshTables) -> None:
    letters = TableDeadLetters(fresh_tables.table())
    for number, text in enumerate(TEXTS):
        kept = letter(f"{number:032x}", raw=text, cause=text, correlation_id=text[:200])
        letters.put(kept)
        found = letters.get(kept.id)
        assert found is not None
        assert found.letter.raw == text.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize(
    "changes",
    [{"at": "noon"}, {"attempts": "x"}, {"state": "dreaming"}, {"timeline_0": "{"}, {"raw_0": 5}],
)
def test_a_letter_that_cannot_be_read_is_shown_and_hides_no_other(
    fresh_tables: FreshTables, changes: dict[str, Any]
) -> None:
    table = fresh_tables.table()
    letters = TableDeadLetters(table)
    letters.put(letter("a" * 32, raw="one"))
    letters.put(letter("b" * 32, raw="two"))
    row = {"PartitionKey": "letters", "RowKey": "a" * 32, **changes}
    write(table, row, UpdateMode.MERGE)
    found = letters.after("", limit=5)
    assert [one.id for one in found] == ["a" * 32, "b" * 32]
    broken = letters.get("a" * 32)
    assert broken is not None
    assert broken.letter.cause.startswith("unreadable letter: ")


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_spread_over_columns_that_a_table_takes(text: str) -> None:
    columns = split_text("raw", text)
    assert all(len(part.encode("utf-16-le")) <= 64 * 1024 for part in columns.values())
    assert join_text("raw", columns) == text.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize(
    "text", [text for text in TEXTS if text.strip()] + ["AccountName", "a=b", ";", "=", "a=b;c"]
)
def test_a_connection_string_that_is_none_is_named_by_its_setting(text: str) -> None:
    account = StorageAccount(connection_string=text)
    for connect in (account.tables, account.queues):
        with pytest.raises(MalformedError, match="AzureWebJobsStorage is no connection"):
            connect()


@pytest.mark.parametrize("key", ["AccountKey=not base64", "AccountKey=", "AccountKey"])
def test_a_connection_string_is_never_repeated_since_it_holds_a_key(key: str) -> None:
    account = StorageAccount(connection_string=f"AccountName=secret;{key};EndpointSuffix")
    with pytest.raises(MalformedError) as raised:
        account.tables()
    assert "secret" not in json.dumps(str(raised.value))


@pytest.mark.parametrize("status", [500, 503])
def test_a_storage_that_stumbles_once_is_asked_again(status: int) -> None:
    with running_raw_arm() as storage:
        account = StorageAccount(
            connection_string="AccountName=account;AccountKey=c2VjcmV0;"
            f"TableEndpoint={storage.url}/account"
        )
        storage.answer(RawAnswer(body=b'{"value": []}'))
        with account.tables() as tables:
            table = Table(tables, "records")
            for ask in (
                lambda: TableJobStore(table).find(JobQuery()).jobs,
                lambda: TableHistory(table).read("key"),
                lambda: TableDeadLetters(table).after("", limit=5),
            ):
                storage.first = [RawAnswer(status=status), RawAnswer(status=status)]
                assert ask() == ()
                assert storage.first == []
