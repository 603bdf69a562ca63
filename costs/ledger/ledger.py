"""The cost ledger: one immutable file a day, and the running day from the record."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from costs.ledger.engine import ledger_connection
from costs.ledger.files import (
    blob_name,
    local_copy,
    open_lines,
    read_rows,
    to_parquet,
    write_lines,
    written_days,
)
from costs.ledger.rows import (
    DayPrices,
    VersionRows,
    egress_cost,
    first_day,
    ledger_rows,
    storage_cost,
    unreadable_row,
)
from costs.ports import BlobInfo, LedgerBlobs
from replication.domain.errors import MalformedError
from replication.domain.job import ReplicationJob
from replication.ports import JobQuery, JobStore, UnreadableRow
from replication.telemetry.log import ERROR, INFO, log_outcome

_PAGE = 1000
# How many days one pass over the records fills.
_DAYS_AT_ONCE = 31
_ONE_DAY = timedelta(days=1)
_COSTS = """
    SELECT region, currency, sum(storage_cost), sum(egress_cost) FROM ledger
    WHERE region IS NOT NULL GROUP BY region, currency ORDER BY region, currency
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenDay:
    """A day that was written; `new` is False where another run had written it meanwhile."""

    day: date
    rows: int
    new: bool


@dataclass(slots=True, kw_only=True)
class AuditRun:
    """What an audit wrote, and the records that it could not read."""

    days: list[WrittenDay] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFiles:
    """The files of a range of days on this machine; `provisional_days` are not on the books yet."""

    paths: tuple[Path, ...]
    written_days: tuple[date, ...]
    provisional_days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A row whose cost is not what its own figures give."""

    image_version_id: str
    region: str
    column: str
    written: str
    computed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """The check of one day: every row from its own figures."""

    day: date
    rows: int
    discrepancies: tuple[Discrepancy, ...]


@dataclass(frozen=True, slots=True)
class RegionCost:
    """What a region cost on a day in a currency; None where nothing had a price."""

    region: str
    currency: str
    storage: Decimal | None
    egress: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Writes the books of finished days once, and reads them together with what is running.

    `prices` gives the prices and sizes of the moment.
    """

    store: JobStore
    blobs: LedgerBlobs
    prices: Callable[[], DayPrices]
    clock: Callable[[], datetime]
    folder: Path | None = None

    def audit(self, *, max_run_s: float | None = None) -> AuditRun:
        """Write yesterday, and every day since the first that is not on the books.

        After `max_run_s` no further month is begun; the next run goes on with it. A rerun is
        harmless: a file that is there stays as it is. A day that was missed is written from the
        record as it is now, which knows when each region came and went.
        """
        run, began = AuditRun(), self.clock()
        missing = self._missing()
        for start in range(0, len(missing), _DAYS_AT_ONCE):
            passed_s = (self.clock() - began).total_seconds()
            if start and max_run_s is not None and passed_s >= max_run_s:
                break
            run.unreadable.clear()  # each pass reads all records
            self._write(missing[start : start + _DAYS_AT_ONCE], run)
        log_outcome(
            "cost_audit.done",
            level=ERROR if run.unreadable else INFO,
            days=[one.day.isoformat() for one in run.days],
            rows=sum(one.rows for one in run.days),
            unreadable=run.unreadable,
        )
        return run

    @contextmanager
    def files(self, from_day: date, to_day: date) -> Iterator[LedgerFiles]:
        """Open the days of a range, both ends in it, as files on this machine.

        What is on the books is copied once; the running day, and days whose audit is still to
        come, are computed from the record and marked provisional. Nothing is written.
        """
        today = self._today()
        on_books = written_days(self.blobs)
        days = [one for one in sorted(on_books) if from_day <= one <= to_day]
        paths = [local_copy(self.blobs, on_books[day], folder=self.folder) for day in days]
        since = max(on_books) + _ONE_DAY if on_books else self._first_day(today)
        running = _days(max(from_day, since), min(to_day, today))
        with tempfile.TemporaryDirectory(prefix="gallery-replicator-") as folder:
            if running:
                for path, _, _ in self._compute(running, Path(folder), AuditRun()):
                    paths.append(path)
            yield LedgerFiles(
                paths=tuple(paths), written_days=tuple(days), provisional_days=tuple(running)
            )

    @contextmanager
    def open(
        self, from_day: date, to_day: date
    ) -> Iterator[tuple[DuckDBPyConnection, frozenset[date]]]:
        """Open the files of a range as the view `ledger`; yields as well which days there are.

        Raises MalformedError for a file that cannot be read.
        """
        with self.files(from_day, to_day) as files:
            try:
                with ledger_connection(files.paths) as connection:
                    yield connection, frozenset((*files.written_days, *files.provisional_days))
            except duckdb.Error as error:
                raise MalformedError(f"the ledger's files cannot be read: {error}") from error

    def written_days(self) -> dict[date, BlobInfo]:
        """Return the days that are on the books, with their blobs."""
        return written_days(self.blobs)

    def costs_of(self, day: date, blob: BlobInfo) -> list[RegionCost]:
        """Sum a day on the books up by region and currency, in little memory."""
        path = local_copy(self.blobs, blob, folder=self.folder)
        try:
            with ledger_connection([path], memory_mb=200, threads=1) as connection:
                return [RegionCost(*row) for row in connection.execute(_COSTS).fetchall()]
        except duckdb.Error as error:
            raise MalformedError(f"the books of {day} cannot be read: {error}") from error

    def recompute(self, day: date) -> Recomputed:
        """Compute every cost of a day from its row alone; raises MalformedError for no such day."""
        blob = written_days(self.blobs).get(day)
        if blob is None:
            raise MalformedError(f"{day} is not on the books")
        rows = 0
        found: list[Discrepancy] = []
        for row in read_rows(local_copy(self.blobs, blob, folder=self.folder)):
            rows += 1
            found += _discrepancies(row)
        return Recomputed(day=day, rows=rows, discrepancies=tuple(found))

    def _today(self) -> date:
        return self.clock().astimezone(UTC).date()

    def _missing(self) -> list[date]:
        today = self._today()
        on_books = written_days(self.blobs)
        since = min(on_books) if on_books else self._first_day(today)
        return [day for day in _days(since, today - _ONE_DAY) if day not in on_books]

    def _first_day(self, today: date) -> date:
        jobs = (one for one in self._records() if isinstance(one, ReplicationJob))
        return min((first_day(job) for job in jobs), default=today)

    def _write(self, days: list[date], run: AuditRun) -> None:
        with tempfile.TemporaryDirectory(prefix="gallery-replicator-") as folder:
            for path, day, rows in self._compute(days, Path(folder), run, provisional=False):
                new = self.blobs.create(blob_name(day), path.read_bytes())
                run.days.append(WrittenDay(day=day, rows=rows, new=new))

    def _compute(
        self, days: list[date], folder: Path, run: AuditRun, *, provisional: bool = True
    ) -> Iterator[tuple[Path, date, int]]:
        """Make the files of days in one pass over the records."""
        prices = self.prices()
        counts = dict.fromkeys(days, 0)
        with ExitStack() as stack:
            lines = {day: stack.enter_context(open_lines(folder / f"{day}.csv")) for day in days}
            for record in self._records():
                for day in days:
                    rows = _rows(record, day, prices, provisional=provisional)
                    counts[day] += write_lines(rows, lines[day])
                if isinstance(record, UnreadableRow):
                    run.unreadable.append(f"record {record.key}: {record.reason}")
        for day in days:
            path = folder / f"{day}.parquet"
            to_parquet(folder / f"{day}.csv", path)
            yield path, day, counts[day]

    def _records(self) -> Iterator[ReplicationJob | UnreadableRow]:
        """Yield every record; the next page is fetched while this one is worked on."""
        with ThreadPoolExecutor(max_workers=1) as ahead:
            fetched = ahead.submit(self.store.find, JobQuery(limit=_PAGE))
            while True:
                page = fetched.result()
                if page.next_cursor is not None:
                    query = JobQuery(limit=_PAGE, cursor=page.next_cursor)
                    fetched = ahead.submit(self.store.find, query)
                yield from page.jobs
                yield from page.unreadable
                if page.next_cursor is None:
                    return


def _rows(
    record: ReplicationJob | UnreadableRow, day: date, prices: DayPrices, *, provisional: bool
) -> VersionRows:
    if isinstance(record, ReplicationJob):
        return ledger_rows(record, day, prices, provisional=provisional)
    return unreadable_row(record, day, prices.book.currency, provisional=provisional)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _discrepancies(row: dict[str, Any]) -> Iterator[Discrepancy]:
    computed: dict[str, Any] = {"storage_cost": None, "egress_cost": None}
    if row["gb"] is not None and row["unit_price"] is not None:
        computed["storage_cost"] = storage_cost(
            row["gb"], row["replicas"], row["unit_price"], row["days_in_month"]
        )
    if row["egress_gb"] is not None and row["egress_unit_price"] is not None:
        computed["egress_cost"] = egress_cost(row["egress_gb"], row["egress_unit_price"])
    for column, cost in computed.items():
        if cost != row[column]:
            yield Discrepancy(
                image_version_id=row["image_version_id"],
                region=row["region"],
                column=column,
                written=str(row[column]),
                computed=str(cost),
            )
