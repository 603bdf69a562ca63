"""How large a version really is: no API tells, the bill of earlier versions does."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from costs.ports import LedgerBlobs
from replication.codec import Codec, amount_over_0, short_text, text_that
from replication.domain.errors import RecordChangedError
from replication.domain.image_version import ImageVersionId

FORMAT_VERSION = 1
_BLOB = "occupied-sizes.json"
_TRIES = 5
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_VERSION = re.compile(r"[0-9]{1,10}\.[0-9]{1,10}\.[0-9]{1,10}")
_MAX_GB = Decimal(2**20)
_MAX_TEXT = 1024
# How much the next version may differ where earlier ones tell no better.
_LEAST_SPREAD = Decimal("0.1")
_TO_THE = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRange:
    """The GB that one replica occupies: between which bounds, and the figure to count with.

    `confidence` is high, medium or low; `basis` says in words what it rests on.
    """

    low_gb: Decimal
    gb: Decimal
    high_gb: Decimal
    basis: str
    confidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupiedSize:
    """The GB of one replica of a version as the bill of a month ("2026-10") shows it.

    `definition_id` is the ARM id of the image definition in small letters.
    """

    definition_id: str
    version: str
    gb: Decimal
    month: str
    source: str


class KnownSizes:
    """Billed sizes by definition, for whoever asks for many versions."""

    def __init__(self, sizes: Iterable[OccupiedSize]) -> None:
        self._of: dict[str, list[OccupiedSize]] = {}
        for one in sizes:
            self._of.setdefault(one.definition_id, []).append(one)

    def of(self, definition: str) -> Iterable[OccupiedSize]:
        """Return the sizes of a definition, which is named as `definition_id` does."""
        return self._of.get(definition, ())


def definition_id(version_id: ImageVersionId) -> str:
    """Return the ARM id of the version's image definition in small letters."""
    return f"{version_id.gallery_id}/images/{version_id.image}".lower()


def size_range(
    provisioned_gb: int | None,
    version_id: ImageVersionId,
    known: KnownSizes | Iterable[OccupiedSize],
) -> SizeRange | None:
    """Return how much a replica occupies, None while nothing at all is known.

    What a bill shows for this very version is taken as it is. Else the nearest earlier version
    gives the figure, and the bounds lie above and below all versions of the definition by their
    spread, at least by a tenth. The provisioned size is the upper bound of both. Without a bill it
    is the figure as well, with zero below: an image of 127 GB may hold 10.
    """
    definition = definition_id(version_id)
    sizes = known if isinstance(known, KnownSizes) else KnownSizes(known)
    billed = _newest(sizes.of(definition))
    own = billed.get(version_id.version)
    if own is not None:
        return SizeRange(
            low_gb=own.gb,
            gb=own.gb,
            high_gb=own.gb,
            basis=f"{_shown(own.gb)} GB occupied, from the bill of {own.month}",
            confidence="high",
        )
    if billed:
        return _like_its_siblings(provisioned_gb, version_id.version, billed)
    if provisioned_gb is None:
        return None
    whole = Decimal(provisioned_gb)
    return SizeRange(
        low_gb=Decimal(0),
        gb=whole,
        high_gb=whole,
        basis=f"upper bound: {provisioned_gb} GB provisioned, of which Azure charges what is "
        "occupied; no bill has shown that yet",
        confidence="low",
    )


def _like_its_siblings(
    provisioned_gb: int | None, version: str, billed: Mapping[str, OccupiedSize]
) -> SizeRange:
    nearest = billed[_nearest(version, billed)]
    sizes = [one.gb for one in billed.values()]
    spread = max(max(sizes) - min(sizes), (nearest.gb * _LEAST_SPREAD).quantize(_TO_THE))
    bound = Decimal(provisioned_gb) if provisioned_gb is not None else None
    low, middle, high = (
        _capped(figure, bound) for figure in (min(sizes) - spread, nearest.gb, max(sizes) + spread)
    )
    of = f"version {nearest.version} occupied {_shown(nearest.gb)} GB in the bill of "
    of += f"{nearest.month}, one of {len(billed)} billed" if len(billed) > 1 else nearest.month
    limit = f"{provisioned_gb} GB provisioned" if bound is not None else "no provisioned size yet"
    return SizeRange(
        low_gb=max(low, Decimal(0)),
        gb=middle,
        high_gb=high,
        basis=f"{_shown(max(low, Decimal(0)))} to {_shown(high)} GB: {of}; {limit}",
        confidence="medium" if bound is not None else "low",
    )


def _capped(figure: Decimal, bound: Decimal | None) -> Decimal:
    return figure if bound is None else min(figure, bound)


def _newest(known: Iterable[OccupiedSize]) -> dict[str, OccupiedSize]:
    """Return the newest month of each version."""
    newest: dict[str, OccupiedSize] = {}
    for one in known:
        seen = newest.get(one.version)
        if seen is None or one.month > seen.month:
            newest[one.version] = one
    return newest


def _nearest(version: str, billed: Mapping[str, OccupiedSize]) -> str:
    """Return the version just before this one, else the one just after."""
    ordered = sorted(billed, key=_parts)
    before = [one for one in ordered if _parts(one) < _parts(version)]
    return before[-1] if before else ordered[0]


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _shown(figure: Decimal) -> str:
    return f"{figure.normalize():f}"


@dataclass(frozen=True, slots=True)
class OccupiedSizes:
    """Keeps what bills have shown, as one blob for all definitions."""

    blobs: LedgerBlobs

    def all(self) -> tuple[OccupiedSize, ...]:
        """Return every known size; raises MalformedError, and what the blobs raise."""
        found = self.blobs.read(_BLOB)
        return () if found is None else decode_sizes(found[0])

    def merge(self, found: Iterable[OccupiedSize]) -> int:
        """Keep new sizes, a later reading of a month over an earlier; returns how many differ."""
        fresh = {_key(one): one for one in found}
        for _ in range(_TRIES):
            stored = self.blobs.read(_BLOB)
            known = {_key(one): one for one in decode_sizes(stored[0])} if stored else {}
            changed = sum(1 for key, one in fresh.items() if known.get(key) != one)
            if changed == 0:
                return 0
            content = encode_sizes((known | fresh).values())
            try:
                self.blobs.replace(_BLOB, content, etag=stored[1] if stored else None)
            except RecordChangedError:
                continue
            return changed
        raise RecordChangedError(f"{_BLOB} was written by others {_TRIES} times; try again")


@dataclass(frozen=True, slots=True)
class _Kept:
    sizes: tuple[OccupiedSize, ...]


_KEPT = Codec(
    shape=_Kept,
    what=_BLOB,
    version=FORMAT_VERSION,
    forms={
        OccupiedSize: {
            "definition_id": text_that(
                lambda text: len(text) <= _MAX_TEXT and text.isprintable() and text == text.lower(),
                "is no id in small letters",
            ),
            "version": text_that(_VERSION.fullmatch, "is no version"),
            "gb": amount_over_0(_MAX_GB),
            "month": text_that(_MONTH.fullmatch, "is not like 2026-10"),
            "source": short_text(_MAX_TEXT),
        }
    },
)


def encode_sizes(sizes: Iterable[OccupiedSize]) -> bytes:
    """Return the sizes as JSON, in a fixed order."""
    return json.dumps(_KEPT.encode(_Kept(tuple(sorted(sizes, key=_key)))), indent=1).encode()


def decode_sizes(content: bytes) -> tuple[OccupiedSize, ...]:
    """Read the sizes; raises MalformedError that names the part."""
    return _KEPT.decode_text(content).sizes


def _key(one: OccupiedSize) -> tuple[str, tuple[int, ...], str]:
    return (one.definition_id, _parts(one.version), one.month)
