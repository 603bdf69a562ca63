"""FOCUS exports of ledgers of every kind of row, read back and checked against the rules."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from costs.focus.columns import COLUMNS, Granularity
from costs.focus.export import FocusSummary, focus_csv, write_focus
from costs.ledger.engine import ledger_connection
from costs.ledger.rows import egress_cost, storage_cost
from costs.report.query import ReportQuery, days_in_month
from tests.support.costs.focus_rules import focus_rules, violations
from tests.support.costs.ledgers import ledger_files, ledger_row

Row = dict[str, Any]
FIRST, LAST = date(2026, 10, 29), date(2026, 11, 4)
EVERYTHING = ReportQuery(from_day=FIRST, to_day=LAST)
ODD = 'a, "b"\nc\r\td \N{SLOT MACHINE} =1+1 \''
FORMS = pytest.mark.parametrize("parquet", [False, True], ids=["csv", "parquet"])
GRANULARITIES = pytest.mark.parametrize("granularity", list(Granularity))


def priced_row(
    *, gb: str = "30", replicas: int = 1, price: str | None = "0.05", **changes: Any
) -> Row:
    """Return a row whose cost is what its own figures give; an `egress_price` adds a transfer."""
    day: date = changes.setdefault("day", FIRST)
    egress = changes.pop("egress_price", None)
    row = ledger_row(monthly=None, **changes) | {"gb": Decimal(gb), "gb_high": Decimal(gb)}
    row |= {"replicas": replicas, "gb_low": Decimal(0), "unpriced": changes.get("unpriced")}
    if price is not None:
        cost = storage_cost(Decimal(gb), replicas, Decimal(price), days_in_month(day))
        row |= {
            "unit_price": Decimal(price),
            "storage_cost": cost,
            "unit_price_on": date(2026, 8, 14),
            "unit_price_source": "the price list",
            "meter_id": f"meter of {row['storage_account_type']} in {row['region']}",
        }
    if egress is not None:
        row |= {
            "egress_gb": Decimal(gb),
            "egress_unit_price": Decimal(egress),
            "egress_cost": egress_cost(Decimal(gb), Decimal(egress)),
            "egress_price_source": "second-hand",
            "egress_meter_id": "",
        }
    return row


def rich_rows() -> list[Row]:
    """Return a week over a month's end with all that a ledger may hold."""
    rows = []
    for ago in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=ago)
        own: Row = {"day": day, "provisional": day == LAST}
        west_price = "0.05" if day < date(2026, 11, 2) else "0.0523"
        arrival = "0.02" if day == FIRST else None
        rows += [
            priced_row(region="eastus", gb="12.345678", replicas=3, **own),
            priced_row(region="westus", price=west_price, egress_price=arrival, lab=ODD, **own),
            priced_row(region="westus2", storage_account_type="Premium_LRS", price="0.145", **own),
            priced_row(region="westus3", storage_account_type="Standard_ZRS", **own, lab="")
            | {"gallery": "=1+1", "definition": ODD, "why": f"=cmd {ODD}", "trigger": ""},
            priced_row(region="westeurope", image="arts", currency="EUR", **own, cost_center="7"),
        ]
        if day < date(2026, 11, 1):  # removed on the first
            rows.append(priced_row(region="centralus", egress_price=arrival, **own))
    rows += [
        priced_row(region="mexico", price=None, unpriced="no price in mexico"),
        priced_row(region="norway", price=None, unpriced="no price there", egress_price="0.02"),
        priced_row(region="poland", unpriced="no price of the transfer") | {"egress_gb": 30},
        priced_row(region="ghostland", price=None) | {"unpriced": None},
    ]
    return rows


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return ledger_files(tmp_path_factory.mktemp("ledger"), rich_rows())


def export(
    folder: Path,
    ledger: list[Path] | list[Row],
    query: ReportQuery = EVERYTHING,
    *,
    parquet: bool = False,
    granularity: Granularity = Granularity.DAY,
) -> tuple[Path, FocusSummary]:
    path = folder / f"focus-{granularity}.{'parquet' if parquet else 'csv'}"
    rows = [one for one in ledger if not isinstance(one, Path)]
    files = [one for one in ledger if isinstance(one, Path)] or ledger_files(folder, rows)
    with ledger_connection(files) as connection:
        summary = write_focus(connection, query, path, parquet=parquet, granularity=granularity)
    return path, summary


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parquet_rows(path: Path) -> list[Row]:
    with duckdb.connect() as engine:
        found = engine.read_parquet(str(path))
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def billed(rows: Iterable[Row], *keys: str) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[tuple(row[key] for key in keys)] += Decimal(row["BilledCost"])
    return dict(sums)


def ledger_sums(rows: Iterable[Row]) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row["currency"],] += row.get("storage_cost") or 0
        sums[row["currency"],] += row.get("egress_cost") or 0
    return dict(sums)


@FORMS
@GRANULARITIES
def test_an_export_of_every_kind_of_row_breaks_no_rule(
    rich: list[Path], tmp_path: Path, *, parquet: bool, granularity: Granularity
) -> None:
    path, summary = export(tmp_path, rich, parquet=parquet, granularity=granularity)
    assert violations(path) == ()
    assert summary.written > 10


@FORMS
@GRANULARITIES
def test_the_costs_add_up_to_those_of_the_ledger_to_the_last_digit(
    rich: list[Path], tmp_path: Path, *, parquet: bool, granularity: Granularity
) -> None:
    path, summary = export(tmp_path, rich, parquet=parquet, granularity=granularity)
    written = parquet_rows(path) if parquet else csv_rows(path)
    expected = ledger_sums(rich_rows())
    assert billed(written, "BillingCurrency") == expected
    assert {(code,): total for code, total in summary.totals.items()} == expected
    assert len(written) == summary.written


def test_days_and_months_agree_in_cost_and_quantity(rich: list[Path], tmp_path: Path) -> None:
    keys = ("BillingPeriodStart", "x_ReplicaRegion", "x_Charge", "ListUnitPrice", "Tags")
    days = csv_rows(export(tmp_path, rich)[0])
    months = csv_rows(export(tmp_path, rich, granularity=Granularity.MONTH)[0])
    assert billed(months, *keys) == billed(days, *keys)
    assert len(months) == len(billed(days, *keys)), "one row a region, charge and price"
    for name in ("PricingQuantity", "ConsumedQuantity"):
        by_day = sum((Decimal(row[name]) for row in days), Decimal(0))
        by_month = sum((Decimal(row[name]) for row in months), Decimal(0))
        assert abs(by_month - by_day) < Decimal("1e-12")


def test_a_whole_month_of_a_replica_is_its_gigabytes_at_the_monthly_price(tmp_path: Path) -> None:
    november = [date(2026, 11, number) for number in range(1, 31)]
    rows = [priced_row(day=day, gb="31.7", replicas=2, price="0.05") for day in november]
    query = ReportQuery(from_day=november[0], to_day=november[-1])
    path, _ = export(tmp_path, rows, query, granularity=Granularity.MONTH)
    (row,) = csv_rows(path)
    assert Decimal(row["PricingQuantity"]) == Decimal("63.4")
    assert row["PricingUnit"] == "GB-Months"
    assert Decimal(row["ConsumedQuantity"]) == Decimal("63.4") * 30
    assert row["ConsumedUnit"] == "GB-Days"
    assert abs(Decimal(row["ListCost"]) - Decimal("3.17")) < Decimal("1e-10")
    assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == (
        "2026-11-01T00:00:00Z",
        "2026-12-01T00:00:00Z",
    )
    assert (row["x_FirstDay"], row["x_LastDay"], row["x_DaysCharged"]) == (
        "2026-11-01",
        "2026-11-30",
        "30",
    )


def test_a_price_times_its_quantity_is_the_cost_to_twelve_digits(
    rich: list[Path], tmp_path: Path
) -> None:
    for row in csv_rows(export(tmp_path, rich)[0]):
        product = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
        assert abs(product - Decimal(row["ListCost"])) <= Decimal("1e-12")


def test_a_price_that_changes_within_a_month_makes_two_rows_of_it(
    rich: list[Path], tmp_path: Path
) -> None:
    rows = csv_rows(export(tmp_path, rich, granularity=Granularity.MONTH)[0])
    found = [
        (row["ListUnitPrice"], row["x_FirstDay"], row["x_LastDay"])
        for row in rows
        if row["RegionId"] == "westus" and row["BillingPeriodStart"].startswith("2026-11")
    ]
    assert found == [
        ("0.05000000", "2026-11-01", "2026-11-01"),
        ("0.05230000", "2026-11-02", "2026-11-04"),
    ]


def test_a_removed_replica_has_no_rows_after_its_last_day(rich: list[Path], tmp_path: Path) -> None:
    rows = csv_rows(export(tmp_path, rich)[0])
    periods = [
        row["ChargePeriodStart"]
        for row in rows
        if row["x_ReplicaRegion"] == "centralus" and row["x_Charge"] == "storage"
    ]
    assert sorted(periods) == [f"2026-10-{number}T00:00:00Z" for number in (29, 30, 31)]


def test_a_transfer_is_a_row_of_its_day_in_the_region_it_comes_from(
    rich: list[Path], tmp_path: Path
) -> None:
    rows = csv_rows(export(tmp_path, rich)[0])
    (row,) = (
        one for one in rows if one["x_Charge"] == "transfer" and one["x_ReplicaRegion"] == "westus"
    )
    assert row["ChargePeriodStart"] == "2026-10-29T00:00:00Z"
    assert (row["RegionId"], row["RegionName"]) == ("eastus", "East US")
    assert (Decimal(row["PricingQuantity"]), row["PricingUnit"]) == (Decimal(30), "GB")
    assert Decimal(row["BilledCost"]) == Decimal("0.6")
    assert row["SkuMeter"] == "Standard Inter-Region Data Transfer"
    assert row["SkuPriceId"] == f"{row['SkuId']}/eastus", "its meter is not known"
    assert row["ChargeDescription"] == (
        "Estimate by gallery-replicator, not a bill: copying an image version once from eastus to "
        "westus, at 0.02 USD a GB"
    )


def test_every_row_says_that_it_is_an_estimate(rich: list[Path], tmp_path: Path) -> None:
    rows = csv_rows(export(tmp_path, rich)[0])
    assert {row["ChargeDescription"].partition(":")[0] for row in rows} == {
        "Estimate by gallery-replicator, not a bill"
    }


def test_odd_texts_come_back_as_they_were(rich: list[Path], tmp_path: Path) -> None:
    rows = csv_rows(export(tmp_path, rich)[0])
    odd = next(row for row in rows if row["RegionId"] == "westus3")
    assert odd["ResourceName"] == f"=1+1/{ODD}/1.0.0"
    assert odd["x_Why"] == f"=cmd {ODD}"
    tagged = next(row for row in rows if row["RegionId"] == "westus")
    assert json.loads(tagged["Tags"]) == {"lab": ODD}
    in_euro = next(row for row in rows if row["BillingCurrency"] == "EUR")
    assert json.loads(in_euro["Tags"]) == {"cost_center": "7"}


def test_what_is_not_known_is_an_empty_cell_and_never_an_empty_text(
    rich: list[Path], tmp_path: Path
) -> None:
    path, _ = export(tmp_path, rich)
    with path.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file, quoting=csv.QUOTE_NOTNULL) for cell in row]
    assert (cells.count(""), None in cells) == (0, True)
    (row,) = csv_rows(export(tmp_path, [priced_row(trigger="", lab=None)])[0])
    empty = {name for name, value in row.items() if value == ""}
    assert {"BillingAccountName", "ChargeClass", "InvoiceId", "Tags", "x_Trigger"} <= empty


@GRANULARITIES
def test_the_largest_figures_of_the_ledger_are_exported(
    tmp_path: Path, *, granularity: Granularity
) -> None:
    sizes: Row = {"gb": "99999999999.999999", "replicas": 1_000_000, "egress_price": "0.5"}
    rows = [priced_row(price="0.00000001", day=FIRST + timedelta(days=n), **sizes) for n in (0, 1)]
    path, _ = export(tmp_path, rows, granularity=granularity)
    assert violations(path) == ()
    assert billed(csv_rows(path), "BillingCurrency") == ledger_sums(rows)


def test_dates_are_utc_and_numbers_plain(tmp_path: Path) -> None:
    (row,) = csv_rows(export(tmp_path, [priced_row(gb="0.000001", price="0.00000001")])[0])
    assert row["ChargePeriodStart"] == "2026-10-29T00:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-10-30T00:00:00Z"
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        "2026-10-01T00:00:00Z",
        "2026-11-01T00:00:00Z",
    )
    assert row["BilledCost"] == "0.000000000000"
    assert row["PricingQuantity"] == "0.000000032258065"


def test_a_parquet_file_has_decimals_and_timestamps(rich: list[Path], tmp_path: Path) -> None:
    path, _ = export(tmp_path, rich, parquet=True)
    row = min(parquet_rows(path), key=lambda one: one["ChargePeriodStart"])
    assert isinstance(row["BilledCost"], Decimal)
    assert row["ChargePeriodStart"] == datetime(2026, 10, 29)  # noqa: DTZ001 - as Parquet has it
    assert row["x_FirstDay"] == FIRST
    assert row["x_Provisional"] is False
    assert row["InvoiceId"] is None


def test_a_parquet_file_says_of_which_version_it_is(rich: list[Path], tmp_path: Path) -> None:
    path, _ = export(tmp_path, rich, parquet=True)
    with duckdb.connect() as engine:
        rows = engine.execute("FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
    facts = {key: value for _, key, value in rows}
    assert (facts[b"FocusVersion"], facts[b"DataGenerator"]) == (b"1.2", b"gallery-replicator")


def test_what_has_no_price_is_set_aside_and_counted(rich: list[Path], tmp_path: Path) -> None:
    _, summary = export(tmp_path, rich)
    assert summary.read == len(rich_rows()) == 42
    assert dict(summary.set_aside) == {
        "no price: no price in mexico": 1,
        "no price: the row does not say why": 1,
    }
    assert summary.used == 40
    assert sorted(summary.notes) == [
        "1 row is used without its storage: no price there",
        "1 row is used without its transfer: no price of the transfer",
    ]
    assert summary.provisional == 5
    assert summary.written == 42, "40 rows, two of which have a transfer besides"


def test_one_currency_alone_sets_the_others_aside(rich: list[Path], tmp_path: Path) -> None:
    query = ReportQuery(from_day=FIRST, to_day=LAST, currency="EUR")
    path, summary = export(tmp_path, rich, query)
    assert {row["BillingCurrency"] for row in csv_rows(path)} == {"EUR"}
    assert dict(summary.set_aside) == {"in USD, not in EUR": 35}
    assert (summary.used, summary.written, list(summary.totals)) == (7, 7, ["EUR"])


def test_days_outside_of_the_query_are_not_exported(rich: list[Path], tmp_path: Path) -> None:
    query = ReportQuery(from_day=date(2026, 11, 2), to_day=date(2026, 11, 3))
    path, summary = export(tmp_path, rich, query)
    assert {row["x_FirstDay"] for row in csv_rows(path)} == {"2026-11-02", "2026-11-03"}
    assert (summary.read, summary.used) == (10, 10)


@FORMS
@GRANULARITIES
def test_an_empty_ledger_is_a_file_of_columns_alone(
    tmp_path: Path, *, parquet: bool, granularity: Granularity
) -> None:
    path, summary = export(tmp_path, [], parquet=parquet, granularity=granularity)
    assert violations(path) == ()
    assert (parquet_rows(path) if parquet else csv_rows(path)) == []
    assert (summary.read, summary.written, dict(summary.totals)) == (0, 0, {})


def test_the_columns_are_those_of_focus_and_then_our_own() -> None:
    published = tuple(focus_rules()["columns"])
    assert COLUMNS[: len(published)] == published
    assert all(name.startswith("x_") for name in COLUMNS[len(published) :])


def test_the_text_of_a_report_is_the_same_export(rich: list[Path], tmp_path: Path) -> None:
    path, _ = export(tmp_path, rich)
    with ledger_connection(rich) as connection:
        content = focus_csv(connection, EVERYTHING)
    names, *rows = csv.reader(io.StringIO(content, newline=""))
    assert tuple(names) == COLUMNS
    assert sorted(rows) == sorted([*row.values()] for row in csv_rows(path))


@pytest.mark.slow
def test_the_text_of_a_report_is_in_order_and_always_the_same(tmp_path: Path) -> None:
    days = [FIRST + timedelta(days=ago) for ago in range(40)]
    files = ledger_files(
        tmp_path, [priced_row(day=day, region=f"r{n}") for day in days for n in range(3)]
    )
    query = ReportQuery(from_day=days[0], to_day=days[-1])
    with ledger_connection(files) as connection:
        content = focus_csv(connection, query)
        assert all(focus_csv(connection, query) == content for _ in range(4))
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    order = [(row["ChargePeriodStart"], row["x_ReplicaRegion"]) for row in rows]
    assert len(order) == 120
    assert order == sorted(order)
