"""Whatever costs are grouped by, the groups and what is left out come to the same totals."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.ledger.engine import ledger_connection
from costs.report.facts import Group, Money, add_up
from costs.report.groups import key_names, spans_of
from costs.report.ledger_facts import Facts, open_facts
from costs.report.query import Dimension, ReportQuery, month_text
from tests.support.costs.ledgers import ledger_file, ledger_row
from tests.support.speed import examples

FIRST = date(2026, 9, 28)
LAST = date(2026, 11, 3)
VERSIONS = ("1.0.0", "2.0.0")
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


@st.composite
def _rows(draw: st.DrawFn) -> dict[str, Any]:
    return ledger_row(
        day=draw(st.sampled_from([*DAYS[:4], *DAYS[-4:]])),
        gallery=draw(st.sampled_from(["one", "two"])),
        image=draw(st.sampled_from(["maths", "physics"])),
        version=draw(st.sampled_from(["1.0.0", "2.0.0"])),
        region=draw(st.sampled_from(["eastus", "westus"])),
        monthly=draw(st.none() | st.sampled_from(["0", "3", "31", "-30"])),
        egress=draw(st.none() | st.sampled_from(["0.5", "2"])),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        lab=draw(st.sampled_from([None, "biology", "Biology"])),
        cost_center=draw(st.sampled_from([None, "42"])),
        unpriced=draw(st.none() | st.just("no price for the transfer")),
    )


# The ledger has one row a version, region and day.
ROWS = st.lists(
    _rows(), max_size=25, unique_by=lambda row: (row["version_key"], row["region"], row["day"])
)
GROUPINGS = st.lists(st.sampled_from(Dimension), min_size=1, max_size=4, unique=True)


@contextmanager
def opened(rows: list[dict[str, Any]], **changes: Any) -> Iterator[Facts]:
    query = ReportQuery(**({"from_day": FIRST, "to_day": LAST} | changes))
    with TemporaryDirectory() as folder:
        path = ledger_file(Path(folder) / "all.parquet", rows)
        with ledger_connection([path]) as connection:
            yield open_facts(connection, query)


def keys_of(row: dict[str, Any], dimensions: Sequence[Dimension]) -> tuple[str | None, ...]:
    """Return a row's keys as they are shown, by nothing but the row itself."""
    values = row | {
        "subscription": row["subscription_id"],
        "storage_type": row["storage_account_type"],
        "month": month_text(row["day"]),
        "day": row["day"].isoformat(),
    }
    return tuple(values[name] for name in key_names(dimensions))


def money(row: dict[str, Any]) -> Money:
    return Money(
        currency=row["currency"],
        storage=row["storage_cost"],
        egress=row["egress_cost"],
        replica_days=row["replicas"],
        rows=1,
        unpriced_rows=row["storage_cost"] is None,
        incomplete_rows=row["unpriced"] is not None,
    )


def known(of: Money) -> Money:
    """Return money in which a transfer that is not known is none: groups need not agree there."""
    return Money(
        currency=of.currency,
        storage=of.storage,
        egress=of.egress or Decimal(0),
        replica_days=of.replica_days,
        rows=of.rows,
        unpriced_rows=of.unpriced_rows,
        incomplete_rows=of.incomplete_rows,
    )


@settings(max_examples=examples(50), deadline=None)
@given(
    rows=ROWS,
    dimensions=GROUPINGS,
    asked=GROUPINGS,
    currency=st.sampled_from([None, "USD", "JPY"]),
    limit=st.sampled_from([1, 2, 5, 1000]),
)
def test_any_grouping_is_what_adding_up_the_rows_gives(
    rows: list[dict[str, Any]],
    dimensions: list[Dimension],
    asked: list[Dimension],
    currency: str | None,
    limit: int,
) -> None:
    own = [row for row in rows if currency in (None, row["currency"])]
    by_keys: dict[tuple[tuple[str | None, ...], str], list[Money]] = defaultdict(list)
    for row in own:
        by_keys[keys_of(row, dimensions), row["currency"]].append(money(row))
    expected = {key: known(add_up(of)[key[1]]) for key, of in by_keys.items()}
    with opened(rows, currency=currency, limit=limit, group_by=tuple(asked)) as facts:
        found = facts.groups(dimensions)
        days = facts.own_days
    shown = {
        (tuple(one.keys.values()), one.money.currency): known(one.money) for one in found.items
    }
    assert shown.items() <= expected.items()
    assert len(found.items) == min(limit, len(expected))
    assert found.left_out == len(expected) - len(shown)
    everything = add_up([*(one.money for one in found.items), *found.left_out_money.values()])
    totals = add_up(one.money for one in days)
    assert {name: known(one) for name, one in everything.items()} == {
        name: known(one) for name, one in totals.items()
    }
    assert list(found.items) == sorted(found.items, key=_place)


def _place(group: Group) -> tuple[object, ...]:
    times = [group.keys[name] for name in ("month", "day") if name in group.keys]
    return (*times, group.money.currency, -(group.money.total or Decimal(0)))


def test_days_are_shown_from_the_first_on_whatever_they_cost() -> None:
    rows = [ledger_row(day=day, monthly=f"{number}") for number, day in enumerate(DAYS)]
    with opened(rows, limit=3) as facts:
        found = facts.groups((Dimension.GALLERY, Dimension.DAY))
    assert [one.keys["day"] for one in found.items] == [f"{day}" for day in DAYS[:3]]
    assert found.left_out == len(DAYS) - 3


def test_letter_case_is_no_further_group_even_where_groups_are_only_counted() -> None:
    rows = [
        ledger_row(day=day, region=region) | {"image_version_id": spelled, "gallery": gallery}
        for day in DAYS[-8:]
        for region, gallery in (("eastus", "labgallery"), ("westus", "LABGALLERY"))
        for spelled in [ledger_row()["image_version_id"].replace("labgallery", gallery)]
    ]
    for first in (Dimension.GALLERY, Dimension.DEFINITION, Dimension.VERSION):
        with opened(rows, limit=1) as facts:
            found = facts.groups((first, Dimension.DAY))
        assert (len(found.items), found.left_out) == (1, 7)


def test_a_month_is_one_span_and_no_rows_are_none() -> None:
    with opened([ledger_row(day=day) for day in DAYS]) as facts:
        months = spans_of(facts.days, by_month=True)
        (whole,) = spans_of(facts.days, by_month=False)
    assert [(one.month, one.first.day, one.last.day) for one in months] == [
        ("2026-09", 28, 30),
        ("2026-10", 1, 31),
        ("2026-11", 1, 3),
    ]
    assert (whole.month, whole.first, whole.last, whole.currencies) == ("", FIRST, LAST, ("USD",))
    assert spans_of((), by_month=False) == ()


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_the_dearest_of_one_currency_come_from_its_own_rows(currency: str) -> None:
    rows = [
        ledger_row(day=LAST, monthly="30", currency="USD"),
        ledger_row(day=LAST, monthly="60", region="eastus", currency="EUR"),
    ]
    with opened(rows) as facts:
        found = facts.groups((Dimension.VERSION,), limit=1, currency=currency)
    assert [one.money.currency for one in found.items] == [currency]
    assert (found.left_out, found.left_out_money) == (0, {})


def test_months_of_versions_are_kept_apart_whether_asked_for_or_not() -> None:
    rows = [ledger_row(day=day, monthly="30", version=text) for day in DAYS for text in VERSIONS]
    of_month = {"2026-09": 3, "2026-10": 31, "2026-11": 3}
    for asked in ((Dimension.GALLERY,), (Dimension.VERSION, Dimension.MONTH)):
        with opened(rows, group_by=asked) as facts:
            by_month = facts.groups((Dimension.VERSION, Dimension.MONTH)).items
            (whole,) = facts.groups((Dimension.GALLERY,)).items
        assert [(one.keys["month"], one.money.rows) for one in by_month] == [
            (month, count) for month, count in of_month.items() for _ in VERSIONS
        ]
        assert whole.money.rows == 2 * len(DAYS)


def test_groups_of_single_rows_are_counted_without_looking() -> None:
    rows = [ledger_row(day=day, version=text) for day in DAYS for text in VERSIONS]
    with opened(rows, limit=3) as facts:
        found = facts.groups((Dimension.VERSION, Dimension.REGION, Dimension.DAY))
    assert (len(found.items), found.left_out) == (3, len(rows) - 3)
    assert found.left_out_money["USD"].rows == len(rows) - 3
