"""The estimate with the prices and sizes of today, for those who only know a version."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from costs.ports import LedgerBlobs
from costs.pricing.estimate import CostEstimate, RegionalReplicas, estimate_cost, unknown_cost
from costs.pricing.price_book import PriceBooks, shipped_book
from costs.pricing.prices import PriceBook
from costs.pricing.sizes import KnownSizes, OccupiedSize, OccupiedSizes, size_range
from replication.domain.errors import ReplicationError
from replication.domain.image_version import ImageVersionId

DEFAULT_CURRENCY = "USD"
_SIZES_KEPT = timedelta(minutes=10)
# A page of two hundred replications must not ask a storage two hundred times that stays away.
_FAILURE_KEPT = timedelta(seconds=30)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _none() -> tuple[OccupiedSize, ...]:
    return ()


@dataclass(slots=True, kw_only=True)
class Estimates:
    """Estimates in one currency; without a `book` by the shipped prices.

    Prices and sizes that cannot be read leave an estimate without figures, with the reason in it:
    a plan is worth showing without its cost.
    """

    clock: Callable[[], datetime] = _utc_now
    currency: str = DEFAULT_CURRENCY
    book: Callable[[str], PriceBook] = shipped_book
    sizes: Callable[[], tuple[OccupiedSize, ...]] = _none
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: tuple[datetime, KnownSizes] | None = None
    _failed: tuple[datetime, str] | None = None

    def of(
        self,
        version_id: ImageVersionId,
        added: Iterable[RegionalReplicas],
        *,
        home_region: str,
        provisioned_gb: int | None,
    ) -> CostEstimate:
        """Estimate regions of a version."""
        found = self._today()
        if isinstance(found, str):
            return unknown_cost(found, currency=self.currency)
        book, known = found
        return estimate_cost(
            size_range(provisioned_gb, version_id, known),
            added,
            home_region=home_region,
            provisioned_gb=provisioned_gb,
            book=book,
            on=self.clock().date(),
        )

    def _today(self) -> tuple[PriceBook, KnownSizes] | str:
        """Return the prices and sizes of the moment, or why they cannot be had."""
        with self._lock:
            now = self.clock()
            if self._failed is not None and now < self._failed[0]:
                return self._failed[1]
            try:
                return self.book(self.currency), self._sizes(now)
            except ReplicationError as error:
                reason = f"no prices could be read: {error}"
                self._failed = (now + _FAILURE_KEPT, reason)
                return reason

    def _sizes(self, now: datetime) -> KnownSizes:
        if self._known is None or now >= self._known[0]:
            self._known = (now + _SIZES_KEPT, KnownSizes(self.sizes()))
        return self._known[1]


def open_estimates(
    blobs: LedgerBlobs | None, currency: str, clock: Callable[[], datetime]
) -> Estimates:
    """Return estimates by the prices and sizes in blobs; without blobs by the shipped ones."""
    if blobs is None:
        return Estimates(currency=currency, clock=clock)
    return Estimates(
        currency=currency,
        clock=clock,
        book=PriceBooks(blobs=blobs, clock=clock).current,
        sizes=OccupiedSizes(blobs=blobs).all,
    )
