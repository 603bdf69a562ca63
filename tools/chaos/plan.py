"""What a run does, and how much of it: everything that is left to chance comes from one seed."""

import random
from dataclasses import dataclass, replace
from typing import Any, Self

HOMES = {
    "eastus": 8,
    "australiaeast": 2,
    "westeurope": 1,
    "japaneast": 1,
    "centralindia": 2,
}
"""Home regions, and how many more regions their geographies have for an image."""

FOREIGN_REGION = "uksouth"
"""What the rival adds: in none of these geographies."""

LEASE_S = 12.0
OVERDUE_AFTER_S = 3.0
SWEEP_EVERY_S = 15
APP_SETTINGS = {
    "TRACKING_MIN_DELAY_S": "0.5",
    "TRACKING_MAX_DELAY_S": "2",
    "RETRY_BASE_DELAY_S": "0.5",
    "RETRY_MAX_DELAY_S": "2",
    "LEASE_DURATION_S": f"{LEASE_S:g}",
    "OVERDUE_AFTER_S": f"{OVERDUE_AFTER_S:g}",
}

# The share of requests that each kind of fault strikes; every column adds up to 20 %.
_READS = {
    "429 with Retry-After": 0.02,
    "429": 0.03,
    "500": 0.04,
    "503": 0.03,
    "409": 0.02,
    "drop_connection": 0.03,
    "delay": 0.03,
}
_WRITES = {
    "lose_write": 0.07,
    "429 with Retry-After": 0.02,
    "429": 0.02,
    "500": 0.02,
    "503": 0.02,
    "409": 0.02,
    "drop_connection": 0.02,
    "delay": 0.01,
}
_FAULTS: dict[str, dict[str, Any]] = {
    "429 with Retry-After": {"status": 429, "retry_after_s": 1},
    "429": {"status": 429},
    "500": {"status": 500},
    "503": {"status": 503},
    "409": {"status": 409, "code": "Conflict"},
    "drop_connection": {"drop_connection": True},
    "delay": {"delay_s": 0.5},
    "lose_write": {"lose_write": True},
}
FAILED_COPIES = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One round: how many exports, and the trouble that begins with them.

    `refusals_s` says how long ARM refuses each time, `cut_short` the share of accepted writes whose
    answer never arrives because the gate cuts the connection or kills the instance, and `rivals`
    the share of versions to which somebody adds a region between the app's look and its write.
    """

    seed: int
    exports: int = 150
    instances: int = 3
    time_scale: float = 300.0
    export_over_s: float = 20.0
    trouble_s: float = 30.0
    kills: int = 32
    storage_restarts: int = 2
    refusals_s: tuple[float, ...] = (4.0,)
    cut_short: float = 0.15
    rivals: float = 0.08
    settle_within_s: float = 75.0

    @classmethod
    def short(cls, seed: int) -> Self:
        """Return the round that the tests run."""
        return cls(seed=seed)

    @classmethod
    def of_round(cls, seed: int, number: int) -> Self:
        """Return a round of the long run: in the first, ARM refuses for a whole minute."""
        plan = cls(
            seed=seed * 1_000 + number,
            export_over_s=30.0,
            trouble_s=45.0,
            kills=45,
            refusals_s=(6.0,),
            settle_within_s=150.0,
        )
        if number == 1:
            plan = replace(plan, trouble_s=80.0, kills=60, refusals_s=(60.0,))
        return plan

    def chance(self, purpose: str) -> random.Random:
        """Return a source of chance of its own for each purpose."""
        return random.Random(f"{self.seed}/{purpose}")  # noqa: S311 - repeatable trouble

    def faults(self) -> dict[str, Any]:
        """Return the body of `PUT /_localcloud/faults`: the app's reads, writes and copies."""
        # Nobody but its owner may have to mend it.
        foreign = {
            "match": {"method": "PATCH", "region": FOREIGN_REGION},
            "fault": {"region_state": "Completed"},
        }
        failed = {
            "match": {"method": "PATCH"},
            "fault": {"region_state": "Failed"},
            "probability": FAILED_COPIES,
        }
        return {
            "seed": self.chance("faults").randrange(2**32),
            "rules": [*_rules("PATCH", _WRITES), *_rules("GET", _READS), foreign, failed],
        }


def _rules(method: str, shares: dict[str, float]) -> list[dict[str, Any]]:
    """Turn shares of all requests into rules of which only the first that strikes counts."""
    rules, left = [], 1.0
    for kind, share in shares.items():
        rules.append(
            {
                "match": {"method": method},
                "fault": _FAULTS[kind],
                "probability": share / left,
            }
        )
        left -= share
    return rules
