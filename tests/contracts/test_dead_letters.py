"""The contract of DeadLetters: kept whole, found again, changed only by who saw the newest.

At the end what only the table can hold: rows of other releases, and rows that cannot be read.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty, UpdateMode

from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.listing import TableListing
from replication.dead_letters.desk import MAX_RAW
from replication.dead_letters.index import ListedLetters
from replication.dead_letters.rows import list_letter
from replication.domain.errors import MalformedError, RecordChangedError
from replication.domain.job import HistoryEntry
from replication.ports import (
    DeadLetter,
    DeadLetters,
    LetterCause,
    LetterQuery,
    Letters,
    LetterState,
    ListedLetter,
    StoredLetter,
)
from tests.support.builders import NOON, version_id
from tests.support.storage.emulator import FreshTables

ANY = LetterQuery(state=None)


def hex_id(number: int) -> str:
    return f"{number:032x}"


A1, B2, C3 = hex_id(0xA1), hex_id(0xB2), hex_id(0xC3)


def letter(letter_id: str = A1, **changes: Any) -> DeadLetter:
    plain = DeadLetter(
        id=letter_id,
        at=NOON.replace(microsecond=123456),
        source="replication-jobs",
        code="poison_message",
        cause="it's said: größe \U0001f300",
        attempts=5,
        correlation_id="corr-1",
        image_version_id=str(version_id()),
        raw='{"v": 1, "job": "o\'clock"}',
        regions=("westus2", "westus3"),
        timeline=(
            HistoryEntry(id="1", at=NOON, event="apply", reason="8 to add", details={"a": [1]}),
            HistoryEntry(id="2", at=NOON, event="giveup", reason="größe"),
        ),
    )
    return replace(plain, **changes)


def stored(letters: Letters, letter_id: str = A1) -> StoredLetter:
    found = letters.get(letter_id)
    assert found is not None
    return found


def found(letters: DeadLetters, query: LetterQuery = ANY) -> list[ListedLetter]:
    """Return what all pages show."""
    page = letters.find(query)
    shown = list(page.letters)
    while page.next_cursor is not None:
        page = letters.find(replace(query, cursor=page.next_cursor))
        shown += page.letters
    return shown


def listed(*wanted: DeadLetter) -> list[ListedLetter]:
    return [list_letter(one) for one in wanted]


def test_there_are_no_letters_at_first(letters: DeadLetters) -> None:
    page = letters.find(ANY)
    assert (page.letters, page.next_cursor) == ((), None)


def test_a_letter_that_is_not_there_is_none(letters: DeadLetters) -> None:
    assert letters.get("nobody's") is None


def test_a_letter_comes_back_as_it_was_laid(letters: DeadLetters) -> None:
    letters.put(letter())
    assert stored(letters).letter == letter()


def test_a_letter_that_was_sent_again_says_so(letters: DeadLetters) -> None:
    replayed = letter(
        state=LetterState.REPLAYED, state_at=NOON + timedelta(hours=1), state_reason="by Casey"
    )
    letters.put(replayed)
    assert stored(letters).letter == replayed


def test_a_letter_without_a_version_comes_back_so(letters: DeadLetters) -> None:
    bare = letter(
        image_version_id=None, raw="", cause="", correlation_id="", regions=(), timeline=()
    )
    letters.put(bare)
    assert stored(letters).letter == bare


def test_the_largest_letter_comes_back_whole(letters: DeadLetters) -> None:
    large = letter(raw="x" * MAX_RAW)
    letters.put(large)
    assert stored(letters).letter == large


def test_a_raw_message_outside_the_first_plane_comes_back_whole(letters: DeadLetters) -> None:
    # A character takes two UTF-16 units here, of which a column holds 32 Ki.
    wide = letter(raw="\U0001f300" * 40_000)
    letters.put(wide)
    assert stored(letters).letter == wide


def test_a_letter_laid_again_replaces_the_first(letters: DeadLetters) -> None:
    letters.put(letter(raw="x" * 50_000, state=LetterState.REPLAYED, state_at=NOON))
    letters.put(letter(attempts=6))
    assert found(letters) == listed(letter(attempts=6))


def test_a_letter_is_changed_only_by_who_saw_the_newest(letters: DeadLetters) -> None:
    letters.put(letter())
    old = stored(letters)
    letters.replace(old, letter(state=LetterState.REPLAYED, state_at=NOON))
    with pytest.raises(RecordChangedError):
        letters.replace(old, letter(state=LetterState.RESOLVED, state_at=NOON))
    assert stored(letters).letter.state is LetterState.REPLAYED


def test_a_letter_laid_anew_is_not_the_one_that_was_seen(letters: DeadLetters) -> None:
    letters.put(letter())
    old = stored(letters)
    letters.put(letter())
    with pytest.raises(RecordChangedError):
        letters.replace(old, letter(state=LetterState.REPLAYED, state_at=NOON))
    with pytest.raises(RecordChangedError):
        letters.discard(old)
    assert found(letters) == listed(letter())


def test_a_discarded_letter_is_gone_and_discarding_it_again_is_fine(letters: DeadLetters) -> None:
    letters.put(letter())
    letters.put(letter(B2))
    old = stored(letters)
    letters.discard(old)
    letters.discard(old)
    assert found(letters) == listed(letter(B2))
    with pytest.raises(RecordChangedError):
        letters.replace(old, letter())


def test_letters_come_page_by_page_the_newest_first(letters: DeadLetters) -> None:
    for hour, letter_id in enumerate((C3, A1, B2)):
        letters.put(letter(letter_id, at=NOON + timedelta(hours=hour)))
    first = letters.find(replace(ANY, limit=2))
    assert [one.id for one in first.letters] == [B2, A1]
    second = letters.find(replace(ANY, limit=2, cursor=first.next_cursor))
    assert [one.id for one in second.letters] == [C3]
    assert second.next_cursor is None
    assert letters.find(replace(ANY, limit=3)).next_cursor is None


def test_what_still_needs_someone_comes_first(letters: DeadLetters) -> None:
    letters.put(letter(A1, at=NOON + timedelta(hours=2), state=LetterState.RESOLVED))
    letters.put(letter(B2, at=NOON + timedelta(hours=1), state=LetterState.REPLAYED))
    letters.put(letter(C3))
    assert [one.id for one in found(letters)] == [C3, B2, A1]
    assert [one.id for one in found(letters, replace(ANY, limit=1))] == [C3, B2, A1]


def test_a_filter_of_a_list_gives_full_pages(letters: DeadLetters) -> None:
    for number in range(12):
        code = "locked" if number % 4 == 0 else "copy_failed"
        at = NOON - timedelta(minutes=number)
        letters.put(letter(hex_id(number), code=code, at=at))
    page = letters.find(replace(ANY, code="locked", limit=2))
    assert [one.id for one in page.letters] == [hex_id(0), hex_id(4)]
    rest = letters.find(replace(ANY, code="locked", limit=2, cursor=page.next_cursor))
    assert [one.id for one in rest.letters] == [hex_id(8)]
    assert rest.next_cursor is None


def test_letters_are_found_by_how_their_ids_begin(letters: DeadLetters) -> None:
    for letter_id in ("ab" * 16, "ab" * 15 + "ac", "ac" * 16):
        letters.put(letter(letter_id, state=LetterState.REPLAYED))
    query = replace(ANY, id_prefix="ab" * 15, limit=2)
    assert [one.id for one in letters.find(query).letters] == ["ab" * 16, "ab" * 15 + "ac"]
    assert [one.id for one in found(letters, replace(query, id_prefix="ac" * 16))] == ["ac" * 16]
    assert found(letters, replace(query, state=LetterState.OPEN)) == []


def test_a_list_shows_the_beginning_of_a_long_cause(letters: DeadLetters) -> None:
    long = letter(cause="ä" * 40_000, state_reason="ö" * 40_000)
    letters.put(long)
    (shown,) = found(letters)
    assert (shown.cause, shown.state_reason) == ("ä" * 999 + "…", "ö" * 299 + "…")
    letters.mend()
    assert found(letters) == [shown]
    assert stored(letters).letter == long


def test_open_letters_are_counted_by_code_and_region(letters: DeadLetters) -> None:
    assert letters.causes() == ()
    letters.put(letter(A1, code="locked", regions=("westus2", "westus3")))
    letters.put(letter(B2, code="locked", regions=("westus2",), at=NOON - timedelta(days=1)))
    letters.put(letter(C3, code="copy_failed", regions=()))
    assert letters.causes() == (
        LetterCause(code="copy_failed", letters=1, regions={}),
        LetterCause(code="locked", letters=2, regions={"westus2": 2, "westus3": 1}),
    )
    assert letters.oldest("locked") == NOON - timedelta(days=1)
    letters.replace(
        stored(letters, B2),
        letter(B2, code="locked", regions=("westus2",), state=LetterState.RESOLVED),
    )
    letters.discard(stored(letters, C3))
    assert letters.causes() == (
        LetterCause(code="locked", letters=1, regions={"westus2": 1, "westus3": 1}),
    )
    assert letters.oldest("locked") == stored(letters, A1).letter.at
    assert letters.oldest("copy_failed") is None


@pytest.mark.parametrize(
    "query",
    [
        LetterQuery(),
        replace(ANY, code="locked"),
        replace(ANY, source="job"),
        replace(ANY, gallery="LabGallery"),
        replace(ANY, region="norwayeast"),
        replace(ANY, image_version_id=str(version_id()).upper()),
        replace(ANY, laid_by=NOON),
        replace(ANY, code="locked", source="job", region="norwayeast"),
    ],
    ids=lambda query: str(query)[12:60],
)
def test_every_part_of_a_query_leaves_out_what_it_does_not_mean(
    letters: DeadLetters, query: LetterQuery
) -> None:
    wanted = letter(at=NOON, code="locked", source="job", regions=("norwayeast",))
    letters.put(wanted)
    letters.put(
        letter(
            B2,
            at=NOON + timedelta(microseconds=1),
            image_version_id=str(version_id(gallery="other")),
            state=LetterState.RESOLVED,
            state_at=NOON,
        )
    )
    assert found(letters, query) == listed(wanted)


@pytest.mark.parametrize("cursor", ["x", "' or RowKey gt '", "A" * 31 + "'", "bmV3fA"])
def test_a_cursor_of_anothers_making_is_refused(letters: DeadLetters, cursor: str) -> None:
    with pytest.raises(MalformedError, match="cursor"):
        letters.find(replace(ANY, cursor=cursor))


def damaged(tables: FreshTables, **columns: Any) -> ListedLetters:
    """Lay two letters, damage the first and sweep; a column given as None is removed."""
    table = tables.table()
    letters = ListedLetters(
        store=TableDeadLetters(table), listing=TableListing(tables.table(), partition="letters")
    )
    letters.put(letter())
    letters.put(letter(B2, at=NOON - timedelta(days=1)))
    row = table.call(lambda client: client.get_entity("letters", A1))
    changed = {key: value for key, value in {**row, **columns}.items() if value is not None}
    table.call(lambda client: client.upsert_entity(changed, mode=UpdateMode.REPLACE))
    letters.mend()
    return letters


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"at": None}, "malformed_message"),
        ({"at": "yesterday"}, "malformed_message"),
        ({"at": "2026-11-23T12:00:00"}, "malformed_message"),
        ({"source": None}, "malformed_message"),
        ({"attempts": "many"}, "malformed_message"),
        ({"state": "burnt"}, "malformed_message"),
        ({"cause_0": None, "cause_1": "x"}, "malformed_message"),
        ({"v": "one"}, "malformed_message"),
        ({"v": 2, "state": "parked"}, "newer_format"),
        ({"v": EntityProperty(2**40, EdmType.INT64)}, "newer_format"),
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_is_shown_and_hides_no_other(
    fresh_tables: FreshTables, columns: dict[str, Any], code: str
) -> None:
    letters = damaged(fresh_tables, **columns)
    by_id = {one.id: one for one in found(letters, LetterQuery())}
    first = by_id.pop(A1)
    assert (first.code, first.source) == (code, "unreadable")
    assert first.cause.startswith("unreadable letter: ")
    assert stored(letters).letter.raw == letter().raw
    assert [*by_id] == [B2]


@pytest.mark.parametrize("timeline", ["{", "[" * 16_000, '[{"id": 1}]', "[1]"])
def test_a_letter_whose_timeline_cannot_be_read_is_listed_and_says_so_itself(
    fresh_tables: FreshTables, timeline: str
) -> None:
    letters = damaged(fresh_tables, timeline_0=timeline)
    assert [one.id for one in found(letters, LetterQuery())] == [A1, B2]
    broken = stored(letters).letter
    assert (broken.code, broken.source) == ("malformed_message", "unreadable")
    assert broken.cause.startswith("unreadable letter: ")
    assert broken.raw == letter().raw


def test_a_row_whose_raw_text_has_a_hole_is_shown_without_it(fresh_tables: FreshTables) -> None:
    letters = damaged(fresh_tables, raw_0=None, raw_1="x")
    assert stored(letters).letter.raw == ""


def test_a_row_that_cannot_be_read_is_never_written_over_and_may_be_discarded(
    fresh_tables: FreshTables,
) -> None:
    letters = damaged(fresh_tables, v=2)
    old = stored(letters)
    with pytest.raises(RecordChangedError, match="left as it is"):
        letters.replace(old, replace(old.letter, state=LetterState.RESOLVED))
    assert stored(letters) == old
    letters.discard(old)
    assert [one.id for one in found(letters)] == [B2]


def test_a_letter_of_an_older_release_is_open(fresh_tables: FreshTables) -> None:
    letters = damaged(
        fresh_tables,
        v=None,
        state=None,
        gallery=None,
        regions=None,
        timeline_0=None,
        state_reason_0=None,
    )
    first, _ = found(letters, LetterQuery(gallery="labgallery", limit=1))
    assert first == list_letter(letter(regions=()))
    assert stored(letters).letter == letter(regions=(), timeline=())
