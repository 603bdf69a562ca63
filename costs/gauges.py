"""Gauges of what the last day on the books cost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar

from costs.ports import BlobInfo
from replication.telemetry.metrics import BOOKS_AGE, CHARGE, COST_DAY, CURRENCY, REGION
from replication.telemetry.port import Sample

if TYPE_CHECKING:
    from costs.ledger.ledger import Ledger, RegionCost


@dataclass(slots=True, kw_only=True)
class LastDay:
    """Reads the newest file of the books: one list of blobs, and one download a new day.

    The ledger is opened when it is asked for, since it loads DuckDB; None where there is none.
    """

    part: ClassVar[str] = "books"
    ledger: "Callable[[], Ledger] | None"
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[BlobInfo, tuple[Sample, ...]] | None = None

    def read(self) -> Iterator[Sample]:
        """Yield the samples, none where there are no books; raises what the storage raises."""
        if self.ledger is None:
            return
        ledger = self.ledger()
        days = ledger.written_days()
        if not days:
            return
        day = max(days)
        over = datetime.combine(day + timedelta(days=1), time(), UTC)
        age_s = max(0.0, (self.clock() - over).total_seconds())
        yield Sample(metric=BOOKS_AGE, value=age_s)
        with self._lock:
            if self._known is None or self._known[0] != days[day]:
                costs = ledger.costs_of(day, days[day])
                samples = (sample for cost in costs for sample in _samples(cost))
                self._known = (days[day], tuple(samples))
            yield from self._known[1]


def _samples(cost: "RegionCost") -> Iterator[Sample]:
    labels = {REGION: cost.region, CURRENCY: cost.currency}
    for charge, amount in (("storage", cost.storage), ("egress", cost.egress)):
        if amount is not None:
            yield Sample(metric=COST_DAY, value=float(amount), labels={**labels, CHARGE: charge})
