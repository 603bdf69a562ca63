"""A report says when the prices behind its estimates were read long ago."""

from datetime import date
from pathlib import Path

import pytest

from costs.report.query import ReportQuery
from costs.report.report import price_age
from tests.support.costs.ledgers import DAY, ledger_row, world_with_books


@pytest.mark.parametrize(
    ("read_on", "told"),
    [(date(2026, 10, 21), 0), (date(2026, 10, 20), 1), (date(2026, 12, 1), 0), (None, 0)],
)
def test_prices_are_old_after_thirty_days(read_on: date | None, told: int) -> None:
    assert len(price_age("USD", read_on, DAY)) == told


def test_a_report_says_how_old_the_prices_are_and_what_to_do(tmp_path: Path) -> None:
    told = (
        "the prices in USD are 98 days old, of 2026-08-14; gallery-replicator costs "
        "refresh-prices reads those of today"
    )
    assert price_age("USD", date(2026, 8, 14), DAY) == (told,)
    world, _ = world_with_books(tmp_path, [ledger_row()])
    costs = world.app.costs
    read_on = costs.price_books.current("USD").read_on
    today = world.app.ports.clock().date()
    expected = price_age("USD", read_on, today)
    report = costs.reports.make(ReportQuery(from_day=DAY, to_day=DAY), ask_azure=False)
    assert tuple(one for one in report.rows.notes if one.startswith("the prices in")) == expected


def test_a_price_book_that_cannot_be_read_is_told_and_stops_no_report(tmp_path: Path) -> None:
    world, _ = world_with_books(tmp_path, [ledger_row()])
    costs = world.app.costs
    costs.ledger.blobs.replace("prices/USD.json", b"{", etag=None)
    report = costs.reports.make(ReportQuery(from_day=DAY, to_day=DAY), ask_azure=False)
    assert report.rows.used == 1
    assert any("the age of the prices in USD is not known" in one for one in report.rows.notes)
