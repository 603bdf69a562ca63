"""The list of dead letters shows what the store holds: after every change, or after a sweep."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from replication.dead_letters.filter import matches
from replication.dead_letters.index import ListedLetters
from replication.dead_letters.rows import (
    MAX_REGIONS,
    count_key,
    decode_letter,
    encode_letter,
    list_letter,
    standing_key,
)
from replication.domain.errors import MalformedError, RecordChangedError, TransientError
from replication.listing.store import ListingChange, ListingRow
from replication.ports import DeadLetter, LetterQuery, LetterState, ListedLetter
from tests.support.builders import NOON, version_id
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing

CODES, REGIONS = ("locked", "copy_failed", "x" * 300), ("westus2", "westus3", "uksouth")
SOURCES, GALLERIES = ("job", "event"), ("labs", "Other")


def at_once() -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(RecordChangedError),
        stop=stop_after_attempt(3),
        reraise=True,
    )


def a_letter(number: int = 1, **changes: object) -> DeadLetter:
    plain = DeadLetter(
        id=f"{number:032x}",
        at=NOON,
        source="job",
        code="locked",
        cause="because",
        attempts=1,
        correlation_id="c",
        image_version_id=str(version_id()),
        raw="{}",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # names of fields, as they come


@dataclass
class Desk:
    """Letters and their list in memory."""

    store: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    listing: MemoryListing = field(default_factory=MemoryListing)

    @property
    def letters(self) -> ListedLetters:
        return ListedLetters(store=self.store, listing=self.listing, retries=at_once)

    def found(self, query: LetterQuery) -> list[ListedLetter]:
        page = self.letters.find(query)
        shown = list(page.letters)
        while page.next_cursor is not None:
            page = self.letters.find(replace(query, cursor=page.next_cursor))
            shown += page.letters
        return shown


LETTERS = st.builds(
    a_letter,
    st.integers(0, 7),
    at=st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours)),
    code=st.sampled_from(CODES),
    source=st.sampled_from(SOURCES),
    state=st.sampled_from(LetterState),
    regions=st.lists(st.sampled_from(REGIONS), max_size=3).map(tuple),
    image_version_id=st.none()
    | st.just("no id")
    | st.sampled_from([str(version_id(gallery=name)) for name in GALLERIES]),
)
QUERIES = st.builds(
    LetterQuery,
    state=st.none() | st.sampled_from(LetterState),
    code=st.none() | st.sampled_from(CODES),
    source=st.none() | st.sampled_from(SOURCES),
    gallery=st.none() | st.sampled_from(GALLERIES),
    region=st.none() | st.sampled_from(REGIONS),
    image_version_id=st.none() | st.just(str(version_id(gallery="labs")).upper()),
    id_prefix=st.none() | st.sampled_from(["0" * 31, "0" * 31 + "3", "0" * 32, "a"]),
    laid_by=st.none() | st.just(NOON),
    limit=st.integers(1, 4),
)


@given(
    laid=st.lists(st.tuples(LETTERS, st.booleans(), st.booleans()), max_size=12),
    query=QUERIES,
)
def test_a_list_finds_and_counts_what_the_store_holds_whatever_was_missed(
    laid: list[tuple[DeadLetter, bool, bool]], query: LetterQuery
) -> None:
    desk = Desk()
    for letter, discard, missed in laid:
        if missed:
            desk.listing.failures = [TransientError("away", code="storage_500")]
        stored = desk.letters.get(letter.id)
        if discard and stored is not None:
            desk.letters.discard(stored)
        else:
            desk.letters.put(letter)
        desk.listing.failures.clear()
    if any(missed for _, _, missed in laid):
        desk.letters.mend()
    held = [list_letter(one) for one in desk.store.letters.values()]
    found = desk.found(query)
    assert sorted(one.id for one in found) == sorted(one.id for one in held if matches(one, query))
    assert {one.id: one for one in found}.items() <= {one.id: one for one in held}.items()
    assert desk.letters.causes() == desk.store.causes()
    for code in CODES:
        assert desk.letters.oldest(code) == desk.store.oldest(code)


def test_a_page_reads_one_row_more_than_its_limit() -> None:
    desk = Desk()
    for number in range(300):
        desk.letters.put(a_letter(number, regions=("westus2",), source=SOURCES[number % 2]))
    for query in (
        LetterQuery(),
        LetterQuery(region="westus2", code="locked", source="event"),
        LetterQuery(code="copy_failed"),
        LetterQuery(state=None, source="event"),
    ):
        desk.listing.rows_read = 0
        desk.letters.find(query)
        assert desk.listing.rows_read <= query.limit + 1


def test_a_letter_about_many_regions_is_found_by_each_of_them() -> None:
    regions = tuple(f"region{number}" for number in range(MAX_REGIONS + 60))
    desk = Desk()
    desk.letters.put(a_letter(1, regions=regions))
    desk.letters.put(a_letter(2, regions=regions[:1]))
    desk.letters.put(a_letter(1, regions=regions, code="copy_failed"))
    assert {one.id for one in desk.found(LetterQuery(region="region0"))} == set(desk.store.letters)
    assert [one.id for one in desk.found(LetterQuery(region=regions[-1]))] == [a_letter(1).id]
    assert desk.found(LetterQuery(region="elsewhere")) == []


def test_the_largest_change_of_a_letter_fits_into_one_transaction() -> None:
    desk = Desk()
    first = tuple(f"first{number}" for number in range(MAX_REGIONS))
    second = tuple(f"second{number}" for number in range(MAX_REGIONS))
    desk.letters.put(a_letter(1, regions=first))
    desk.letters.put(
        a_letter(1, regions=second, code="copy_failed", source="event", image_version_id=None)
    )
    assert len(desk.found(LetterQuery(region="second0"))) == 1
    assert desk.found(LetterQuery(region="first0")) == []


@dataclass
class Crossing(MemoryListing):
    """Runs something before a transaction, as another instance would."""

    before: list[Callable[[], None]] = field(default_factory=list)

    def commit(self, changes: object) -> None:
        if self.before:
            self.before.pop()()
        super().commit(changes)  # type: ignore[arg-type]  # passed on as it came


@pytest.mark.parametrize("starts", [None, a_letter(code="copy_failed")], ids=["new", "known"])
@pytest.mark.parametrize("ends", [None, a_letter(cause="newer")], ids=["discarded", "laid anew"])
def test_whoever_lists_last_has_seen_the_newest_letter(
    starts: DeadLetter | None, ends: DeadLetter | None
) -> None:
    listing = Crossing()
    desk = Desk(listing=listing)
    if starts is not None:
        desk.letters.put(starts)

    def another() -> None:
        stored = desk.store.get(a_letter().id)
        assert stored is not None
        if ends is None:
            desk.letters.discard(stored)
        else:
            desk.letters.put(ends)

    listing.before.append(another)
    desk.letters.put(a_letter(cause="older"))
    assert desk.found(LetterQuery()) == ([list_letter(ends)] if ends else [])
    assert desk.letters.causes() == desk.store.causes()


def test_a_letter_that_another_listed_between_discarding_and_listing_stays_listed() -> None:
    listing = Crossing()
    desk = Desk(listing=listing)
    desk.letters.put(a_letter())
    stored = desk.store.get(a_letter().id)
    assert stored is not None
    listing.before.append(lambda: desk.letters.put(a_letter(cause="laid anew")))
    desk.letters.discard(stored)
    (shown,) = desk.found(LetterQuery())
    assert shown.cause == "laid anew"


def test_a_letter_is_kept_though_its_list_is_out_of_reach_and_that_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    desk.listing.failures = [TransientError("away", code="storage_500")]
    desk.letters.put(a_letter())
    assert desk.store.get(a_letter().id) is not None
    assert desk.found(LetterQuery()) == []
    assert '"event": "letters.behind"' in caplog.text
    assert a_letter().id in caplog.text
    desk.letters.mend()
    assert desk.found(LetterQuery()) == [list_letter(a_letter())]


def test_a_sweep_of_a_list_in_order_writes_nothing() -> None:
    desk = Desk()
    for number in range(5):
        desk.letters.put(a_letter(number))
    before = dict(desk.listing.rows)
    desk.letters.mend()
    assert desk.listing.rows == before


def damage(desk: Desk, document: dict[str, object]) -> None:
    for key in [standing_key(a_letter().id), *desk.listing.rows]:
        if key.rstrip("|").endswith(a_letter().id):
            desk.listing.rows[key] = replace(desk.listing.rows[key], document=document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"v": True},
        {"v": 1},
        {**encode_letter(list_letter(a_letter())), "at": "2026-11-23T12:00:00"},
        {**encode_letter(list_letter(a_letter())), "state": "burnt"},
        {**encode_letter(list_letter(a_letter())), "attempts": "many"},
        {**encode_letter(list_letter(a_letter())), "id": 5},
    ],
    ids=str,
)
def test_a_damaged_row_hides_no_other_and_is_mended(document: dict[str, object]) -> None:
    desk = Desk()
    desk.letters.put(a_letter(1))
    desk.letters.put(a_letter(2))
    damage(desk, document)
    with pytest.raises(MalformedError):
        decode_letter(document)
    assert [one.id for one in desk.found(LetterQuery())] == [a_letter(2).id]
    assert desk.letters.oldest("locked") is None
    desk.letters.mend()
    assert {one.id for one in desk.found(LetterQuery())} == set(desk.store.letters)


def test_a_row_of_a_newer_release_hides_no_other_and_is_left_as_it_is() -> None:
    desk = Desk()
    desk.letters.put(a_letter(1))
    desk.letters.put(a_letter(2))
    newer = {"v": 2, "new": "shape"}
    damage(desk, newer)
    assert [one.id for one in desk.found(LetterQuery())] == [a_letter(2).id]
    desk.letters.put(a_letter(1, cause="other"))
    assert desk.listing.rows[standing_key(a_letter(1).id)].document == newer
    with pytest.raises(MalformedError, match="has format 2"):
        desk.letters.mend()


@pytest.mark.parametrize(
    "document", [{}, {"letters": "many", "regions": ["x"]}, {"letters": True, "code": 5}], ids=str
)
def test_what_cannot_be_read_of_a_count_counts_as_nothing(document: dict[str, object]) -> None:
    desk = Desk()
    key = count_key(list_letter(a_letter()))
    row = ListingRow(key=key, document=document, etag="0")
    desk.listing.rows[key] = row
    desk.letters.put(a_letter(regions=("westus2",)))
    (cause,) = desk.letters.causes()
    assert (cause.code, cause.letters, cause.regions) == ("locked", 1, {"westus2": 1})
    stored = desk.letters.get(a_letter().id)
    assert stored is not None
    desk.listing.commit([ListingChange(key=key, document=document)])
    desk.letters.discard(stored)
    assert desk.letters.causes() == ()
