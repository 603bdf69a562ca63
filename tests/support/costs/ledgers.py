"""Builders of ledger rows and files, without records and prices behind them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bootstrap.app import build_app
from costs.ledger.columns import FORMAT_VERSION
from costs.ledger.engine import ledger_connection
from costs.ledger.files import blob_name, open_lines, to_parquet, write_lines
from costs.ledger.rows import VersionRows
from costs.ports import CostPorts
from costs.report.ledger_facts import Facts, open_facts
from costs.report.query import ReportQuery, days_in_month
from replication.domain.policy import ReplicationPolicy
from tests.support.builders import SUBSCRIPTION, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.fakes import World, build_world

DAY = date(2026, 11, 20)


def ledger_row(
    *,
    day: date = DAY,
    gallery: str = "labgallery",
    image: str = "maths",
    version: str = "1.0.0",
    region: str = "westus",
    monthly: str | None = "3.00",
    egress: str | None = None,
    unpriced: str | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a row that costs `monthly` a month: 30 GB, at whatever price that takes."""
    of = version_id(gallery=gallery, image=image, version=version)
    length = days_in_month(day)
    cost = None if monthly is None else Decimal(monthly)
    why = unpriced or (None if monthly is not None else f"no price in USD for {region}")
    row: dict[str, Any] = {
        "format": FORMAT_VERSION,
        "day": day,
        "image_version_id": str(of),
        "version_key": of.key,
        "subscription_id": SUBSCRIPTION,
        "resource_group": of.resource_group,
        "gallery": gallery,
        "definition": image,
        "version": version,
        "geography": "United States",
        "region": region,
        "home_region": "eastus",
        "is_home": region == "eastus",
        "managed": region != "eastus",
        "state": "completed",
        "storage_account_type": "Standard_LRS",
        "replicas": 1,
        "gb": Decimal(30),
        "gb_low": Decimal(0),
        "gb_high": Decimal(30),
        "gb_basis": "a test's",
        "gb_confidence": "low",
        "currency": "USD",
        "unit_price": None if cost is None else cost / 30,
        "days_in_month": length,
        "storage_cost": None if cost is None else (cost / length).quantize(Decimal("1e-12")),
        "egress_gb": None if egress is None else Decimal(30),
        "egress_cost": None if egress is None else Decimal(egress),
        "unpriced": why,
        "job_id": "job",
        "policy_fingerprint": "policy",
        "rule": "home" if region == "eastus" else "geography",
        "trigger": "event",
        "why": "a test wants it",
        "listed_on": day,
        "provisional": False,
    }
    return row | changes


# Files by their lines: many tests have the same books, and a file takes an engine to make.
_MADE: dict[bytes, bytes] = {}


def ledger_files(folder: Path, rows: Iterable[dict[str, Any]]) -> list[Path]:
    """Write one file a day."""
    by_day: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_day[row["day"]].append(row)
    paths = []
    for day, own in sorted(by_day.items()):
        paths.append(ledger_file(folder / f"{day}.parquet", own))
    return paths


def ledger_file(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """Write rows of any days into one file."""
    lines = path.with_suffix(".csv")
    with open_lines(lines) as file:
        for row in rows:
            write_lines(VersionRows(shared=row, regions=(row,)), file)
    content = lines.read_bytes()
    if content not in _MADE:
        to_parquet(lines, path)
        _MADE[content] = path.read_bytes()
    path.write_bytes(_MADE[content])
    return path


@contextmanager
def facts_of(
    folder: Path, rows: Iterable[dict[str, Any]], query: ReportQuery | None = None
) -> Iterator[Facts]:
    """Open rows as the facts of a query, November 2026 unless told."""
    asked = query or ReportQuery(from_day=date(2026, 11, 1), to_day=date(2026, 11, 30))
    with ledger_connection(ledger_files(folder, rows)) as connection:
        yield open_facts(connection, asked)


def world_with_books(
    folder: Path, rows: Iterable[dict[str, Any]], policy: ReplicationPolicy | None = None
) -> tuple[World, MemoryBlobs]:
    """Return a world whose ledger has these rows on its books.

    The ledger copies its files into the folder for temporary files, which a test must make its own.
    """
    world, blobs = build_world(), MemoryBlobs()
    for path in ledger_files(folder, rows):
        blobs.create(blob_name(date.fromisoformat(path.stem)), path.read_bytes())
    ports = replace(world.app.ports, costs=CostPorts(blobs=blobs))
    world.app = build_app(world.app.settings, policy or ReplicationPolicy(), ports)
    return world, blobs


YESTERDAY = date(2026, 11, 22)
ROWS = [
    ledger_row(day=YESTERDAY, monthly="30", egress="2", lab="biology"),
    ledger_row(day=YESTERDAY, monthly="60", region="eastus", lab="biology"),
    ledger_row(day=YESTERDAY, monthly="90", version="2.0.0", region="eastus"),
    ledger_row(day=YESTERDAY, monthly=None, image="physics", region="mars"),
    ledger_row(day=YESTERDAY, monthly="30", gallery="europe", currency="EUR"),
    ledger_row(day=YESTERDAY - timedelta(days=2), monthly="60", region="eastus"),
]
