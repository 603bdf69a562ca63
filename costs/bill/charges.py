"""Read for what kind of charge a row stands."""

from enum import StrEnum

_USAGE = frozenset({"", "usage"})
_REFUNDS = frozenset({"refund", "credit", "adjustment", "roundingadjustment"})


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
