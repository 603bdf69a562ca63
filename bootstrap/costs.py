"""The cost audit of an app: importing this loads DuckDB, which nothing else needs."""

from collections.abc import Callable
from datetime import datetime

from costs.azure.retail_prices import RetailPrices
from costs.ledger.ledger import Ledger
from costs.ledger.rows import DayPrices
from costs.ports import CostPorts
from costs.pricing.estimator import Estimates
from costs.pricing.price_book import PriceBooks
from costs.pricing.sizes import KnownSizes, OccupiedSizes
from costs.reconciliation.service import BillAudit
from costs.report.cache import ReportCache
from costs.report.orphans import Comparer
from costs.report.service import Reports
from costs.service import Costs
from replication.config.settings import STORAGE_SETTING, Settings, SettingsError
from replication.domain.policy import ReplicationPolicy
from replication.ports import Catalogs, Gallery, JobStore


def build_costs(
    ports: CostPorts,
    settings: Settings,
    policy: ReplicationPolicy,
    *,
    store: JobStore,
    gallery: Gallery,
    catalogs: Catalogs,
    estimates: Estimates,
    clock: Callable[[], datetime],
    shown: ReportCache,
) -> Costs:
    """Wire the cost services; raises SettingsError where no address of blobs is set."""
    blobs = ports.blobs
    if blobs is None:
        raise SettingsError(
            f"the cost audit keeps its books in blobs, and their address is missing: set "
            f"{STORAGE_SETTING}__blobServiceUri"
        )
    price_books = PriceBooks(blobs=blobs, clock=clock)
    sizes = OccupiedSizes(blobs=blobs)

    def prices() -> DayPrices:
        return DayPrices(
            book=price_books.current(policy.currency),
            sizes=KnownSizes(sizes.all()),
            extra_regions=policy.extra_regions,
        )

    ledger = Ledger(store=store, blobs=blobs, prices=prices, clock=clock)
    reports = Reports(
        ledger=ledger,
        price_books=price_books,
        estimates=estimates,
        comparer=Comparer(gallery=gallery, catalogs=catalogs, policy=policy, clock=clock),
        consumers=ports.consumers,
        policy=policy,
        clock=clock,
    )
    return Costs(
        ledger=ledger,
        price_books=price_books,
        retail=RetailPrices(settings.retail_prices_url),
        reports=reports,
        bills=BillAudit(ledger=ledger, sizes=sizes, clock=clock),
        shown=shown,
    )
