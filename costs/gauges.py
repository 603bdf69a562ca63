"""What the last day on the books cost, as gauges; what reads the books is loaded when asked for."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import ClassVar

from costs.ports import BlobInfo, LedgerBlobs
from replication.domain.errors import MalformedError
from replication.telemetry.metrics import BOOKS_AGE, CHARGE, COST_DAY, CURRENCY, REGION
from replication.telemetry.port import Sample

_COSTS = """
    SELECT region, currency, sum(storage_cost), sum(egress_cost) FROM ledger
    WHERE region IS NOT NULL GROUP BY region, currency ORDER BY region, currency
"""


@dataclass(slots=True, kw_only=True)
class LastDay:
    """Reads the newest file of the books: one list of blobs, and one download a new day.

    `folder` takes the copy, the one for temporary files unless told.
    """

    part: ClassVar[str] = "books"
    blobs: LedgerBlobs | None
    clock: Callable[[], datetime]
    folder: Path | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[BlobInfo, tuple[Sample, ...]] | None = None

    def read(self) -> Iterator[Sample]:
        """Yield the samples, none where there are no books; raises what the storage raises."""
        if self.blobs is None:
            return
        from costs.ledger.files import written_days  # noqa: PLC0415 - it loads DuckDB

        days = written_days(self.blobs)
        if not days:
            return
        day = max(days)
        over = datetime.combine(day + timedelta(days=1), time(), UTC)
        age_s = max(0.0, (self.clock() - over).total_seconds())
        yield Sample(metric=BOOKS_AGE, value=age_s)
        yield from self._costs(self.blobs, day, days[day])

    def _costs(self, blobs: LedgerBlobs, day: date, blob: BlobInfo) -> tuple[Sample, ...]:
        from costs.ledger.files import local_copy  # noqa: PLC0415 - likewise

        with self._lock:
            if self._known is None or self._known[0] != blob:
                self._known = blob, tuple(_sum_up(local_copy(blobs, blob, folder=self.folder), day))
            return self._known[1]


def _sum_up(path: Path, day: date) -> Iterator[Sample]:
    import duckdb  # noqa: PLC0415 - 60 MB that only this needs

    from costs.ledger.engine import ledger_connection  # noqa: PLC0415 - likewise

    try:
        with ledger_connection([path], memory_mb=200, threads=1) as engine:
            rows = engine.execute(_COSTS).fetchall()
    except duckdb.Error as error:
        raise MalformedError(f"the books of {day} cannot be read: {error}") from error
    for region, currency, storage, egress in rows:
        labels = {REGION: str(region), CURRENCY: str(currency)}
        for charge, amount in (("storage", storage), ("egress", egress)):
            if amount is not None:
                yield Sample(
                    metric=COST_DAY, value=float(amount), labels={**labels, CHARGE: charge}
                )
