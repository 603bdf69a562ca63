"""Estimate what the replicas of an image version cost, before any bill shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

CURRENCY = "USD"
# Meter "LRS Snapshots" of "Standard HDD Managed Disks", read from the Retail Prices API for
# westeurope on 2026-08-14. Zone-redundant snapshots have the same meter name under ZRS.
STANDARD_USD_PER_GB_MONTH = Decimal("0.05")
# Meter "LRS Snapshots" of "Premium SSD Managed Disks", same source and day.
PREMIUM_USD_PER_GB_MONTH = Decimal("0.145")
# Meter "Standard Inter-Region Data Transfer" of "Bandwidth", the figure most regions share.
TRANSFER_USD_PER_GB = Decimal("0.02")
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionalReplicas:
    """How many replicas one region is to hold, and on which storage."""

    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEstimate:
    """Upper bounds in `currency`; None while the size of the version is not known."""

    monthly: Decimal | None
    egress_once: Decimal | None
    currency: str
    basis: str


def estimate_cost(size_gb: int | None, added: Iterable[RegionalReplicas]) -> CostEstimate:
    """Estimate the regions that the app adds: storage a month, and the transfer once a region.

    Azure bills the occupied size, which no API tells; the provisioned size is its upper bound.
    """
    regions = tuple(added)
    if size_gb is None:
        return CostEstimate(
            monthly=None,
            egress_once=None,
            currency=CURRENCY,
            basis="the size of the version is not known before its creation has ended",
        )
    monthly = sum(
        (
            size_gb * region.replica_count * _usd_per_gb_month(region.storage_account_type)
            for region in regions
        ),
        start=Decimal(0),
    )
    return CostEstimate(
        monthly=monthly.quantize(_CENT),
        egress_once=(size_gb * len(regions) * TRANSFER_USD_PER_GB).quantize(_CENT),
        currency=CURRENCY,
        basis=(
            f"upper bound: {size_gb} GB provisioned, one price for all regions "
            "(snapshots in westeurope, 2026-08-14)"
        ),
    )


def _usd_per_gb_month(storage_account_type: str) -> Decimal:
    if storage_account_type.startswith("Premium"):
        return PREMIUM_USD_PER_GB_MONTH
    return STANDARD_USD_PER_GB_MONTH
