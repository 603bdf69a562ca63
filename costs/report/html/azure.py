"""What the HTML report shows of orphans and ghosts, made ready for its template."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from costs.pricing.estimate import Amount
from costs.report.html.words import Label, common_place, money, version_label
from costs.report.report import GhostList, OrphanList


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanRow:
    """An orphan with its estimate; `span` is between which bounds that lies, `basis` its number."""

    label: Label
    regions: str
    monthly: Decimal | None
    currency: str
    span: str
    confidence: str
    basis: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanTable:
    """Orphans, what the estimates rest on, and where all of them are, if in one place."""

    rows: tuple[OrphanRow, ...]
    bases: tuple[str, ...]
    common_place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostRow:
    """A ghost with what the ledger charges for it."""

    label: Label
    regions: str
    monthly: Mapping[str, Decimal | None]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostTable:
    """Ghosts, and where all of them are, if in one place."""

    rows: tuple[GhostRow, ...]
    common_place: str


def orphan_table(found: OrphanList) -> OrphanTable:
    """Return orphans as a table; estimates on the same basis refer to it by one number."""
    numbers: dict[str, int] = {}
    rows = tuple(
        OrphanRow(
            label=version_label(str(item.orphan.version_id)),
            regions=_listed(replica.region for replica in item.orphan.replicas),
            monthly=item.estimate.monthly,
            currency=item.estimate.currency,
            span=_span(item.estimate.monthly_range),
            confidence=item.estimate.confidence,
            basis=numbers.setdefault(item.estimate.basis, len(numbers) + 1),
            reason=item.orphan.reason,
        )
        for item in found.items
    )
    return OrphanTable(
        rows=rows, bases=tuple(numbers), common_place=common_place(row.label for row in rows)
    )


def ghost_table(found: GhostList) -> GhostTable:
    """Return ghosts as a table."""
    rows = tuple(
        GhostRow(
            label=version_label(str(item.ghost.version_id)),
            regions=_listed(item.ghost.regions),
            monthly=item.monthly,
            reason=item.ghost.reason,
        )
        for item in found.items
    )
    return GhostTable(rows=rows, common_place=common_place(row.label for row in rows))


def _listed(regions: Iterable[str]) -> str:
    return ", ".join(regions)


def _span(bounds: Amount | None) -> str:
    if bounds is None or bounds.low == bounds.high:
        return ""
    return f"{money(bounds.low)} to {money(bounds.high)}"
