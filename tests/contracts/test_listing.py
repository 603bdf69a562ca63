"""The contract of ListingStore: ranges in the order of keys, and all changes or none."""

import pytest

from replication.domain.errors import RecordChangedError
from replication.listing.store import ListingChange, ListingStore


def put(key: str, expected: str | None = "*", **document: object) -> ListingChange:
    return ListingChange(key=key, document=document or {"v": 1}, expected=expected)


def gone(key: str, expected: str | None = "*") -> ListingChange:
    return ListingChange(key=key, document=None, expected=expected)


def keys(store: ListingStore, first: str = "", last: str = "\uffff", limit: int = 100) -> list[str]:
    return [row.key for row in store.between(first, last, limit=limit)]


def test_there_is_nothing_at_first(listing_store: ListingStore) -> None:
    assert keys(listing_store) == []
    assert listing_store.get(["a"]) == {}
    assert listing_store.get([]) == {}


def test_rows_come_in_the_order_of_their_keys_and_within_a_range(
    listing_store: ListingStore,
) -> None:
    named = ["b|2", "a|1", "a|3|x", "a|2", "c", "a|10", "~", "a|2 (old)", "a|2-_.x"]
    listing_store.commit([put(name, text=name) for name in named])
    assert keys(listing_store) == sorted(named)
    assert keys(listing_store, "a|", "a|\uffff") == sorted(n for n in named if n.startswith("a|"))
    assert keys(listing_store, "a|2", "b|", limit=2) == ["a|2 (old)", "a|2-_.x"]
    assert keys(listing_store, "a|", "a|\uffff", limit=1) == ["a|1"]
    (row,) = listing_store.between("b|", "b|\uffff", limit=5)
    assert row.document == {"text": "b|2"}


def test_several_rows_are_fetched_at_once(listing_store: ListingStore) -> None:
    listing_store.commit([put(f"k{number:02}", n=number) for number in range(20)])
    found = listing_store.get([*(f"k{number:02}" for number in range(14)), "none"])
    assert sorted(found) == [f"k{number:02}" for number in range(14)]
    assert found["k07"].document == {"n": 7}


def test_a_row_is_put_over_whatever_is_there(listing_store: ListingStore) -> None:
    listing_store.commit([put("a", n=1)])
    listing_store.commit([put("a", n=2), put("b", n=3)])
    assert {row.key: row.document for row in listing_store.between("", "z", limit=9)} == {
        "a": {"n": 2},
        "b": {"n": 3},
    }


def test_a_tag_must_be_the_newest(listing_store: ListingStore) -> None:
    listing_store.commit([put("a", expected=None, n=1)])
    tag = listing_store.get(["a"])["a"].etag
    listing_store.commit([put("a", expected=tag, n=2)])
    assert listing_store.get(["a"])["a"].etag != tag
    with pytest.raises(RecordChangedError):
        listing_store.commit([put("a", expected=tag, n=3)])
    assert listing_store.get(["a"])["a"].document == {"n": 2}


@pytest.mark.parametrize(
    "broken",
    [put("there", expected=None), put("there", expected='W/"wrong"'), gone("missing")],
    ids=["there already", "another tag", "not there"],
)
def test_one_change_that_fails_undoes_all(
    listing_store: ListingStore, broken: ListingChange
) -> None:
    listing_store.commit([put("there", n=1), put("old", n=1)])
    for changes in (
        [put("new"), gone("old"), broken],
        [broken, put("new"), gone("old")],
    ):
        with pytest.raises(RecordChangedError):
            listing_store.commit(changes)
        assert keys(listing_store) == ["old", "there"]


def test_a_transaction_holds_a_hundred_changes_and_long_documents(
    listing_store: ListingStore,
) -> None:
    text = "ä" * 5000
    listing_store.commit([put(f"k{number:03}", text=text) for number in range(100)])
    assert len(keys(listing_store, limit=200)) == 100
    assert listing_store.get(["k099"])["k099"].document == {"text": text}
    listing_store.commit([gone(f"k{number:03}") for number in range(100)])
    assert keys(listing_store) == []


def test_a_tag_of_a_row_that_is_gone_is_no_tag(listing_store: ListingStore) -> None:
    listing_store.commit([put("a")])
    tag = listing_store.get(["a"])["a"].etag
    listing_store.commit([gone("a")])
    with pytest.raises(RecordChangedError):
        listing_store.commit([put("a", expected=tag)])


def test_a_row_with_another_tag_is_not_deleted(listing_store: ListingStore) -> None:
    listing_store.commit([put("a", n=1)])
    tag = listing_store.get(["a"])["a"].etag
    listing_store.commit([put("a", n=2)])
    with pytest.raises(RecordChangedError):
        listing_store.commit([gone("a", expected=tag)])
    assert keys(listing_store) == ["a"]
    listing_store.commit([gone("a", expected=listing_store.get(["a"])["a"].etag)])
    assert keys(listing_store) == []
