"""What replicas would cost if they were kept otherwise; computed from one day's rows."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from costs.pricing.prices import MissingPrice, Price
from costs.report.facts import ReplicaRow, amount, readable_id
from costs.report.maths import definition_of, version_parts
from costs.report.query import Change
from costs.report.usage import Usage, Use

_ZERO = Decimal(0)
_NO_REASON = "the row does not say why"
_MICRO = Decimal("0.00000001")

type PriceOf = Callable[[str, str, str], Price | MissingPrice]


@dataclass(slots=True, kw_only=True)
class Balance:
    """A currency's, or a gallery's, month before and after, and what the change costs once."""

    before: Decimal = _ZERO
    after: Decimal = _ZERO
    once: Decimal = _ZERO

    @property
    def saving(self) -> Decimal:
        """What a month is cheaper by; negative where it gets dearer."""
        return self.before - self.after

    def as_json(self) -> dict[str, str | None]:
        """Return every amount as a text with all its digits."""
        amounts = (self.before, self.after, self.saving, self.once)
        names = ("before", "after", "saving", "once")
        return dict(zip(names, map(amount, amounts), strict=True))


@dataclass(slots=True, kw_only=True)
class WhatIf:
    """The answer; every row is counted, or `set_aside` for a reason.

    `currencies` and `galleries`, these by a gallery's id in small letters, hold no amount of a row
    that was set aside; what would go or change counts rows without a price as well.
    """

    currencies: dict[str, Balance] = field(default_factory=dict)
    galleries: dict[tuple[str, str], Balance] = field(default_factory=dict)
    rows: int = 0
    versions_gone: set[str] = field(default_factory=set)
    versions_in_use: int | None = None
    regions_gone: int = 0
    regions_changed: int = 0
    home_regions_kept: int = 0
    transfers_without_price: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def as_json(self, day: date) -> dict[str, Any]:
        """Return the answer about a day; an amount is a text with all its digits."""
        aside = sum(self.set_aside.values())
        return {
            "day": day.isoformat(),
            "monthly": [
                {"currency": currency, **one.as_json()}
                for currency, one in sorted(self.currencies.items())
            ],
            "galleries": [
                {"gallery_id": gallery, "currency": currency, **one.as_json()}
                for (gallery, currency), one in sorted(self.galleries.items())
            ],
            "versions_gone": len(self.versions_gone),
            "versions_gone_in_use": self.versions_in_use,
            "regions_gone": self.regions_gone,
            "regions_changed": self.regions_changed,
            "notes": self.notes,
            "rows": {
                "read": self.rows,
                "used": self.rows - aside,
                "set_aside": [
                    {"reason": reason, "rows": count}
                    for reason, count in self.set_aside.most_common()
                ],
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What a GB costs: a month in a region on a storage type, and once from region to region.

    Both are asked with the currency last.
    """

    storage: PriceOf
    transfer: PriceOf


def what_if(
    rows: Iterable[ReplicaRow],
    change: Change,
    *,
    newest: Mapping[str, frozenset[str]],
    prices: Prices,
    usage: Usage,
) -> WhatIf:
    """Compute a day's rows anew; `newest` are the versions that each definition keeps."""
    answer = WhatIf()
    prices = Prices(storage=cache(prices.storage), transfer=cache(prices.transfer))
    for row in rows:
        answer.rows += 1
        if not row.image_version_id.startswith("/"):  # a record that cannot be read
            answer.set_aside[row.unpriced or _NO_REASON] += 1
            continue
        goes = _goes(row, change, newest, answer)
        answer.regions_changed += not goes and _changes(row, change)
        if row.monthly is None:
            answer.set_aside[f"no price: {row.unpriced or _NO_REASON}"] += 1
        elif goes:
            _book(answer, row, after=_ZERO)
        else:
            _keep(row, change, prices, answer)
    _round(answer)
    _tell(answer, change, usage)
    return answer


def newest_versions(image_version_ids: Iterable[str], keep_last: int) -> dict[str, frozenset[str]]:
    """Return the ids, in small letters, of each definition's newest versions."""
    found: dict[str, set[tuple[tuple[int, ...], str]]] = defaultdict(set)
    for text in image_version_ids:
        version_id = readable_id(text)
        if version_id is not None:
            found[definition_of(version_id)].add((version_parts(version_id), text.lower()))
    return {
        definition: frozenset(text for _, text in sorted(versions)[-keep_last:])
        for definition, versions in found.items()
    }


def _goes(
    row: ReplicaRow, change: Change, newest: Mapping[str, frozenset[str]], answer: WhatIf
) -> bool:
    """Tell whether the region's replicas would not be there, and count why."""
    lower = row.image_version_id.lower()
    if change.keep_last is not None:
        kept = newest.get(lower.rsplit("/versions/", 1)[0])
        if kept is not None and lower not in kept:
            answer.versions_gone.add(lower)
            answer.regions_gone += 1
            return True
    if row.region in change.deny_regions:
        if row.is_home:
            answer.home_regions_kept += 1
            return False
        answer.regions_gone += 1
        return True
    return False


def _changes(row: ReplicaRow, change: Change) -> bool:
    """Tell whether a region's replicas would be kept otherwise."""
    return _retyped(row, change) or change.replica_count not in (None, row.replicas)


def _retyped(row: ReplicaRow, change: Change) -> bool:
    wanted = change.storage_type
    return wanted is not None and wanted.casefold() != row.storage_account_type.casefold()


def _keep(row: ReplicaRow, change: Change, prices: Prices, answer: WhatIf) -> None:
    """Book replicas that stay, perhaps kept otherwise."""
    gb, replicas = row.gb or _ZERO, change.replica_count or row.replicas
    unit_price, once = row.unit_price or _ZERO, _ZERO
    if change.storage_type is not None and _retyped(row, change):
        price = prices.storage(row.region, change.storage_type, row.currency)
        if isinstance(price, MissingPrice):
            answer.set_aside[f"no price: {price.reason}"] += 1
            return
        unit_price = price.unit_price
        if not row.is_home:
            transfer = prices.transfer(row.home_region, row.region, row.currency)
            if isinstance(transfer, MissingPrice):
                answer.transfers_without_price += 1
            else:
                once = gb * transfer.unit_price
    _book(answer, row, after=gb * replicas * unit_price, once=once)


def _book(answer: WhatIf, row: ReplicaRow, *, after: Decimal, once: Decimal = _ZERO) -> None:
    for balance in (
        answer.currencies.setdefault(row.currency, Balance()),
        answer.galleries.setdefault((_gallery_of(row), row.currency), Balance()),
    ):
        balance.before += row.monthly or _ZERO
        balance.after += after
        balance.once += once


def _gallery_of(row: ReplicaRow) -> str:
    return row.image_version_id.lower().partition("/images/")[0]


def _round(answer: WhatIf) -> None:
    for balance in (*answer.currencies.values(), *answer.galleries.values()):
        balance.before = balance.before.quantize(_MICRO)
        balance.after = balance.after.quantize(_MICRO)
        balance.once = balance.once.quantize(_MICRO)


def _tell(answer: WhatIf, change: Change, usage: Usage) -> None:
    """Say in words what the figures leave out."""
    if answer.versions_gone:
        if usage.unknown is not None:
            answer.notes.append(
                f"whether anybody uses the versions that would go is not known: {usage.unknown}"
            )
        else:
            used = [one for one in answer.versions_gone if usage.of(one) is not Use.UNUSED]
            answer.versions_in_use = len(used)
            answer.notes.append(
                f"{len(used)} of the {len(answer.versions_gone)} versions that would go are, or "
                "may be, in use"
            )
    if answer.home_regions_kept:
        answer.notes.append(
            f"{answer.home_regions_kept} versions have a denied region as their home, where they "
            "stay"
        )
    if change.storage_type is not None and answer.regions_changed:
        answer.notes.append(
            "Azure does not change how a region's replicas are kept: they are removed and added "
            "again, with a transfer once, and a home region only with a new version"
        )
    if answer.transfers_without_price:
        answer.notes.append(
            f"{answer.transfers_without_price} of those transfers have no price and are not in "
            "what is charged once"
        )
