"""The sizes that a bill shows: how much a replica of each version occupies."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from costs.bill.model import BillLine, LineKey
from costs.bill.text import Kind, Level
from costs.pricing.sizes import OccupiedSize, definition_id
from costs.reconciliation.lines import LedgerLine, Pair
from costs.reconciliation.verdicts import Circumstances, is_whole
from replication.domain.image_version import ImageVersionId

# Below that the hours of its first and its last day weigh more than the tenth by which the
# estimates spread a size in any case.
LEAST_DAYS = 10
_SPREAD = Decimal("0.1")
_LIMIT_SPREAD = Decimal("0.02")
_TWICE = Decimal("1.5")
_PLACES = Decimal("0.000001")
_MOST_GB = Decimal(2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The GB a replica occupies by the bill of a month, and what the ledger had counted.

    `why_not` says why it is not kept for the next estimates, "" where it is. `average_of` is how
    many versions share the figure, where the bill names their definition only.
    """

    size: OccupiedSize
    counted_gb: Decimal | None
    replica_months: Decimal
    average_of: int
    why_not: str = ""


def derive_sizes(pairs: Mapping[LineKey, Pair], about: Circumstances) -> tuple[Learned, ...]:
    """Return what the storage lines say; whatever is on both sides in every region, and safe.

    The currency does not matter: GB are GB in each.
    """
    groups: dict[tuple[str, str], list[Pair]] = defaultdict(list)
    for bill, ledger in pairs.values():
        one = bill or ledger
        if one is None or one.key.kind is not Kind.STORAGE:
            continue
        if one.key.resource.level is not Level.GALLERY:
            groups[one.key.resource.id, one.key.month].append((bill, ledger))
    found = (_learned(month, own, about) for (_, month), own in sorted(groups.items()))
    return tuple(one for one in found if one is not None)


def _learned(month: str, own: Sequence[Pair], about: Circumstances) -> Learned | None:
    by_region: dict[str, tuple[list[BillLine], list[LedgerLine]]] = defaultdict(lambda: ([], []))
    for bill, ledger in own:
        if bill is not None:
            by_region[bill.key.region][0].append(bill)
        if ledger is not None:
            by_region[ledger.key.region][1].append(ledger)
    bills = [bill for some, _ in by_region.values() for bill in some]
    ledgers = [ledger for _, some in by_region.values() for ledger in some]
    if not bills or not ledgers:
        return None
    sizes = {
        region: _gb(some) / _months(books)
        for region, (some, books) in by_region.items()
        if some and books and _months(books) > 0
    }
    months = _months(ledgers)
    gb = (_gb(bills) / months).quantize(_PLACES, rounding=ROUND_HALF_EVEN) if months else 0
    versions = sorted({one for line in ledgers for one in line.versions}, key=_number)
    if not 0 < gb <= _MOST_GB:
        return None
    named = ImageVersionId.parse(versions[-1])
    counted = [line.gb for line in ledgers]
    known = sum((one for one in counted if one is not None), Decimal(0))
    return Learned(
        size=OccupiedSize(
            definition_id=definition_id(named),
            version=named.version,
            gb=Decimal(gb),
            month=month,
            source=_source(len(versions)),
        ),
        counted_gb=None if None in counted else known / months,
        replica_months=months,
        average_of=len(versions),
        why_not=_why_not(month, bills, ledgers, sizes, regions=len(by_region), about=about),
    )


def _why_not(
    month: str,
    bills: Sequence[BillLine],
    ledgers: Sequence[LedgerLine],
    sizes: Mapping[str, Decimal],
    *,
    regions: int,
    about: Circumstances,
) -> str:
    """Return the first reason not to learn from the lines of a version, "" for none."""
    days = sum(line.replica_days for line in ledgers)
    least, most = min(sizes.values(), default=Decimal(0)), max(sizes.values(), default=Decimal(0))
    reasons = {
        "the bill does not have the whole month yet": not is_whole(month, about),
        "there are refunds or corrections": any(line.refund_rows for line in bills),
        "rows of the bill may be there twice": any(
            line.equal_rows or line.revised for line in bills
        ),
        "rows of the bill about it were set aside": any(
            (line.key.resource.id, month) in about.aside for line in bills
        ),
        "the bill and the ledger have it in different regions": len(sizes) < regions,
        f"its regions differ: from {least:.2f} to {most:.2f} GB a replica": (
            most - least > most * _SPREAD
        ),
        f"it stood for {days} days of replicas only, {LEAST_DAYS} are the least": (
            days < LEAST_DAYS
        ),
    }
    found = next((reason for reason, holds in reasons.items() if holds), "")
    return found or _too_large(ledgers, most)


def _too_large(ledgers: Sequence[LedgerLine], most: Decimal) -> str:
    for line in ledgers:
        if line.gb_limit is not None and most > line.gb_limit * (1 + _LIMIT_SPREAD):
            return f"it is more than the {line.gb_limit:.0f} GB that are provisioned"
        counted = line.gb / line.replica_months if line.gb is not None else None
        if line.confidence == "high" and counted and most > counted * _TWICE:
            return "an earlier bill had far less: there may be more replicas than on the ledger"
    return ""


def _gb(bills: Sequence[BillLine]) -> Decimal:
    return sum((line.gb for line in bills), Decimal(0))


def _months(ledgers: Sequence[LedgerLine]) -> Decimal:
    return sum((line.replica_months for line in ledgers), Decimal(0))


def _number(version_id: str) -> tuple[int, ...]:
    return tuple(int(part) for part in ImageVersionId.parse(version_id).version.split("."))


def _source(versions: int) -> str:
    return "bill" if versions == 1 else f"bill, an average of {versions} versions"
