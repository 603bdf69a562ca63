"""The figures and names in docs/cost-estimates.md are those of the code."""

from decimal import Decimal

import pytest

from costs.pricing.estimate import lab_services_monthly, snapshot_monthly, transfer_once
from costs.pricing.price_book import shipped_book
from costs.pricing.prices import STORAGE_METERS, TRANSFER_METER, disk_tier, storage_kind
from tests.support.documents import DOCS, table_rows

PAGE = DOCS / "cost-estimates.md"
ROWS = list(table_rows(PAGE))
METERS = [row for row in ROWS if row[-1] in ("GB", "GB/Month")]
EXAMPLES = [row for row in ROWS if len(row) == 9 and row[1].isdecimal()]
DISK_PRICE = {"S4": Decimal("1.54"), "S10": Decimal("5.89")}


def test_the_page_names_every_meter_as_the_price_list_is_asked_for_it() -> None:
    named = {row[0].strip("`"): tuple(row[1:]) for row in METERS}
    expected = {
        kept: (meter.product, meter.name, meter.unit)
        for kept in ("Standard_LRS", "Standard_ZRS", "Premium_LRS")
        if (kind := storage_kind(kept))
        for meter in (STORAGE_METERS[kind],)
    }
    transfer = (TRANSFER_METER.product, TRANSFER_METER.name, TRANSFER_METER.unit)
    assert named == expected | {"transfer": transfer}


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: str(row[0]))
def test_an_example_can_be_checked_by_hand(row: list[str]) -> None:
    provisioned, occupied, versions, regions, replicas = (int(cell) for cell in row[1:6])
    storage = snapshot_monthly(Decimal(occupied), [(replicas, Decimal("0.05"))] * regions)
    transfer = transfer_once(Decimal(occupied), [Decimal("0.02")] * (regions - 1))
    disk = DISK_PRICE[str(disk_tier(provisioned))]
    guide = lab_services_monthly(
        images=1, versions=versions, replicas=regions * replicas, disk_price=disk
    )
    figures = [versions * storage, versions * transfer, guide]
    assert row[6:] == [f"{one:.2f}" for one in figures]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


def test_the_page_names_the_day_of_the_shipped_prices() -> None:
    assert f"of {shipped_book('USD').read_on}" in PAGE.read_text(encoding="utf-8")
