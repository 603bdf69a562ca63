"""The ledger: what stands on the books of a day, why, and that no day is lost or written twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.ledger.engine import ledger_connection
from costs.ledger.files import (
    blob_name,
    open_lines,
    read_rows,
    to_parquet,
    write_lines,
    written_days,
)
from costs.ledger.ledger import Ledger
from costs.ledger.rows import (
    DayPrices,
    VersionRows,
    ledger_rows,
    storage_cost,
    unreadable_row,
)
from costs.pricing.prices import PriceBook
from replication.domain.errors import MalformedError
from replication.domain.job import HomeReplicas, Phase, ReplicaState, ReplicationJob
from replication.domain.regions import Region
from replication.ports import UnreadableRow
from tests.support.builders import US_NEIGHBOURS, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export

STARTED = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = STARTED.date()
REGIONS = ("eastus", *US_NEIGHBOURS)


def day_prices() -> DayPrices:
    return DayPrices(book=full_book(REGIONS))


def job(**changes: Any) -> ReplicationJob:
    """Return a version in eastus, replicated to westus by the app and to eastus2 by someone."""
    world = build_world()
    export(world)
    world.run()
    done = world.job(ID)
    west, east2 = done.replica(Region("westus")), done.replica(Region("eastus2"))
    assert west is not None
    assert east2 is not None
    fields: dict[str, Any] = {
        "started_at": STARTED,
        "size_gb": 100,
        "home": HomeReplicas(replica_count=2, storage_account_type="Standard_LRS"),
        "owner_tags": {"lab": "biology"},
        "replicas": (
            replace(west, listed_at=STARTED + timedelta(days=1), removed_at=None),
            replace(east2, managed=False, listed_at=STARTED, removed_at=None),
        ),
    }
    return replace(done, **(fields | changes))


WHOLE = job()


def rows(of: ReplicationJob, day: date) -> dict[str, dict[str, Any]]:
    return {row["region"]: row for row in ledger_rows(of, day, day_prices())}


def test_a_region_counts_from_the_day_on_which_it_is_listed() -> None:
    assert sorted(rows(job(), DAY - timedelta(days=1))) == []
    assert sorted(rows(job(), DAY)) == ["eastus", "eastus2"]
    assert sorted(rows(job(), DAY + timedelta(days=1))) == ["eastus", "eastus2", "westus"]


def test_a_day_costs_an_equal_part_of_the_month() -> None:
    row = rows(job(), DAY)["eastus"]
    assert (row["gb"], row["replicas"], row["unit_price"]) == (100, 2, Decimal("0.05"))
    assert row["days_in_month"] == 30
    assert row["storage_cost"] == Decimal("0.333333333333")
    assert row["unpriced"] is None


def test_the_transfer_is_booked_once_on_the_day_the_app_added_the_region() -> None:
    first = rows(job(), DAY + timedelta(days=1))
    assert first["westus"]["egress_cost"] == Decimal(2)
    assert [first[name].get("egress_cost") for name in ("eastus", "eastus2")] == [None, None]
    assert rows(job(), DAY + timedelta(days=2))["westus"].get("egress_cost") is None


def test_every_row_says_why_the_replica_exists() -> None:
    found = rows(job(), DAY + timedelta(days=1))
    assert {name: row["rule"] for name, row in found.items()} == {
        "eastus": "home",
        "eastus2": "listed by someone else",
        "westus": "geography",
    }
    assert found["westus"]["why"] == (
        "this app added it: the policy wants every region of United States"
    )
    assert found["westus"]["job_id"] == job().job_id
    assert (found["westus"]["lab"], found["westus"]["cost_center"]) == ("biology", None)
    extra = DayPrices(book=full_book(REGIONS), extra_regions=frozenset({Region("westus")}))
    (west,) = [
        row
        for row in ledger_rows(job(), DAY + timedelta(days=1), extra)
        if row["region"] == "westus"
    ]
    assert west["rule"] == "extra region"


def test_a_replica_that_was_removed_costs_nothing_from_that_day_on() -> None:
    one = job()
    gone = tuple(
        replace(each, state=ReplicaState.REMOVED, removed_at=STARTED + timedelta(days=3))
        for each in one.replicas
    )
    removed = replace(one, replicas=gone)
    assert len(rows(removed, DAY + timedelta(days=2))) == 3
    assert sorted(rows(removed, DAY + timedelta(days=3))) == ["eastus"]


def test_a_version_that_was_deleted_costs_nothing_from_that_day_on() -> None:
    ended = replace(
        job(replicas=()), phase=Phase.SUPERSEDED, finished_at=STARTED + timedelta(days=2)
    )
    assert len(rows(ended, DAY + timedelta(days=1))) == 1
    assert rows(ended, DAY + timedelta(days=2)) == {}


def test_a_region_without_a_price_says_so_and_does_not_count_as_zero() -> None:
    nothing = DayPrices(book=PriceBook(currency="USD", read_on=None, source="none", prices=()))
    row = next(iter(ledger_rows(job(), DAY, nothing)))
    assert row.get("storage_cost") is None
    assert row["unpriced"] == "no price in USD for Standard_LRS storage in eastus"


def test_a_version_of_unknown_size_says_so() -> None:
    row = rows(job(size_gb=None), DAY)["eastus"]
    assert row.get("storage_cost") is None
    assert row["unpriced"] == ("the size of the version is not known before its creation has ended")


def test_a_record_of_before_listings_were_kept_falls_back_and_says_so() -> None:
    one = job()
    old = replace(one, home=None, replicas=tuple(replace(r, listed_at=None) for r in one.replicas))
    found = rows(old, old.replicas[1].requested_at.date())  # type: ignore[union-attr] # it was asked for
    assert "was not recorded" in found["westus"]["why"]
    assert "is assumed" in found["eastus"]["why"]


@given(
    gb=st.decimals(min_value=1, max_value=2048, places=3),
    replicas=st.integers(min_value=1, max_value=100),
    price=st.decimals(min_value=0, max_value=10, places=6),
    days=st.integers(min_value=28, max_value=31),
)
def test_the_days_of_a_month_add_up_to_its_price(
    gb: Decimal, replicas: int, price: Decimal, days: int
) -> None:
    month = storage_cost(gb, replicas, price, days) * days
    assert abs(month - gb * replicas * price) <= Decimal("0.00000000002")


class Books:
    """A world with a ledger."""

    def __init__(self, folder: Path) -> None:
        self.world: World = build_world()
        self.clock = self.world.clock
        self.blobs = MemoryBlobs()
        self.ledger = Ledger(
            store=self.world.store,
            blobs=self.blobs,
            prices=day_prices,
            clock=self.clock,
            folder=folder,
        )

    def today(self) -> date:
        return self.clock().date()


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "copies")


def test_the_audit_writes_every_day_since_the_first_and_a_rerun_is_harmless(books: Books) -> None:
    export(books.world)
    books.world.run()
    first = books.today()
    books.clock.advance(3 * 86_400)
    run = books.ledger.audit()
    assert [one.day for one in run.days] == [first + timedelta(days=n) for n in range(3)]
    assert all(one.new and one.rows == 9 for one in run.days)
    before = dict(books.blobs.blobs)
    assert books.ledger.audit().days == []
    assert books.blobs.blobs == before


@pytest.mark.slow
def test_days_off_are_caught_up_and_a_hole_is_filled(books: Books) -> None:
    export(books.world)
    books.world.run()
    first = books.today()
    books.clock.advance(2 * 86_400)
    books.ledger.audit()
    books.clock.advance(40 * 86_400)
    del books.blobs.blobs[blob_name(first + timedelta(days=1))]
    run = books.ledger.audit()
    assert len(run.days) == 41
    assert sorted(written_days(books.blobs)) == [first + timedelta(days=n) for n in range(42)]


def test_what_another_run_wrote_meanwhile_stays(books: Books) -> None:
    export(books.world)
    books.world.run()
    first = books.today()
    books.clock.advance(86_400)

    class Overtaken(MemoryBlobs):
        def create(self, name: str, content: bytes) -> bool:
            super().create(name, b"theirs")
            return super().create(name, content)

    blobs = Overtaken()
    run = replace(books.ledger, blobs=blobs).audit()
    assert [(one.day, one.new) for one in run.days] == [(first, False)]
    assert blobs.read(blob_name(first)) is not None


def test_the_running_day_is_provisional_and_never_written(books: Books) -> None:
    export(books.world)
    books.world.run()
    day = books.today()
    with books.ledger.files(day - timedelta(days=9), day) as files:
        assert (files.written_days, files.provisional_days) == ((), (day,))
        with ledger_connection(files.paths) as engine:
            found = engine.execute(
                "SELECT count(*), bool_and(provisional), sum(storage_cost) > 0 FROM ledger"
            ).fetchone()
    assert found == (9, True, True)
    assert books.blobs.blobs == {}


def test_days_on_the_books_and_the_running_one_are_read_together(books: Books) -> None:
    export(books.world)
    books.world.run()
    first = books.today()
    books.clock.advance(2 * 86_400)
    books.ledger.audit()
    with (
        books.ledger.files(first, books.today()) as files,
        ledger_connection(files.paths) as engine,
    ):
        found = engine.execute(
            "SELECT day, provisional, count(*) FROM ledger GROUP BY ALL ORDER BY day"
        ).fetchall()
    assert found == [
        (first, False, 9),
        (first + timedelta(days=1), False, 9),
        (first + timedelta(days=2), True, 9),
    ]


def test_a_range_before_the_first_day_is_empty(books: Books) -> None:
    export(books.world)
    books.world.run()
    with books.ledger.files(date(2020, 1, 1), date(2020, 1, 31)) as files:
        assert files.paths == ()


def test_the_cost_of_a_past_day_comes_from_its_rows_alone(books: Books) -> None:
    export(books.world)
    books.world.run()
    day = books.today()
    books.clock.advance(86_400)
    books.ledger.audit()
    books.world.store.rows.clear()
    done = books.ledger.recompute(day)
    assert (done.rows, done.discrepancies) == (9, ())


def test_a_figure_that_was_tampered_with_is_found(books: Books, tmp_path: Path) -> None:
    export(books.world)
    books.world.run()
    day = books.today()
    books.clock.advance(86_400)
    books.ledger.audit()
    whole = tmp_path / "whole.parquet"
    books.blobs.download(blob_name(day), whole)
    wrong = tmp_path / "wrong.parquet"
    with ledger_connection([whole]) as engine:
        engine.execute(
            "COPY (SELECT * REPLACE (storage_cost + (region = 'westus')::INTEGER AS storage_cost)"
            " FROM ledger) TO $path (FORMAT parquet)",
            {"path": str(wrong)},
        )
    books.blobs.blobs[blob_name(day)] = (wrong.read_bytes(), "tampered")
    (found,) = books.ledger.recompute(day).discrepancies
    assert (found.region, found.column) == ("westus", "storage_cost")
    assert Decimal(found.written) - Decimal(found.computed) == 1


def test_a_day_that_is_not_on_the_books_cannot_be_recomputed(books: Books) -> None:
    with pytest.raises(MalformedError, match="2026-01-01 is not on the books"):
        books.ledger.recompute(date(2026, 1, 1))


def test_a_file_that_is_no_ledger_is_named(books: Books) -> None:
    day = date(2026, 1, 1)
    books.blobs.create(blob_name(day), b"rubbish")
    with pytest.raises(MalformedError, match="is no ledger file"):
        books.ledger.recompute(day)


def test_names_that_are_no_days_are_left_alone() -> None:
    blobs = MemoryBlobs()
    for name in ("days/readme.txt", "days/2026/11/2026-12-01.parquet", "days/2026/13/x.parquet"):
        blobs.create(name, b"")
    assert written_days(blobs) == {}


def test_a_record_that_cannot_be_read_has_a_row_that_says_so() -> None:
    torn = UnreadableRow(key="a" * 32, reason="it is torn", newer=False)
    (row,) = unreadable_row(torn, DAY, "USD")
    assert row["unpriced"] == "the record cannot be read: it is torn"
    assert row.get("storage_cost") is None
    assert row["image_version_id"] == f"unreadable record {'a' * 32}"


def test_rows_come_back_from_a_file_as_they_were(books: Books, tmp_path: Path) -> None:
    export(books.world)
    books.world.run()
    books.clock.advance(86_400)
    books.ledger.audit()
    (info,) = written_days(books.blobs).values()
    path = tmp_path / "day.parquet"
    books.blobs.download(info.name, path)
    written = {row["region"]: row for row in read_rows(path)}
    computed = rows(books.world.job(ID), books.today() - timedelta(days=1))
    for region, row in computed.items():
        for name, value in row.items():
            assert written[region][name] == value, name
    assert version_id().gallery == written["westus"]["gallery"]


TEXTS = st.text(max_size=40)


@given(why=TEXTS, lab=st.none() | TEXTS, gallery=TEXTS)
@pytest.mark.slow
def test_any_text_comes_back_but_for_what_no_file_can_hold(
    why: str, lab: str | None, gallery: str
) -> None:
    row = next(iter(ledger_rows(WHOLE, DAY, day_prices()))) | {
        "why": why,
        "lab": lab,
        "gallery": gallery,
    }
    with TemporaryDirectory() as folder:
        lines, parquet = Path(folder) / "rows.csv", Path(folder) / "rows.parquet"
        with open_lines(lines) as file:
            assert write_lines(VersionRows(shared=row, regions=(row, row)), file) == 2
        to_parquet(lines, parquet)
        found = list(read_rows(parquet))
    assert len(found) == 2
    for name, text in (("why", why), ("lab", lab), ("gallery", gallery)):
        held = text
        if text is not None:
            held = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
            held = held.encode(errors="replace").decode()
        assert found[0][name] == held
