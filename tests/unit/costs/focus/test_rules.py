"""A file that breaks a rule of FOCUS is caught, whichever kind of rule it is."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest

from costs.focus.export import write_focus
from costs.ledger.engine import ledger_connection
from costs.report.query import ReportQuery
from replication.domain.errors import MalformedError
from tests.support.costs.focus_rules import Violation, focus_rules, violations
from tests.support.costs.ledgers import DAY, ledger_files, ledger_row

QUERY = ReportQuery(from_day=date(2026, 11, 1), to_day=date(2026, 11, 30))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an export of two rows, as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("focus")
    rows = [ledger_row(region="westus"), ledger_row(region="eastus", lab="one")]
    with ledger_connection(ledger_files(folder, rows)) as connection:
        for name, parquet in (("good.csv", False), ("good.parquet", True)):
            write_focus(connection, QUERY, folder / name, parquet=parquet)
    return folder


def broken_csv(good: Path, folder: Path, **cells: str) -> Path:
    """Return a copy whose first row has these cells; the empty text is a null."""
    with (good / "good.csv").open(encoding="utf-8", newline="") as file:
        names, first, *rest = csv.reader(file)
    for name, value in cells.items():
        first[names.index(name)] = value
    return write(folder, names, [first, *rest])


def write(folder: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path = folder / "broken.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def broken_parquet(good: Path, folder: Path, replacing: str) -> Path:
    path = folder / "broken.parquet"
    with duckdb.connect() as engine:
        rows = engine.read_parquet(str(good / "good.parquet"))
        rows.create_view("good")
        engine.execute(f"COPY (SELECT * REPLACE ({replacing}) FROM good) TO '{path}'")  # noqa: S608 - a test's
    return path


def rules_broken(path: Path, column: str) -> list[str]:
    found = violations(path)
    assert column in {one.column for one in found}, found
    return [one.rule for one in found if one.column == column]


def test_the_files_to_be_broken_are_good(good: Path) -> None:
    assert violations(good / "good.csv") == ()
    assert violations(good / "good.parquet") == ()


BROKEN_CELLS = [
    # no value where there must be one
    ("BilledCost", "", "is null"),
    ("ServiceName", "", "is null"),
    ("ServiceName", "  ", "is empty, which is not null"),
    ("RegionName", "Not Applicable", "is a placeholder"),
    # numbers
    ("BilledCost", "1,5", "is no number"),
    ("BilledCost", "+1", "is no number"),
    ("BilledCost", "$1", "is no number"),
    ("BilledCost", "1 1/2", "is no number"),
    ("PricingQuantity", "35.2E+7", "is no number"),
    ("PricingQuantity", "NaN", "is no number"),
    ("ListUnitPrice", "-0.1", "is negative"),
    # moments
    ("ChargePeriodStart", "2026-11-20", "is no time in UTC"),
    ("ChargePeriodStart", "2026-11-20 00:00:00", "is no time in UTC"),
    ("ChargePeriodStart", "2026-11-20T00:00:00+01:00", "is no time in UTC"),
    ("ChargePeriodEnd", "2026-13-01T00:00:00Z", "is no time in UTC"),
    ("BillingPeriodEnd", "11/30/2026", "is no time in UTC"),
    # other forms
    ("BillingCurrency", "usd", "is no currency"),
    ("BillingCurrency", "US Dollar", "is no currency"),
    ("PricingUnit", "gigabyte-months", "is no unit"),
    ("PricingUnit", "GBs", "is no unit"),
    ("PricingUnit", "GB-Month", "is no unit"),
    ("ConsumedUnit", "1.5 Hours", "is no unit"),
    ("ConsumedUnit", "GB Months", "is no unit"),
    ("PricingUnit", "GB Months", "is no unit"),
    ("SkuMeter", "Snapshots\0LRS", "has a NUL character"),
    ("Tags", "lab=one", "is no object of keys and plain values"),
    ("Tags", "[1]", "is no object of keys and plain values"),
    ("Tags", '{"lab": {"a": 1}}', "is no object of keys and plain values"),
    ("Tags", '{"lab": "a", "lab": "b"}', "is no object of keys and plain values"),
    ("SkuPriceDetails", '{"Speed": 1}', "has a key of neither FOCUS nor x_"),
    # values that are none of the allowed
    ("ChargeCategory", "usage", "is not allowed"),
    ("ChargeClass", "Estimate", "is not allowed"),
    ("ChargeFrequency", "Daily", "is not allowed"),
    ("PricingCategory", "On-Demand", "is not allowed"),
    ("ServiceCategory", "Images", "is not allowed"),
    ("CommitmentDiscountStatus", "Spent", "is not allowed"),
]


def test_every_cell_that_breaks_its_columns_rule_is_caught(good: Path, tmp_path: Path) -> None:
    with (good / "good.csv").open(encoding="utf-8", newline="") as file:
        names, first, _ = csv.reader(file)
    rows = []
    for column, value, _ in BROKEN_CELLS:
        row = first[:]
        row[names.index(column)] = value
        rows.append(row)
    found = {(one.column, one.rule): one.rows for one in violations(write(tmp_path, names, rows))}
    expected = Counter((column, rule) for column, _, rule in BROKEN_CELLS)
    assert {one: found.get(one) for one in expected} == expected


BROKEN_TOGETHER = [
    ({"SkuId": ""}, "SkuId", "is null, where ChargeCategory is Usage"),
    ({"SubAccountName": ""}, "SubAccountName", "is null, where SubAccountId is not null"),
    ({"SubAccountId": ""}, "SubAccountName", "is not null, where SubAccountId is null"),
    ({"ChargeCategory": "Tax"}, "ListUnitPrice", "is not null, where ChargeCategory is Tax"),
    ({"ChargeCategory": "Credit"}, "ConsumedQuantity", "where ChargeCategory is not Usage"),
    ({"ConsumedUnit": ""}, "ConsumedUnit", "is null, where ConsumedQuantity is not null"),
    ({"PricingQuantity": ""}, "PricingUnit", "is not null, where PricingQuantity is null"),
    ({"PricingCurrency": ""}, "PricingCurrency", "is null"),
    ({"ChargeCategory": "Purchase"}, "ChargeFrequency", "where ChargeCategory is Purchase"),
    ({"ListCost": "0.2"}, "ListCost", "is not ListUnitPrice x PricingQuantity"),
    ({"PricingQuantity": "2"}, "ContractedCost", "is not ContractedUnitPrice x PricingQuantity"),
    (
        {"ChargeCategory": "Credit", "ListUnitPrice": "", "ListCost": "9"},
        "ListCost",
        "is not BilledCost, where ListUnitPrice is null, where ChargeCategory is Credit",
    ),
    (
        {"ChargePeriodEnd": "2026-11-20T00:00:00Z"},
        "ChargePeriodStart",
        "is not before ChargePeriodEnd",
    ),
    (
        {"BillingPeriodEnd": "2026-10-01T00:00:00Z"},
        "BillingPeriodStart",
        "is not before BillingPeriodEnd",
    ),
    ({"ServiceCategory": "Storage"}, "ServiceSubcategory", "is not of its ServiceCategory"),
    ({"ServiceCategory": "Storage"}, "ServiceName", "has more than one ServiceCategory"),
    ({"CommitmentDiscountId": "ri"}, "CommitmentDiscountType", "is null"),
    ({"CapacityReservationId": "cr"}, "CapacityReservationStatus", "is null"),
]


@pytest.mark.parametrize(("cells", "column", "rule"), BROKEN_TOGETHER)
def test_cells_that_contradict_each_other_are_caught(
    good: Path, tmp_path: Path, cells: dict[str, str], column: str, rule: str
) -> None:
    path = broken_csv(good, tmp_path, **cells)
    assert any(rule in one for one in rules_broken(path, column))


def test_a_price_id_of_two_skus_is_caught(good: Path, tmp_path: Path) -> None:
    with (good / "good.csv").open(encoding="utf-8", newline="") as file:
        names, first, second = csv.reader(file)
    first[names.index("SkuPriceId")] = second[names.index("SkuPriceId")] = "meter"
    first[names.index("SkuId")] = "another"
    path = write(tmp_path, names, [first, second])
    assert rules_broken(path, "SkuPriceId") == ["has more than one SkuId"]


@pytest.mark.parametrize("column", ["BilledCost", "ProviderName", "Tags", "RegionId", "SkuId"])
def test_a_column_that_is_missing_is_caught(good: Path, tmp_path: Path, column: str) -> None:
    with (good / "good.csv").open(encoding="utf-8", newline="") as file:
        rows = [row[:] for row in csv.reader(file)]
    place = rows[0].index(column)
    names, *rest = ([*row[:place], *row[place + 1 :]] for row in rows)
    level = focus_rules()["columns"][column]["level"]
    path = write(tmp_path, names, rest)
    assert rules_broken(path, column) == [f"is missing, and {level}"]


def test_a_column_of_neither_focus_nor_ours_is_caught(good: Path, tmp_path: Path) -> None:
    with (good / "good.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
    path = write(tmp_path, [*names, "Lab"], [[*row, "one"] for row in rows])
    assert rules_broken(path, "Lab") == ["is no column of FOCUS, and does not begin with x_"]


@pytest.mark.parametrize(
    ("replacing", "column", "rule"),
    [
        ("BilledCost::VARCHAR AS BilledCost", "BilledCost", "is no decimal"),
        ("ChargePeriodStart::DATE AS ChargePeriodStart", "ChargePeriodStart", "is no date_time"),
        ("1 AS ServiceName", "ServiceName", "is no string"),
        ("map(['a'], ['b']) AS Tags", "Tags", "is no json"),
        ("NULL::VARCHAR AS ServiceName", "ServiceName", "is null"),
        ("'' AS RegionName", "RegionName", "is empty, which is not null"),
        ("'nan'::DOUBLE AS ListCost", "ListCost", "is no number"),
        ("'Usage ' AS ChargeCategory", "ChargeCategory", "is not allowed"),
        ("2 * ListCost AS ListCost", "ListCost", "is not ListUnitPrice x PricingQuantity"),
    ],
)
def test_a_parquet_file_is_checked_for_types_and_values_as_well(
    good: Path, tmp_path: Path, replacing: str, column: str, rule: str
) -> None:
    path = broken_parquet(good, tmp_path, replacing)
    assert any(one.startswith(rule) for one in rules_broken(path, column))


def test_a_violation_tells_how_many_rows_and_shows_one_value(good: Path, tmp_path: Path) -> None:
    path = broken_csv(good, tmp_path, BillingCurrency="usd")
    assert violations(path) == (
        Violation(column="BillingCurrency", rule="is no currency", rows=1, example="usd"),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not even a header"),
        (b"BilledCost,BilledCost\n1,2\n", "has the column 'billedcost' twice"),
        (b"BilledCost,ListCost\n1,2\n3\n", "cannot be read"),
        (b"BilledCost,ListCost\n\xff\xfe,1\n", "cannot be read"),
        (b'BilledCost,ListCost\n"1,2\n', "cannot be read"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_a_reason(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(content)
    with pytest.raises(MalformedError, match=re.escape(words)):
        violations(path)


def test_a_file_that_is_no_parquet_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(MalformedError, match="cannot be read"):
        violations(path)


@pytest.mark.parametrize("unit", ["GB", "GB-Months", "GB/Hour", "1000 Requests", "Units/3 Months"])
def test_units_of_the_published_form_are_none_to_complain_of(
    good: Path, tmp_path: Path, unit: str
) -> None:
    path = broken_csv(good, tmp_path, PricingUnit=unit)
    assert violations(path) == ()


def test_the_rules_name_the_columns_that_focus_has_and_no_other() -> None:
    rules = focus_rules()
    assert len(rules["columns"]) == 57
    assert [one["level"] for one in rules["columns"].values()].count("mandatory") == 21
    named = {rule["column"] for rule in rules["rules"]}
    assert named <= set(rules["columns"])
    assert DAY.isoformat() > rules["published"]
