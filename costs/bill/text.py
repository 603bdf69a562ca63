"""The words of a bill's rows: whose resource, which meter, unit, charge and day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.domain.regions import InvalidRegionNameError, RegionCatalog

_USAGE = frozenset({"", "usage"})
_REFUNDS = frozenset({"refund", "credit", "adjustment", "roundingadjustment"})
_SLASHED = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4})(?:[ T].*)?", re.ASCII)
_UNIT = re.compile(r"(?:([0-9]{1,7})(?:\.0+)?\s+)?([a-z].*)")
_MONTHS_IN_YEAR = 12
_CURRENCY = re.compile(r"[A-Z]{3}")
_NAMES = re.compile(r"[\w.()-]{1,128}")
_GALLERY_PARTS = 8
_DEFINITION_PARTS = 10
# Spelled with spaces and signs taken out.
_GB_MONTHS = frozenset({"gb/month", "gbmonth", "gbmonths", "gb/months", "gb/mo", "gbmo"})
_GB = frozenset({"gb", "gbs", "gigabyte", "gigabytes"})


class Kind(StrEnum):
    """What a row of a gallery's resource is charged for."""

    STORAGE = "storage"
    TRANSFER = "transfer"


class Level(StrEnum):
    """How closely a row names what it is for."""

    VERSION = "version"
    DEFINITION = "definition"
    GALLERY = "gallery"


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """A gallery, an image definition or an image version, by its ARM id in small letters."""

    id: str
    level: Level

    @property
    def gallery(self) -> str:
        """The ARM id of its gallery."""
        return self.id.split("/images/", maxsplit=1)[0]

    @property
    def definition(self) -> str:
        """The ARM id of its definition; a gallery stands for itself."""
        return self.id.split("/versions/", maxsplit=1)[0]


def read_resource(text: str) -> Resource | None:
    """Return what the id of a gallery resource names, None where it is not such an id."""
    plain = text.strip().strip("/").lower()
    parts = plain.split("/")
    try:
        version = ImageVersionId.parse("/" + plain)
    except MalformedImageVersionIdError:
        pass
    else:
        return Resource(str(version).lower(), Level.VERSION)
    if len(parts) not in (_GALLERY_PARTS, _DEFINITION_PARTS):
        return None
    fixed = (parts[0], parts[2], parts[4], parts[5], parts[6], *parts[8:9])
    shape = ("subscriptions", "resourcegroups", "providers", "microsoft.compute", "galleries")
    named = [parts[1], parts[3], *parts[7::2]]
    if fixed[:5] != shape or fixed[5:] not in ((), ("images",)):
        return None
    if not all(_NAMES.fullmatch(one) for one in named):
        return None
    level = Level.GALLERY if len(parts) == _GALLERY_PARTS else Level.DEFINITION
    return Resource("/" + plain, level)


def meter_kind(name: str) -> Kind | None:
    """Return what a meter of a gallery's resource charges for, None for one nobody has seen."""
    plain = name.casefold()
    if "snapshot" in plain:
        return Kind.STORAGE
    if "data transfer" in plain or "inter-region" in plain:
        return Kind.TRANSFER
    return None


def read_unit(text: str, kind: Kind) -> int | None:
    """Return of how many GB (a month, for storage) one unit is; None for an unknown unit.

    "100 GB/Month", "1 GB-Month" and "GB-Months" are all known.
    """
    found = _UNIT.fullmatch(text.strip().casefold())
    if not found:
        return None
    count = int(found[1] or 1)
    plain = re.sub(r"[\s_-]", "", found[2])
    known = _GB_MONTHS if kind is Kind.STORAGE else _GB
    # Some layouts leave the month out of the unit of a meter that is by the month.
    if kind is Kind.STORAGE and plain in _GB:
        return count or None
    return (count or None) if plain in known else None


def read_currency(text: str) -> str | None:
    """Return the code of a currency, None for anything else."""
    plain = text.strip().upper()
    return plain if _CURRENCY.fullmatch(plain) else None


def read_region(text: str, regions: RegionCatalog) -> tuple[str, bool]:
    """Return a region's short name and whether the catalog knows it; "" for none."""
    try:
        region = regions.resolve(text)
    except InvalidRegionNameError:
        return "", False
    return region.name, region in regions.details


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What the dates of a bill mean; a text that means none is not in `of`.

    `shifted` are those that begin at another hour than midnight in UTC; `order` says how dates
    with slashes were read, `ambiguous` that none of them shows whether that is right.
    """

    of: dict[str, date]
    shifted: frozenset[str]
    order: str | None
    ambiguous: bool


def read_days(texts: Iterable[str]) -> Days:
    """Read all dates of a bill: ISO ones with or without a zone, and 10/31/2026.

    The day is that of the UTC at which the charge period begins. Dates with slashes are in the
    order of the United States, in which Cost Management writes them, unless one cannot be.
    """
    days: dict[str, date] = {}
    shifted = set()
    slashed: dict[str, tuple[int, int, int]] = {}
    dotted = False
    for text in texts:
        found = _SLASHED.fullmatch(text.strip())
        if found:
            slashed[text] = (int(found[1]), int(found[3]), int(found[4]))
            dotted = dotted or found[2] == "."
            continue
        moment = _iso(text.strip())
        if moment is None:
            continue
        days[text] = moment.date()
        if (moment.hour, moment.minute) != (0, 0):
            shifted.add(text)
    firsts = {first for first, _, _ in slashed.values() if first > _MONTHS_IN_YEAR}
    seconds = {second for _, second, _ in slashed.values() if second > _MONTHS_IN_YEAR}
    day_first = bool(dotted or firsts) and not seconds
    for text, (first, second, year) in slashed.items():
        day, month = (first, second) if day_first else (second, first)
        try:
            days[text] = date(year, month, day)
        except ValueError:
            continue
    order = ("day/month/year" if day_first else "month/day/year") if slashed else None
    return Days(
        of=days,
        shifted=frozenset(shifted),
        order=order,
        ambiguous=bool(slashed) and not firsts and not seconds and not dotted,
    )


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None


class NumberStyle(StrEnum):
    """How a bill writes the part after the point."""

    POINT = "point"
    COMMA = "comma"


def number_style(*, points: int, commas: int, surely_commas: int) -> NumberStyle | None:
    """Tell how a bill's numbers are written, None where 1,234 may be either.

    `points` and `commas` count the numbers that have one, `surely_commas` those whose comma
    cannot part thousands.
    """
    if commas == 0 or points > 0:
        return NumberStyle.POINT
    return NumberStyle.COMMA if surely_commas else None


def per_gb(cost: Decimal, gb: Decimal) -> Decimal | None:
    """Return the price that a cost and a quantity imply."""
    return cost / gb if gb > 0 else None


class Charge(StrEnum):
    """What a row is, as far as a replica goes."""

    USAGE = "usage"
    REFUND = "refund"
    OTHER = "other"


def read_charge(charge: str, charge_class: str) -> Charge:
    """Return the kind; a correction of an earlier month is a refund of either sign."""
    plain = charge.strip().casefold()
    if plain in _REFUNDS or (plain in _USAGE and charge_class.strip().casefold() == "correction"):
        return Charge.REFUND
    return Charge.USAGE if plain in _USAGE else Charge.OTHER
