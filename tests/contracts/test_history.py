"""The contract of History: insert-only, ordered, harmless to repeat."""

import threading
from datetime import timedelta

from replication.azure.storage.history import TableHistory
from replication.domain.job import HistoryEntry
from replication.ports import History
from tests.support.builders import NOON
from tests.support.storage.emulator import FreshTables


def entry(number: int, reason: str = "because") -> HistoryEntry:
    return HistoryEntry(
        id=f"{number:020d}-{number:06d}",
        at=NOON + timedelta(seconds=number, microseconds=1),
        event="track",
        reason=reason,
        details={"regions": {"westus2": "replicating"}, "none": None, "list": [1, 2.5, True]},
    )


def test_a_job_without_entries_has_an_empty_timeline(history: History) -> None:
    assert history.read("nobody") == ()


def test_entries_come_back_as_written_oldest_first(history: History) -> None:
    history.append("key", [entry(3), entry(1)])
    history.append("key", [entry(2)])
    assert history.read("key") == (entry(1), entry(2), entry(3))


def test_adding_an_entry_again_changes_nothing(history: History) -> None:
    history.append("key", [entry(1), entry(2)])
    history.append("key", [entry(2), entry(2), entry(3)])
    assert history.read("key") == (entry(1), entry(2), entry(3))


def test_an_entry_that_is_added_anew_stands_as_it_was_added_last(history: History) -> None:
    history.append("key", [entry(1, "asked"), entry(2)])
    history.append("key", [entry(1, "done")])
    assert history.read("key") == (entry(1, "done"), entry(2))


def test_adding_nothing_is_allowed(history: History) -> None:
    history.append("key", [])
    assert history.read("key") == ()


def test_the_newest_entries_are_kept_where_there_are_more_than_asked_for(history: History) -> None:
    history.append("key", [entry(number) for number in range(9)])
    assert history.read("key", limit=4) == (entry(5), entry(6), entry(7), entry(8))


def test_a_timeline_is_read_backwards_page_by_page(history: History) -> None:
    history.append("key", [entry(number) for number in range(7, 14)])
    history.append("other", [entry(1)])
    pages = []
    before = None
    while page := history.read("key", limit=3, before=before):
        pages.append([int(one.id[:20]) for one in page])
        before = page[0].id
    assert pages == [[11, 12, 13], [8, 9, 10], [7]]
    assert history.read("key", before=entry(7).id) == ()


def test_more_entries_than_one_transaction_takes_are_all_kept(history: History) -> None:
    entries = tuple(entry(number) for number in range(130))
    history.append("key", entries)
    assert history.read("key") == entries


def test_every_job_has_its_own_timeline(history: History) -> None:
    history.append("one", [entry(1)])
    history.append("two", [entry(2)])
    assert history.read("one") == (entry(1),)


def test_quotes_in_a_key_end_nothing(history: History) -> None:
    history.append("key", [entry(1)])
    assert history.read("x' or PartitionKey ne '") == ()


def test_a_long_reason_of_every_alphabet_comes_back_whole(history: History) -> None:
    long = entry(1, reason="größe \U0001f300 " * 5000)
    history.append("key", [long])
    assert history.read("key") == (long,)


def test_two_that_create_the_table_at_once_both_write(fresh_tables: FreshTables) -> None:
    table = fresh_tables.table()
    errors: list[Exception] = []

    def write(number: int) -> None:
        try:
            TableHistory(table).append("key", [entry(number)])
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(TableHistory(table).read("key")) == 4
