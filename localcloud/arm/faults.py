"""Faults on demand: rules that match requests or regional copies, with a seeded chance.

A rule matches by `method`, by `path` and by `region`, whichever it names. `path` is a part of the
request's path, or a pattern for all of it if it holds `*` or `?`; letter case is ignored. `region`,
in any spelling, matches a request that names it: in its path, as its location, or among its target
regions. The first rule that matches and strikes decides.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Self

from localcloud.arm.copying import Ending
from localcloud.arm.errors import invalid
from localcloud.arm.json_bodies import (
    choice_at,
    flag_at,
    integer_at,
    known_keys,
    number_at,
    object_at,
    text_at,
)

_RULE = ("match", "fault", "times", "probability", "seed")
_MATCH = ("method", "path", "region")
_COPY_KEYS = ("region_state", "stuck")
_REQUEST_KEYS = (
    "status",
    "code",
    "message",
    "retry_after_s",
    "delay_s",
    "drop_connection",
    "lose_write",
)
# What a fault answers that names words or a pause, and no status.
_BROKEN, _THROTTLED = 500, 429
_CODE, _MESSAGE = "InjectedFault", "A fault that was asked for."
_ENDINGS: dict[str, Ending] = {
    "Completed": "Completed",
    "Failed": "Failed",
    "Replicating": "Stuck",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a request; `delay_s` and `retry_after_s` are real seconds."""

    status: int | None = None
    code: str = _CODE
    message: str = _MESSAGE
    retry_after_s: float | None = None
    delay_s: float = 0.0
    drop_connection: bool = False
    lose_write: bool = False

    @property
    def kind(self) -> str:
        """Return what it is called in the request log: its outcome, else its delay."""
        if self.drop_connection:
            return "drop_connection"
        if self.status is not None:
            pause = " with Retry-After" if self.retry_after_s is not None else ""
            return f"{self.status}{pause}"
        return "lose_write" if self.lose_write else "delay"


@dataclass(slots=True, kw_only=True)
class FaultRule:
    """One rule; `fault` or `ending` is set; `times` None means always."""

    method: str | None
    path: str | None
    region: str | None
    fault: Fault | None
    ending: Ending | None
    times: int | None
    probability: float
    chance: random.Random

    @classmethod
    def parse(cls, raw: object, default_seed: str) -> Self:
        """Read a rule; raises ArmError naming the key that is wrong."""
        body = known_keys(raw, _RULE, "rule")
        match = known_keys(object_at(body, "match", "rule"), _MATCH, "match")
        fault = known_keys(object_at(body, "fault", "rule"), (*_REQUEST_KEYS, *_COPY_KEYS), "fault")
        ending, on_request = _ending(fault), [key for key in _REQUEST_KEYS if key in fault]
        if ending is None and not on_request:
            raise invalid("fault does nothing: name a status, a delay_s or another key of it.")
        if ending is not None and on_request:
            raise invalid(
                f"fault mixes {on_request[0]}, which is about requests, with region_state or "
                "stuck, which are about copies: make two rules of it."
            )
        probability = number_at(body, "probability", "rule", most=1.0)
        seed = integer_at(body, "seed", "rule", least=0, most=2**63)
        method = text_at(match, "method", "match")
        path, region = text_at(match, "path", "match"), text_at(match, "region", "match")
        return cls(
            method=method.upper() if method else None,
            path=path.lower() if path else None,
            region="".join(region.lower().split()) if region else None,
            fault=_fault(fault) if ending is None else None,
            ending=ending,
            times=integer_at(body, "times", "rule", least=0, most=10**9),
            probability=1.0 if probability is None else probability,
            chance=random.Random(default_seed if seed is None else str(seed)),  # noqa: S311 - repeatable
        )

    def matches(self, method: str, path: str, regions: Collection[str]) -> bool:
        """Tell whether a request, or a copy that it starts, is meant."""
        if self.times == 0 or (self.method and self.method != method):
            return False
        if self.path and not _is_like(path.lower(), self.path):
            return False
        return self.region is None or self.region in regions

    def strikes(self) -> bool:
        """Decide by chance, and count it down."""
        if self.chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules in force."""

    rules: list[FaultRule] = field(default_factory=list)

    def put(self, raw: object) -> None:
        """Replace the rules: by a list, or by an object with `rules` and a `seed` for all."""
        seed, listed = 0, raw
        if isinstance(raw, dict):
            body = known_keys(raw, ("rules", "seed"), "faults")
            listed = body.get("rules", [])
            seed = integer_at(body, "seed", "faults", least=0, most=2**63) or 0
        if not isinstance(listed, list):
            raise invalid("faults is a list of rules, or an object with rules and a seed.")
        self.rules = [FaultRule.parse(one, f"{seed}/{n}") for n, one in enumerate(listed)]

    @property
    def ask_for_regions(self) -> bool:
        """Tell whether a rule needs to know which regions a request names."""
        return any(rule.region for rule in self.rules)

    def for_request(self, method: str, path: str, regions: Collection[str]) -> Fault | None:
        """Return the fault that strikes a request, and use it up."""
        for rule in self.rules:
            if rule.fault and rule.matches(method, path, regions) and rule.strikes():
                return rule.fault
        return None

    def ending_of_copy(self, method: str, path: str, region: str) -> Ending:
        """Return how a copy to the region ends that this request starts."""
        for rule in self.rules:
            if rule.ending and rule.matches(method, path, (region,)) and rule.strikes():
                return rule.ending
        return "Completed"


def _is_like(path: str, wanted: str) -> bool:
    return fnmatchcase(path, wanted) if {"*", "?"} & set(wanted) else wanted in path


def _ending(fault: dict[str, Any]) -> Ending | None:
    if flag_at(fault, "stuck", "fault"):
        return "Stuck"
    state = choice_at(fault, "region_state", "fault", tuple(_ENDINGS))
    return _ENDINGS[state] if state else None


def _fault(fault: dict[str, Any]) -> Fault:
    status = integer_at(fault, "status", "fault", least=400, most=599)
    if status is None and any(key in fault for key in ("code", "message", "retry_after_s")):
        status = _THROTTLED if "retry_after_s" in fault else _BROKEN
    return Fault(
        status=status,
        code=text_at(fault, "code", "fault") or _CODE,
        message=text_at(fault, "message", "fault") or _MESSAGE,
        retry_after_s=number_at(fault, "retry_after_s", "fault"),
        delay_s=number_at(fault, "delay_s", "fault") or 0.0,
        drop_connection=bool(flag_at(fault, "drop_connection", "fault")),
        lose_write=bool(flag_at(fault, "lose_write", "fault")),
    )
