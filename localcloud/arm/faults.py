"""Faults on demand: rules that match requests or regions, with a seeded chance."""

import random
from dataclasses import dataclass, field
from typing import Any, Self

from localcloud.arm.checks import check_keys, integer, number, text
from localcloud.arm.errors import bad_request

_MATCH = ("method", "path", "region")
_FAULT = (
    "status",
    "code",
    "message",
    "retry_after_s",
    "delay_s",
    "drop_connection",
    "lose_write",
    "region_state",
    "stuck",
)


@dataclass(slots=True, kw_only=True)
class FaultRule:
    """One rule; `path` is a part of the path, letter case ignored; `times` None means always."""

    method: str | None = None
    path: str | None = None
    region: str | None = None
    fault: dict[str, Any] = field(default_factory=dict)
    times: int | None = None
    probability: float = 1.0

    @classmethod
    def parse(cls, raw: object) -> Self:
        """Read a rule; raises ArmError naming the key that is wrong."""
        body = check_keys(raw, ("match", "fault", "times", "probability", "seed"), "rule")
        match = check_keys(body.get("match", {}), _MATCH, "match")
        fault = check_keys(body.get("fault", {}), _FAULT, "fault")
        if fault.get("region_state") not in (None, "Failed", "Replicating", "Completed"):
            raise bad_request("fault.region_state is Failed, Replicating or Completed")
        for name in ("retry_after_s", "delay_s"):
            number(fault, name, default=0.0)
        integer(fault, "status", default=500)
        return cls(
            method=text(match, "method"),
            path=text(match, "path"),
            region=text(match, "region"),
            fault=fault,
            times=integer(body, "times", default=-1) if body.get("times") is not None else None,
            probability=number(body, "probability", default=1.0),
        )

    @property
    def is_about_copies(self) -> bool:
        """Whether the rule changes a copy and not an answer."""
        return "region_state" in self.fault or bool(self.fault.get("stuck"))


@dataclass(slots=True)
class Faults:
    """The rules in force; the first that matches wins."""

    rules: list[FaultRule] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311

    def put(self, raw: object) -> None:
        """Replace the rules: a list, or an object with `rules` and a `seed`."""
        seed = 0
        listed = raw
        if isinstance(raw, dict):
            body = check_keys(raw, ("rules", "seed"), "faults")
            listed, seed = body.get("rules", []), integer(body, "seed", default=0)
        if not isinstance(listed, list):
            raise bad_request("the faults are a list of rules")
        seeds = [one["seed"] for one in listed if isinstance(one, dict) and "seed" in one]
        self.rules = [FaultRule.parse(one) for one in listed]
        self.chance = random.Random(str(seeds[0] if seeds else seed))  # noqa: S311

    def for_request(self, method: str, path: str) -> dict[str, Any] | None:
        """Return the fault for a request, and use it up."""
        for rule in self.rules:
            if rule.is_about_copies:
                continue
            if rule.method and rule.method.upper() != method:
                continue
            if rule.path and rule.path.lower() not in path.lower():
                continue
            if rule.region and rule.region.lower() not in path.lower():
                continue
            if self._strikes(rule):
                return rule.fault
        return None

    def for_copy(self, region: str) -> str:
        """Return the outcome of a copy that starts now in the region."""
        for rule in self.rules:
            wanted = "".join((rule.region or "").lower().split())
            if not rule.is_about_copies or (wanted and wanted != region):
                continue
            if self._strikes(rule):
                if rule.fault.get("stuck") or rule.fault.get("region_state") == "Replicating":
                    return "Stuck"
                return str(rule.fault.get("region_state") or "Completed")
        return "Completed"

    def _strikes(self, rule: FaultRule) -> bool:
        if rule.times is not None and rule.times <= 0:
            return False
        if self.chance.random() >= rule.probability:
            return False
        if rule.times is not None:
            rule.times -= 1
        return True
