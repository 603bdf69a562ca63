"""Builders of Cost Management exports in all their layouts, and of books to compare them with."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from bootstrap.app import build_app
from costs.bill.file import open_bill
from costs.bill.model import Bill
from costs.bill.reader import BillReader
from costs.ledger.engine import connection
from costs.ledger.files import blob_name
from costs.ports import CostPorts
from costs.service import Costs
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from tests.support.builders import version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.ledgers import ledger_files, ledger_row
from tests.support.fakes import World, build_world

OCTOBER = [date(2026, 10, 1) + timedelta(days=number) for number in range(31)]
READER = BillReader(regions=shipped_catalog())

# The names under which each layout tells the same, and what else it has.
EA = {
    "day": "Date",
    "resource": "ResourceId",
    "meter": "MeterName",
    "unit": "UnitOfMeasure",
    "quantity": "Quantity",
    "cost": "CostInBillingCurrency",
    "currency": "BillingCurrencyCode",
    "region": "ResourceLocation",
    "charge": "ChargeType",
    "": "AccountOwnerId",
}
MCA = EA | {
    "day": "date",
    "meter": "meterName",
    "unit": "unitOfMeasure",
    "quantity": "quantity",
    "cost": "costInBillingCurrency",
    "currency": "billingCurrency",
    "region": "resourceLocation",
    "charge": "chargeType",
    "": "exchangeRatePricingToBilling",
}
FOCUS_1_0 = {
    "day": "ChargePeriodStart",
    "resource": "ResourceId",
    "meter": "x_SkuMeterName",
    "unit": "ConsumedUnit",
    "quantity": "ConsumedQuantity",
    "cost": "BilledCost",
    "currency": "BillingCurrency",
    "region": "RegionId",
    "charge": "ChargeCategory",
    "class": "ChargeClass",
}
FOCUS_1_2 = FOCUS_1_0 | {"meter": "SkuMeter", "": "InvoiceId"}

type Row = dict[str, str]


def bill_row(**changes: object) -> Row:
    """Return a day of ten GB in westus at 0.10 USD, as the first of October has it."""
    row = {
        "day": "2026-10-01",
        "resource": str(version_id()),
        "meter": "LRS Snapshots",
        "unit": "1 GB/Month",
        "quantity": f"{10 / 31:.12f}",
        "cost": f"{1 / 31:.12f}",
        "currency": "USD",
        "region": "westus",
        "charge": "Usage",
        "class": "",
        "": "",
    }
    return row | {name: str(value) for name, value in changes.items()}


def month_rows(gb: float = 10, price: float = 0.1, **changes: object) -> list[Row]:
    """Return every day of October for one replica."""
    return [
        bill_row(
            day=day,
            **({"quantity": f"{gb / 31:.12f}", "cost": f"{gb * price / 31:.12f}"} | changes),
        )
        for day in OCTOBER
    ]


def write_csv(
    path: Path,
    rows: Iterable[Mapping[str, str]],
    *,
    layout: Mapping[str, str] = EA,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    """Write rows as an export of a layout."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(layout.values())
        writer.writerows([row[name] for name in layout] for row in rows)
    return path


def write_parquet(
    path: Path, rows: Sequence[Mapping[str, str]], *, layout: Mapping[str, str] = FOCUS_1_2
) -> Path:
    """Write rows as Parquet with the types that an export has."""
    kinds = {"day": "TIMESTAMP", "quantity": "DECIMAL(38,18)", "cost": "DOUBLE"}
    columns = ", ".join(f'"{name}" {kinds.get(what, "VARCHAR")}' for what, name in layout.items())
    marks = ", ".join("?" for _ in layout)
    with connection() as engine:
        engine.execute(f"CREATE TABLE bill ({columns})")
        values = [[row[name] or None for name in layout] for row in rows]
        if values:
            engine.executemany(f"INSERT INTO bill VALUES ({marks})", values)  # noqa: S608 - question marks
        engine.execute(f"COPY bill TO '{path}' (FORMAT parquet)")
    return path


def read_bill(*paths: Path, month: str | None = None) -> Bill:
    return READER.read([open_bill(path) for path in paths], month)


def accounted(bill: Bill) -> bool:
    """Tell whether every row that was read is somewhere."""
    aside = sum(one.rows for one in (*bill.out_of_scope, *bill.set_aside))
    return bill.rows == bill.used + aside


def books_world() -> World:
    """Return a world with blobs, whose day is 2026-11-23."""
    world = build_world()
    world.app = build_app(
        world.app.settings,
        ReplicationPolicy(),
        replace(world.app.ports, costs=CostPorts(blobs=MemoryBlobs())),
    )
    return world


def write_books(world: World, folder: Path, rows: Iterable[dict[str, Any]]) -> Costs:
    """Put rows on the books of a world."""
    blobs = world.app.ports.costs.blobs
    assert isinstance(blobs, MemoryBlobs)
    folder.mkdir(exist_ok=True)
    for path in ledger_files(folder, rows):
        day = date.fromisoformat(path.stem)
        # A tag of its own: copies of blobs are kept on the machine by it.
        blobs.blobs[blob_name(day)] = (path.read_bytes(), uuid4().hex)
    return world.app.costs


def book_rows(days: Iterable[date] = OCTOBER, **changes: Any) -> list[dict[str, Any]]:
    """Return rows of thirty GB at 0.10 USD in westus."""
    usual: dict[str, Any] = {"listed_on": date(2026, 9, 1), "monthly": "3.00"}
    return [ledger_row(day=day, **(usual | changes)) for day in days]
