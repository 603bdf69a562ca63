"""The contract of JobStore: compare-and-swap, pages, filters."""

import base64
import json
import threading
from dataclasses import replace

import pytest
from azure.data.tables import UpdateMode

from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.tables import split_text
from replication.domain.errors import MalformedError, NewerFormatError, RecordChangedError
from replication.ports import JobQuery, JobStore
from replication.records.job_codec import encode_job
from tests.support.builders import version_id
from tests.support.jobs import altered, job, large_job
from tests.support.storage.emulator import FreshTables


def keys(store: JobStore, query: JobQuery) -> list[str]:
    return [one.key for one in store.find(query).jobs]


def test_nothing_is_on_record_at_first(store: JobStore) -> None:
    assert store.load(version_id().key) is None


def test_the_list_is_empty_at_first(store: JobStore) -> None:
    page = store.find(JobQuery())
    assert (page.jobs, page.next_cursor) == ((), None)


def test_a_record_comes_back_as_it_was_written(store: JobStore) -> None:
    written = store.insert(job())
    loaded = store.load(version_id().key)
    assert loaded == written
    assert written.job == job()


def test_a_record_of_sixty_regions_with_long_reasons_comes_back_whole(store: JobStore) -> None:
    large = large_job()
    assert len(encode_job(large)) > 150_000
    store.insert(large)
    loaded = store.load(large.key)
    assert loaded is not None
    assert loaded.job == large


def test_a_record_that_shrinks_leaves_nothing_of_the_old_one(store: JobStore) -> None:
    stored = store.insert(large_job())
    store.replace(stored, job())
    loaded = store.load(version_id().key)
    assert loaded is not None
    assert loaded.job == job()


def test_a_second_first_record_is_refused(store: JobStore) -> None:
    store.insert(job())
    with pytest.raises(RecordChangedError):
        store.insert(job(reason="another"))


def test_a_record_is_replaced_by_whoever_read_the_newest(store: JobStore) -> None:
    stored = store.insert(job())
    again = store.replace(stored, altered(stored.job, polls=1))
    last = store.replace(again, altered(again.job, polls=2))
    loaded = store.load(version_id().key)
    assert loaded == last
    assert last.job.tries.polls == 2


def test_a_record_that_was_changed_meanwhile_is_not_overwritten(store: JobStore) -> None:
    stored = store.insert(job())
    store.replace(stored, altered(stored.job, polls=1))
    with pytest.raises(RecordChangedError):
        store.replace(stored, altered(stored.job, polls=99))
    loaded = store.load(version_id().key)
    assert loaded is not None
    assert loaded.job.tries.polls == 1


def test_a_record_that_is_not_there_cannot_be_replaced(store: JobStore) -> None:
    stored = store.insert(job())
    other = job(version_id(version="9.9.9"))
    with pytest.raises(RecordChangedError):
        store.replace(replace(stored, job=other), other)


def test_of_many_writers_at_once_one_wins(store: JobStore) -> None:
    stored = store.insert(job())
    won: list[int] = []
    lost: list[int] = []

    def write(number: int) -> None:
        try:
            store.replace(stored, altered(stored.job, polls=number))
        except RecordChangedError:
            lost.append(number)
        else:
            won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 5)


def test_pages_list_every_job_once_in_the_order_of_their_keys(store: JobStore) -> None:
    expected = sorted(
        store.insert(job(version_id(version=f"1.0.{number}"))).job.key for number in range(7)
    )
    found: list[str] = []
    cursor, pages = None, 0
    while True:
        page = store.find(JobQuery(limit=3, cursor=cursor))
        found += [one.key for one in page.jobs]
        assert len(page.jobs) <= 3
        pages, cursor = pages + 1, page.next_cursor
        if cursor is None:
            break
    assert found == expected
    assert pages == 3


@pytest.mark.parametrize(
    "cursor",
    [
        "garbage",
        "größe",
        "bm90IGpzb24=",
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b'{"x": 1}').decode(),
        base64.urlsafe_b64encode(b'{"PartitionKey": 5, "RowKey": "job"}').decode(),
        base64.urlsafe_b64encode(b"[" * 5000).decode(),
    ],
)
def test_a_cursor_that_nobody_gave_out_is_refused(store: JobStore, cursor: str) -> None:
    store.insert(job())
    with pytest.raises(MalformedError, match="cursor"):
        store.find(JobQuery(cursor=cursor))


def test_many_jobs_are_read_at_once_in_the_order_of_their_keys(store: JobStore) -> None:
    ids = [version_id(version=f"1.0.{number}") for number in range(20)]
    for one in ids[1:]:
        store.insert(job(one))
    wanted = [one.key for one in ids]
    assert [one.key for one in store.load_many(wanted)] == wanted[1:]
    assert store.load_many([]) == ()


def test_jobs_are_found_by_gallery_in_any_letter_case(store: JobStore) -> None:
    mine = store.insert(job(version_id(gallery="LabGallery"))).job
    store.insert(job(version_id(gallery="other")))
    assert keys(store, JobQuery(gallery="lABgallery")) == [mine.key]


def test_quotes_in_a_filter_end_nothing(store: JobStore) -> None:
    store.insert(job())
    assert keys(store, JobQuery(gallery="x' or RowKey ne '")) == []


def test_a_record_of_a_newer_release_is_left_alone(fresh_tables: FreshTables) -> None:
    table = fresh_tables.table()
    store = TableJobStore(table)
    stored = store.insert(job())
    readable = store.insert(job(version_id(version="1.0.1"))).job
    document = json.loads(encode_job(stored.job)) | {"v": 2}
    row = {"PartitionKey": stored.job.key, "RowKey": "job", "v": 2}
    table.call(
        lambda client: client.upsert_entity({**row, **split_text("document", json.dumps(document))})
    )
    with pytest.raises(NewerFormatError, match="format 2"):
        store.load(stored.job.key)
    assert keys(store, JobQuery()) == [readable.key]
    assert store.load_many([stored.job.key, readable.key]) == (readable,)


def test_a_record_that_cannot_be_read_hides_no_other_and_breaks_no_page(
    fresh_tables: FreshTables,
) -> None:
    table = fresh_tables.table()
    store = TableJobStore(table)
    jobs = [store.insert(job(version_id(version=f"1.0.{number}"))).job for number in range(5)]
    expected = sorted(one.key for one in jobs)
    broken = expected.pop(1)
    row = {"PartitionKey": broken, "RowKey": "job", "v": 1, "document_0": "{"}
    table.call(lambda client: client.upsert_entity(row, mode=UpdateMode.REPLACE))
    page = store.find(JobQuery(limit=3))
    assert [one.key for one in page.jobs] == expected[:3]
    rest = store.find(JobQuery(limit=3, cursor=page.next_cursor))
    assert [one.key for one in rest.jobs] == expected[3:]
    with pytest.raises(MalformedError):
        store.load(broken)


def test_two_that_create_the_table_at_once_both_write(fresh_tables: FreshTables) -> None:
    table = fresh_tables.table()
    errors: list[Exception] = []

    def write(number: int) -> None:
        try:
            TableJobStore(table).insert(job(version_id(version=f"1.0.{number}")))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(TableJobStore(table).find(JobQuery()).jobs) == 4
