"""The words and figures of the HTML report: amounts, counts, names of groups and versions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from costs.report.facts import readable_id
from costs.report.query import Dimension

NO_PRICE = "no price"
_CENT = Decimal("0.01")
_PLACE = ("subscription", "resource_group")
# What tells one thing of a dimension from another, where its own name does not suffice.
_NAMES: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.GALLERY: ("gallery",),
    Dimension.DEFINITION: ("gallery", "definition"),
    Dimension.VERSION: ("gallery", "definition", "version"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A name, and under it where that is, which is empty where it need not be told."""

    text: str
    place: str = ""


def money(amount: Decimal | None) -> str:
    """Return an amount in cents; what is less than one is not shown as nothing."""
    if amount is None:
        return NO_PRICE
    cents = amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    if cents:
        return f"{cents:,f}"
    return "0.00" if not amount else "< 0.01" if amount > 0 else "> -0.01"


def signed_money(amount: Decimal) -> str:
    """Return a change with its sign."""
    wording = money(amount)
    return f"+{wording}" if amount >= _CENT / 2 and wording[0].isdigit() else wording


def in_currency(amount: Decimal | None, currency: str) -> str:
    """Return an amount with its currency."""
    return f"{money(amount)} {currency}" if amount is not None else f"{NO_PRICE} in {currency}"


def by_currency(amounts: Mapping[str, Decimal | None]) -> str:
    """Return amounts of several currencies, which are told beside each other and never added."""
    return " and ".join(in_currency(amount, currency) for currency, amount in amounts.items())


def counted(count: int, one: str, several: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def sentence(words: str) -> str:
    """Return words that begin in small letters as a sentence."""
    wording = words[:1].upper() + words[1:]
    return wording if wording.endswith((".", "!", "?")) else f"{wording}."


def word(dimension: Dimension) -> str:
    """Return what a dimension is called."""
    return dimension.value.replace("_", " ")


def group_labels(
    keys: Mapping[str, str | None], dimensions: Iterable[Dimension], *, with_place: bool
) -> tuple[Label, ...]:
    """Return one label for each dimension; `with_place` tells where a gallery is as well."""
    labels = []
    for dimension in dimensions:
        names = _NAMES.get(dimension, (dimension.value,))
        parts = [keys[name] for name in names]
        if all(part is None for part in parts):
            labels.append(Label(text=f"(no {word(dimension)})"))
            continue
        place = [keys[name] for name in _PLACE] if with_place and dimension in _NAMES else []
        labels.append(Label(text=_joined(parts), place=_joined(place)))
    return tuple(labels)


def galleries_need_places(groups: Iterable[Mapping[str, str | None]]) -> bool:
    """Tell whether two galleries of one name are in different places."""
    places: dict[str | None, set[tuple[str | None, ...]]] = {}
    for keys in groups:
        places.setdefault(keys.get("gallery"), set()).add(tuple(keys.get(one) for one in _PLACE))
    return any(len(found) > 1 for found in places.values())


def version_label(image_version_id: str) -> Label:
    """Return a version's short name with where it is; the id itself where it cannot be read."""
    found = readable_id(image_version_id)
    if found is None:
        return Label(text=image_version_id)
    return Label(
        text=f"{found.gallery}/{found.image}/{found.version}",
        place=f"{found.subscription_id}/{found.resource_group}",
    )


def common_place(labels: Iterable[Label]) -> str:
    """Return where all of them are, empty where they are in several places."""
    places = {label.place for label in labels}
    return places.pop() if len(places) == 1 else ""


def _joined(parts: Iterable[str | None]) -> str:
    return "/".join("?" if part is None else part for part in parts)
