"""What the last day on the books cost."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from costs.gauges import LastDay
from costs.ledger.files import blob_name
from costs.ledger.ledger import Ledger
from costs.ledger.rows import DayPrices
from replication.domain.errors import MalformedError
from replication.telemetry.metrics import BOOKS_AGE, COST_DAY
from replication.telemetry.port import Sample
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.ledgers import ledger_files, ledger_row
from tests.support.fakes import build_world

DAY = date(2026, 11, 20)


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.now = datetime(2026, 11, 22, 6, tzinfo=UTC)
    return clock


def costs(samples: Iterable[Sample]) -> dict[str, float]:
    return {
        " ".join(map(str, one.labels.values())): one.value
        for one in samples
        if one.metric is COST_DAY
    }


def last_day(blobs: MemoryBlobs, clock: FakeClock, folder: Path) -> LastDay:
    def prices() -> DayPrices:
        raise AssertionError("what is on the books is read without prices")

    store = build_world().store
    ledger = Ledger(store=store, blobs=blobs, prices=prices, clock=clock, folder=folder)
    return LastDay(ledger=lambda: ledger, clock=clock)


def put(blobs: MemoryBlobs, day: date, folder: Path, *monthly: str) -> None:
    rows = [
        ledger_row(day=day, monthly=one, region=f"region{number}")
        for number, one in enumerate(monthly)
    ]
    (path,) = ledger_files(folder, rows)
    blobs.create(blob_name(day), path.read_bytes())


def test_without_books_there_is_nothing_to_tell(clock: FakeClock, tmp_path: Path) -> None:
    assert list(LastDay(ledger=None, clock=clock).read()) == []
    assert list(last_day(MemoryBlobs(), clock, tmp_path).read()) == []


def test_the_newest_day_is_summed_up_by_region_and_charge(
    blobs: MemoryBlobs, clock: FakeClock, tmp_path: Path
) -> None:
    put(blobs, DAY - timedelta(days=1), tmp_path, "30.00")
    put(blobs, DAY, tmp_path, "3.00", "6.00")
    samples = list(last_day(blobs, clock, tmp_path / "copies").read())
    assert costs(samples) == pytest.approx({"region0 USD storage": 0.1, "region1 USD storage": 0.2})
    assert [one.value for one in samples if one.metric is BOOKS_AGE] == [30 * 3600]


def test_a_day_is_read_once(blobs: MemoryBlobs, clock: FakeClock, tmp_path: Path) -> None:
    put(blobs, DAY, tmp_path, "3.00")
    last = last_day(blobs, clock, tmp_path / "copies")
    first = costs(last.read())
    assert costs(last.read()) == first
    put(blobs, DAY + timedelta(days=1), tmp_path, "6.00")
    assert costs(last.read()) == pytest.approx({"region0 USD storage": 0.2})


def test_books_that_cannot_be_read_are_named(
    blobs: MemoryBlobs, clock: FakeClock, tmp_path: Path
) -> None:
    blobs.create(blob_name(DAY), b"no parquet")
    with pytest.raises(MalformedError, match="the books of 2026-11-20 cannot be read"):
        list(last_day(blobs, clock, tmp_path).read())
