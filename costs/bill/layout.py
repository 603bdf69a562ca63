"""The layout of a Cost Management export, told by the names of its columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replication.domain.errors import MalformedError

# What a row must tell, and the columns that tell it, the better ones first; letters of any case.
# FOCUS counts what was used in ConsumedQuantity, and what it is priced by in PricingQuantity.
_FOCUS: Mapping[str, Sequence[str]] = {
    "day": ("ChargePeriodStart",),
    "cost": ("BilledCost",),
    "currency": ("BillingCurrency",),
    "resource": ("ResourceId",),
    "region": ("RegionId", "RegionName", "x_SkuRegion"),
    "meter": ("SkuMeter", "x_SkuMeterName", "x_SkuDescription", "ChargeDescription"),
    "quantity": ("ConsumedQuantity", "PricingQuantity"),
    "unit": ("ConsumedUnit", "x_PricingUnitDescription", "PricingUnit"),
    "charge": ("ChargeCategory",),
    "class": ("ChargeClass",),
}
# Spelled alike but for their letters in both: EA writes Date, MCA date.
_ACTUAL: Mapping[str, Sequence[str]] = {
    "day": ("Date", "UsageDateTime", "UsageDate"),
    "cost": ("CostInBillingCurrency", "Cost", "PreTaxCost"),
    "currency": ("BillingCurrencyCode", "BillingCurrency", "Currency"),
    "resource": ("ResourceId", "InstanceId"),
    "region": ("ResourceLocation", "Location", "MeterRegion"),
    "meter": ("MeterName", "Meter"),
    "quantity": ("Quantity", "UsageQuantity", "ConsumedQuantity"),
    "unit": ("UnitOfMeasure",),
    "charge": ("ChargeType",),
}
_OPTIONAL = frozenset({"charge", "class", "block"})
# What one of two layouts alone has.
_OF_MCA = frozenset({"costinpricingcurrency", "exchangeratepricingtobilling", "pricingcurrency"})
_OF_FOCUS_1_2 = frozenset({"skumeter", "invoiceid", "pricingcurrency", "billingaccounttype"})
# What this app's own export has, and no bill.
_OURS = ("x_GbBasis", "x_PolicyFingerprint")
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An export's kind, and the position of the column that tells each thing.

    `priced_in_blocks` is true where the quantity counts blocks of the unit, such as "100 GB/Month".
    """

    name: str
    columns: Mapping[str, int]
    spelled: Mapping[str, str]
    priced_in_blocks: bool


def recognise(header: Sequence[str]) -> Layout:
    """Return the layout; raises MalformedError that names every column which is missing."""
    names = [one.strip().casefold() for one in header]
    if all(one.casefold() in names for one in _OURS):
        raise MalformedError(
            f"this is the ledger as costs export wrote it (it has the column {_OURS[0]}): this "
            "app's own estimate, not a bill. Give an export of Cost Management"
        )
    is_focus = "chargeperiodstart" in names or "billedcost" in names
    wanted = dict(_FOCUS if is_focus else _ACTUAL)
    place = {name: number for number, name in reversed(list(enumerate(names)))}
    if is_focus and "consumedquantity" not in place:
        # Microsoft's own column has the number of the block in its text, FOCUS's may not.
        wanted |= {"unit": ("x_PricingUnitDescription", "PricingUnit")}
    found = {
        what: place[column.casefold()]
        for what, columns in wanted.items()
        for column in reversed(columns)
        if column.casefold() in place
    }
    missing = [what for what in wanted if what not in found and what not in _OPTIONAL]
    if missing:
        raise MalformedError(
            _missing(is_focus=is_focus, missing=missing, wanted=wanted, names=header)
        )
    twice = sorted({header[at] for at in found.values() if names.count(names[at]) > 1})
    if twice:
        raise MalformedError(
            f"the column {twice[0]} is there {names.count(twice[0].strip().casefold())} times; "
            "export it anew, or take all but one out"
        )
    quantity = header[found["quantity"]].strip()
    return Layout(
        name=_name(is_focus=is_focus, names=set(names)),
        columns=found,
        spelled={what: header[at].strip() for what, at in found.items()},
        priced_in_blocks=quantity.casefold() == "pricingquantity",
    )


def _name(*, is_focus: bool, names: set[str]) -> str:
    if is_focus:
        return "FOCUS 1.2" if names & _OF_FOCUS_1_2 else "FOCUS 1.0"
    return "ActualCost (MCA)" if names & _OF_MCA else "ActualCost (EA)"


def _missing(
    *,
    is_focus: bool,
    missing: Sequence[str],
    wanted: Mapping[str, Sequence[str]],
    names: Sequence[str],
) -> str:
    needed = "; ".join(f"{what}: {' or '.join(wanted[what])}" for what in missing)
    shown = ", ".join(repr(one[:40]) for one in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    kind = "a FOCUS export" if is_focus else "an ActualCost or FOCUS export"
    return (
        f"{kind} needs columns that are not there ({needed}); its first line has {shown}{more}. "
        "Give an export of Cost Management as it was written, with its header"
    )
