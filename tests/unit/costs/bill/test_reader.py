"""A bill is summed up by what it is about, and every row that was read is accounted for."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costs.bill.file import open_bill
from costs.bill.model import Bill, Covered
from costs.bill.text import Kind
from replication.domain.errors import MalformedError
from tests.support.builders import version_id
from tests.support.costs.bills import (
    EA,
    FOCUS_1_0,
    FOCUS_1_2,
    MCA,
    OCTOBER,
    READER,
    Row,
    accounted,
    bill_row,
    month_rows,
    read_bill,
    write_csv,
    write_parquet,
)
from tests.support.speed import examples

VERSION = str(version_id())
MACHINE = "/subscriptions/1/resourceGroups/2/providers/Microsoft.Compute/virtualMachines/vm"


def bill_of(folder: Path, rows: list[Row], **options: str) -> Bill:
    return read_bill(write_csv(folder / "bill.csv", rows, **options))  # type: ignore[arg-type]  # texts only


def aside(bill: Bill) -> dict[str, int]:
    assert accounted(bill)
    return {one.reason: one.rows for one in bill.set_aside}


def near(one: Decimal, other: str) -> bool:
    return abs(one - Decimal(other)) < Decimal("0.000001")


@pytest.mark.parametrize("layout", [EA, MCA, FOCUS_1_0, FOCUS_1_2])
def test_a_month_is_the_same_in_every_layout_and_form(
    tmp_path: Path, layout: dict[str, str]
) -> None:
    rows = [*month_rows(), bill_row(resource=MACHINE, meter="D2s v5", unit="1 Hour")]
    for path in (
        write_csv(tmp_path / "bill.csv", rows, layout=layout),
        write_parquet(tmp_path / "bill.parquet", rows, layout=layout),
    ):
        bill = read_bill(path)
        (line,) = bill.lines
        assert (near(line.cost, "1"), near(line.gb, "10"), line.rows) == (True, True, 31)
        assert (line.key.kind, line.key.region, line.key.currency) == ("storage", "westus", "USD")
        assert (line.key.resource.id, line.key.month) == (VERSION.lower(), "2026-10")
        assert line.first_price == line.last_price
        assert line.last_price is not None
        assert near(line.last_price, "0.1")
        assert bill.months == {"2026-10": Covered(first=date(2026, 10, 1), last=date(2026, 10, 31))}
        assert [(one.reason, one.rows) for one in bill.out_of_scope] == [("other resources", 1)]
        assert (bill.rows, accounted(bill)) == (32, True)


def test_names_in_other_letters_are_the_same_line(tmp_path: Path) -> None:
    rows = [
        bill_row(region="West US"),
        bill_row(region="WestUS", resource=VERSION.upper()),
        bill_row(region="westus", currency="usd"),
    ]
    (line,) = bill_of(tmp_path, rows).lines
    assert line.rows == 3


def test_currencies_are_never_added_up(tmp_path: Path) -> None:
    rows = [bill_row(cost="1"), bill_row(cost="2", currency="EUR")]
    found = {one.key.currency: one.cost for one in bill_of(tmp_path, rows).lines}
    assert found == {"USD": 1, "EUR": 2}


def test_refunds_are_in_the_cost_and_not_in_the_quantity(tmp_path: Path) -> None:
    rows = [
        bill_row(cost="3", quantity="30"),
        bill_row(cost="-1", quantity="-10"),
        bill_row(cost="-0.5", quantity="", unit="", charge="Refund"),
    ]
    (line,) = bill_of(tmp_path, rows).lines
    assert (line.cost, line.gb, line.refund_rows, line.refunds) == (
        Decimal("1.5"),
        Decimal(30),
        2,
        Decimal("-1.5"),
    )


def test_a_correction_of_an_earlier_month_does_not_make_the_bill_cover_that_month(
    tmp_path: Path,
) -> None:
    late = bill_row(day="2026-09-05", charge="Usage", **{"class": "Correction"})
    bill = read_bill(write_csv(tmp_path / "b.csv", [*month_rows(), late], layout=FOCUS_1_2))
    assert list(bill.months) == ["2026-10"]
    assert sorted(line.key.month for line in bill.lines) == ["2026-09", "2026-10"]


def test_equal_rows_of_one_file_are_counted_and_told(tmp_path: Path) -> None:
    bill = bill_of(tmp_path, [bill_row(cost="1")] * 3)
    (line,) = bill.lines
    assert (line.cost, line.equal_cost) == (Decimal(3), Decimal(2))
    assert (line.rows, line.equal_rows) == (3, 2)
    assert bill.notes == (
        (
            "2 rows equal to another row of the same file: each is counted, since an export "
            "may have one for each replica; a line that only this makes too dear says so"
        ),
    )


def test_rows_that_two_files_have_count_once(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "first.csv", month_rows()[:20])
    second = write_parquet(tmp_path / "second.parquet", month_rows())
    bill = read_bill(first, second)
    (line,) = bill.lines
    assert (line.rows, near(line.cost, "1"), line.revised, line.equal_rows) == (31, True, False, 0)
    assert aside(bill) == {"rows that another of the files has as well, counted once": 20}


def test_the_same_file_twice_is_told_by_its_path(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows())
    bill = read_bill(path, path)
    assert {one.name for one in bill.files} == {str(path)}
    assert (bill.used, bill.rows) == (31, 62)


def test_a_later_export_with_other_figures_of_the_same_day_is_noticed(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "first.csv", [bill_row(cost="1")])
    second = write_csv(tmp_path / "second.csv", [bill_row(cost="1.1")])
    (line,) = read_bill(first, second).lines
    assert (line.revised, line.cost) == (True, Decimal("2.1"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"unit": "1 TB/Month"}, "unknown unit '1 TB/Month'; known are GB/Month and GB, with or "),
        ({"meter": "P10 LRS Disk"}, "unknown meter 'P10 LRS Disk' on a gallery's resource"),
        ({"currency": "dollars"}, "unknown currency 'dollars'"),
        ({"day": "soon"}, "the date cannot be read: 'soon'"),
        ({"cost": "free"}, "the cost is not a number: 'free'"),
        ({"cost": "NaN"}, "the cost is not a number: 'NaN'"),
        ({"cost": "1e30"}, "the cost is not a number: '1e30'"),
        ({"quantity": ""}, "the quantity is not a number: ''"),
        ({"quantity": "9e15", "unit": "1000000 GB/Month"}, "the quantity is not a number: '9e15'"),
        ({"charge": "Tax"}, "charges of the kind 'Tax', which the ledger does not have"),
        (
            {"resource": f"{VERSION}/extra"},
            f"the resource is no gallery, definition or version: '{VERSION[:60]}…'",
        ),
        ({"resource": ""}, "a snapshot meter without a resource, so that nobody can tell whose"),
    ],
)
def test_a_row_that_cannot_be_understood_is_set_aside_by_name(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    bill = bill_of(tmp_path, [bill_row(cost="1"), bill_row(**changes)])
    (one,) = bill.set_aside
    assert one.reason.startswith(reason)
    assert (one.rows, bill.used, accounted(bill)) == (1, 1, True)


def test_what_is_set_aside_is_told_with_its_amount_and_place(tmp_path: Path) -> None:
    rows = [bill_row(), bill_row(cost="2.5", unit="1 TB/Month"), bill_row(cost="x")]
    bill = bill_of(tmp_path, rows)
    assert [dict(one.amounts) for one in bill.set_aside] == [{}, {"USD": Decimal("2.5")}]
    assert bill.aside_by_place == {(VERSION.lower(), "2026-10"): 2}


def test_many_reasons_are_cut_and_counted(tmp_path: Path) -> None:
    rows = [bill_row(), *(bill_row(unit=f"unit {number}") for number in range(30))]
    bill = bill_of(tmp_path, rows)
    assert len(bill.set_aside) == 21
    assert (bill.set_aside[-1].reason, bill.set_aside[-1].rows) == ("10 more reasons", 10)
    assert accounted(bill)


def test_other_resources_are_out_of_scope_by_kind(tmp_path: Path) -> None:
    snapshot = MACHINE.replace("virtualMachines", "snapshots")
    rows = [
        bill_row(),
        bill_row(resource=snapshot),
        bill_row(resource=MACHINE, meter="Standard Inter-Region Data Transfer", unit="1 GB"),
        *[bill_row(resource=MACHINE, meter="D2s v5", day="no date")] * 2,
    ]
    bill = bill_of(tmp_path, rows)
    assert {one.reason: one.rows for one in bill.out_of_scope} == {
        "other resources": 2,
        "snapshots of disks, which belong to no gallery": 1,
        "transfer between regions, billed under other resources than galleries": 1,
    }
    assert (bill.transfers_elsewhere, accounted(bill)) == (1, True)


def test_one_month_can_be_asked_for(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", [*month_rows(), bill_row(day="2026-11-01")])
    bill = read_bill(path, month="2026-10")
    assert (list(bill.months), bill.used) == (["2026-10"], 31)
    assert [(one.reason, one.rows) for one in bill.out_of_scope] == [
        ("galleries' rows of months that were not asked for", 1)
    ]
    with pytest.raises(MalformedError, match="no usage in 2026-08; it has 2026-10, 2026-11"):
        read_bill(path, month="2026-08")


def test_a_bill_without_a_readable_date_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", [bill_row(day="soon")])
    with pytest.raises(MalformedError, match="there is 'soon', for a charge of the kind 'Usage'"):
        read_bill(path)


def test_a_transfer_is_a_line_of_its_own(tmp_path: Path) -> None:
    meter = "Standard Inter-Region Data Transfer"
    rows = [bill_row(), bill_row(meter=meter, unit="100 GB", quantity="30", cost="0.6")]
    found = {one.key.kind: one for one in bill_of(tmp_path, rows).lines}
    assert found[Kind.TRANSFER].gb == 30
    assert found[Kind.TRANSFER].gb_in_blocks == 3000


def test_focus_says_whether_it_counts_blocks(tmp_path: Path) -> None:
    row = bill_row(unit="100 GB/Month", quantity="0.3")
    priced = FOCUS_1_2 | {"quantity": "PricingQuantity", "unit": "x_PricingUnitDescription"}
    for layout, gb in ((FOCUS_1_2, "0.3"), (priced, "30")):
        (line,) = read_bill(write_csv(tmp_path / "b.csv", [row], layout=layout)).lines
        assert (line.gb, line.gb_in_blocks) == (Decimal(gb), Decimal(gb))


def test_a_decimal_comma_is_read_and_told(tmp_path: Path) -> None:
    rows = [bill_row(cost="0,05", quantity="1.234,5"), bill_row(cost="-1E-02", quantity="3")]
    bill = bill_of(tmp_path, rows, delimiter=";")
    (line,) = bill.lines
    assert (line.cost, line.gb) == (Decimal("0.04"), Decimal("1234.5"))
    assert "bill.csv writes numbers with a decimal comma; read as such" in bill.notes


def test_thousands_with_commas_are_read(tmp_path: Path) -> None:
    (line,) = bill_of(tmp_path, [bill_row(cost="1,234.5", quantity="2.5")]).lines
    assert line.cost == Decimal("1234.5")


def test_a_comma_that_may_be_either_is_set_aside(tmp_path: Path) -> None:
    bill = bill_of(
        tmp_path, [bill_row(cost="1,234", quantity="3"), bill_row(cost="1", quantity="3")]
    )
    assert aside(bill) == {"the cost is not a number: '1,234'": 1}
    assert any("may be one or a thousand" in note for note in bill.notes)


def test_a_time_zone_is_told(tmp_path: Path) -> None:
    rows = [*month_rows(), bill_row(day="2026-10-05T00:00:00+02:00")]
    bill = bill_of(tmp_path, rows)
    assert any(note.startswith("1 row with another hour than midnight") for note in bill.notes)


def test_dates_that_may_be_either_are_told(tmp_path: Path) -> None:
    bill = bill_of(tmp_path, [bill_row(day="10/5/2026")])
    assert bill.lines[0].first_day == date(2026, 10, 5)
    assert any("read as month/day/year; no date" in note for note in bill.notes)
    others = bill_of(tmp_path, [bill_row(day="31.10.2026")])
    assert any("read as day/month/year" in note for note in others.notes)


def test_a_region_that_no_list_has_is_told(tmp_path: Path) -> None:
    rows = [bill_row(region=f"Moon {number}") for number in range(7)]
    (note,) = bill_of(tmp_path, rows).notes
    assert note.startswith("7 rows in regions that the list of regions does not have ('moon")
    assert "and 2 more" in note


def test_a_price_that_changed_shows_at_both_ends(tmp_path: Path) -> None:
    rows = [
        bill_row(day="2026-10-01", quantity="1", cost="0.05"),
        bill_row(day="2026-10-20", quantity="1", cost="0.06"),
        bill_row(day="2026-10-31", quantity="0.0001", cost="0.0000001"),
    ]
    (line,) = bill_of(tmp_path, rows).lines
    assert (line.first_price, line.last_price) == (Decimal("0.05"), Decimal("0.06"))
    assert line.last_price_since == date(2026, 10, 20)


def test_late_usage_of_other_resources_makes_no_month(tmp_path: Path) -> None:
    machine = bill_row(resource=MACHINE, meter="D2s v5")
    rows = [*month_rows() * 4, machine | {"day": "2026-09-30"}]
    bill = bill_of(tmp_path, rows)
    assert list(bill.months) == ["2026-10"]
    told = "of 2026-09 the bill has 1 late row of other resources; that month is not compared"
    assert told in bill.notes


def test_a_month_of_other_resources_alone_is_a_month(tmp_path: Path) -> None:
    rows = [bill_row(resource=MACHINE, meter="D2s v5", day=day) for day in OCTOBER]
    assert list(bill_of(tmp_path, rows).months) == ["2026-10"]


@pytest.mark.parametrize("name", ["bill[1].csv", "bill*.csv", "month=2026-10/bill.csv"])
def test_the_name_of_a_file_is_no_pattern(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    assert read_bill(write_csv(path, month_rows())).used == 31
    parquet = write_parquet(tmp_path / "plain.parquet", month_rows())
    renamed = parquet.rename(path.with_suffix(".parquet"))
    assert read_bill(renamed).used == 31


def test_a_column_of_dates_that_holds_something_else_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows())
    with pytest.raises(MalformedError, match="the column of dates has more than 5 different"):
        replace(READER, most_dates=5).read([open_bill(path)])


ODD = st.sampled_from(["", "x", "1,5", "-1", "0", "1e3", "9e99", "1.234,5", "é", '"', "\n", "'"])
WORDS = st.fixed_dictionaries(
    {
        "day": st.sampled_from(["2026-10-01", "10/2/2026", "2026-11-01T00:00:00Z", "soon", ""]),
        "resource": st.sampled_from([VERSION, MACHINE, "", VERSION.rsplit("/", 2)[0], "/x/y"]),
        "meter": st.sampled_from(["LRS Snapshots", "Inter-Region Out", "D2s v5", ""]),
        "unit": st.sampled_from(["1 GB/Month", "100 GB", "1 TB", ""]),
        "quantity": ODD | st.just("2.5"),
        "cost": ODD | st.just("0.25"),
        "currency": st.sampled_from(["USD", "EUR", "?", ""]),
        "region": st.sampled_from(["westus", "US East", ""]),
        "charge": st.sampled_from(["Usage", "Refund", "Tax", ""]),
        "class": st.just(""),
        "": ODD,
    }
)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(rows=st.lists(WORDS, min_size=1, max_size=12), files=st.integers(1, 3), month=st.booleans())
def test_every_row_is_used_out_of_scope_or_set_aside(
    rows: list[Row], files: int, *, month: bool
) -> None:
    with TemporaryDirectory() as name:
        whole = [*rows, bill_row()]
        paths = [write_csv(Path(name) / f"{number}.csv", whole[number:]) for number in range(files)]
        bill = read_bill(
            *(path for path, number in zip(paths, range(files), strict=True) if whole[number:]),
            month="2026-10" if month else None,
        )
    assert accounted(bill)
    assert bill.rows == sum(len(whole[number:]) for number in range(files))
