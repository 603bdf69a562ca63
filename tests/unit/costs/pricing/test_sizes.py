"""How large a version may be, and what the bill has shown of its definition."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.pricing.sizes import (
    KnownSizes,
    OccupiedSize,
    decode_sizes,
    definition_id,
    encode_sizes,
    size_range,
)
from replication.domain.errors import MalformedError, NewerFormatError
from tests.support.builders import version_id

MATHS = definition_id(version_id())
SIZES = st.decimals("0.001", 5000, places=3, allow_nan=False)
VERSIONS = st.tuples(*(st.integers(0, 12),) * 3).map(lambda parts: ".".join(map(str, parts)))


def billed(
    gb: str, *, version: str = "1.0.0", month: str = "2026-10", definition: str = MATHS
) -> OccupiedSize:
    return OccupiedSize(
        definition_id=definition, version=version, gb=Decimal(gb), month=month, source="a test"
    )


def bounds(
    provisioned_gb: int | None, version: str, *known: OccupiedSize
) -> tuple[str, str, str, str] | None:
    found = size_range(provisioned_gb, version_id(version=version), known)
    if found is None:
        return None
    low, gb, high = (f"{one.normalize():f}" for one in (found.low_gb, found.gb, found.high_gb))
    return (low, gb, high, found.confidence)


def test_a_definition_is_named_by_its_arm_id_in_small_letters() -> None:
    assert definition_id(version_id(gallery="LabGallery", image="Maths")) == (
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/labs-rg/providers/"
        "microsoft.compute/galleries/labgallery/images/maths"
    )


def test_without_a_bill_the_provisioned_size_is_the_upper_bound() -> None:
    assert bounds(127, "1.0.0") == ("0", "127", "127", "low")
    found = size_range(127, version_id(), ())
    assert found is not None
    assert found.basis.startswith("upper bound: 127 GB provisioned")


def test_nothing_known_is_no_range() -> None:
    assert bounds(None, "1.0.0") is None


def test_the_bill_of_the_version_itself_is_taken_as_it_is() -> None:
    assert bounds(127, "1.0.0", billed("10.5")) == ("10.5", "10.5", "10.5", "high")


def test_the_newest_month_of_a_version_counts() -> None:
    months = (billed("10", month="2026-09"), billed("12", month="2026-10"))
    assert bounds(127, "1.0.0", *reversed(months)) == ("12", "12", "12", "high")


def test_one_earlier_version_narrows_the_range_to_a_tenth_on_either_side() -> None:
    assert bounds(127, "1.1.0", billed("10")) == ("9", "10", "11", "medium")


def test_several_versions_narrow_it_to_their_spread_around_the_nearest_earlier_one() -> None:
    known = (billed("10"), billed("14", version="1.1.0"), billed("40", version="1.10.0"))
    assert bounds(127, "1.9.0", *known) == ("0", "14", "70", "medium")


def test_versions_are_ordered_by_number_and_not_by_letter() -> None:
    known = (billed("20", version="1.9.0"), billed("21", version="1.10.0"))
    assert bounds(127, "1.11.0", *known) == ("17.9", "21", "23.1", "medium")


def test_a_version_before_all_that_were_billed_is_taken_like_the_first_of_them() -> None:
    known = (billed("20", version="2.0.0"), billed("22", version="3.0.0"))
    assert bounds(127, "1.0.0", *known) == ("18", "20", "24", "medium")


def test_the_provisioned_size_stays_the_upper_bound() -> None:
    assert bounds(32, "1.1.0", billed("31")) == ("27.9", "31", "32", "medium")
    assert bounds(20, "1.1.0", billed("31")) == ("20", "20", "20", "medium")


def test_earlier_versions_tell_before_the_creation_has_ended_with_less_confidence() -> None:
    assert bounds(None, "1.1.0", billed("10")) == ("9", "10", "11", "low")


def test_another_definition_tells_nothing() -> None:
    assert bounds(127, "1.1.0", billed("10", definition=f"{MATHS}2")) == ("0", "127", "127", "low")


def test_sizes_sorted_by_definition_tell_the_same() -> None:
    known = (billed("10"), billed("14", version="1.1.0"), billed("40", definition=f"{MATHS}2"))
    version = version_id(version="1.2.0")
    assert size_range(127, version, KnownSizes(known)) == size_range(127, version, known)


@given(
    provisioned_gb=st.one_of(st.none(), st.integers(1, 32767)),
    version=VERSIONS,
    known=st.lists(st.tuples(VERSIONS, SIZES, st.integers(1, 12)), max_size=6),
)
def test_a_range_is_in_order_and_ends_at_the_provisioned_size(
    provisioned_gb: int | None, version: str, known: list[tuple[str, Decimal, int]]
) -> None:
    sizes = [billed(str(gb), version=one, month=f"2026-{month:02}") for one, gb, month in known]
    found = size_range(provisioned_gb, version_id(version=version), sizes)
    assert (found is None) == (provisioned_gb is None and not sizes)
    if found is None:
        return
    assert 0 <= found.low_gb <= found.gb <= found.high_gb
    assert found.basis
    of_itself = any(one.version == version for one in sizes)
    assert (found.confidence == "high") == of_itself
    if provisioned_gb is not None and not of_itself:
        assert found.high_gb <= provisioned_gb


@given(
    st.lists(st.tuples(VERSIONS, SIZES, st.integers(1, 12)), max_size=6, unique_by=lambda o: o[0])
)
def test_sizes_come_back_from_json_as_they_went(known: list[tuple[str, Decimal, int]]) -> None:
    sizes = [billed(str(gb), version=one, month=f"2026-{month:02}") for one, gb, month in known]
    assert sorted(decode_sizes(encode_sizes(sizes)), key=str) == sorted(sizes, key=str)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"gb": "10"', '"gb": 10', "sizes.0.gb: int is not a text"),
        ('"gb": "10"', '"gb": "-1"', "sizes.0.gb: is no amount over 0"),
        ('"gb": "10"', '"gb": "NaN"', "sizes.0.gb: is no amount over 0"),
        ('"gb": "10"', '"gb": "ten"', "sizes.0.gb: is no amount over 0"),
        ('"month": "2026-10"', '"month": "2026-13"', "sizes.0.month: is not like 2026-10"),
        ('"version": "1.0.0"', '"version": "1.0"', "sizes.0.version: is no version"),
        (
            '"definition_id": "/sub',
            '"definition_id": "/SUB',
            "sizes.0.definition_id: is no id in small letters",
        ),
        ('"source"', '"origin"', "sizes.0.source: Field required"),
        ('"v": 1', '"v": true', "no format version 'v'"),
        ('"v": 1', '"v": 0', "no format version 'v'"),
        ('"sizes": [', '"sizes": 1, "x": [', "sizes: Input should be a valid tuple"),
        ("{", "[", "is not JSON"),
    ],
)
def test_sizes_that_cannot_be_read_are_refused_by_name(old: str, new: str, words: str) -> None:
    text = encode_sizes([billed("10")]).decode()
    assert old in text
    with pytest.raises(MalformedError, match=words):
        decode_sizes(text.replace(old, new, 1).encode())


def test_sizes_of_a_newer_release_are_left_to_it() -> None:
    with pytest.raises(NewerFormatError, match="format 2"):
        decode_sizes(b'{"v": 2}')
