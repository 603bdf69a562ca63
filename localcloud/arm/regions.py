"""The real regions: their names, where the provider offers image versions, and their behaviour."""

import hashlib
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

# Recorded: one more region for 30 GB took 421 s (vendor CLI's test recordings).
MINUTES_PER_GB = 421 / 60 / 30
_VERSION_TYPE = "galleries/images/versions"
# Physical regions without availability zones, as far as the demonstration needs them.
_NO_ZONES = {"westus", "northcentralus", "westcentralus", "australiacentral", "southindia"}


def short_name(text: str) -> str:
    """Return "westus2" for "West US 2"."""
    return "".join(text.lower().split())


@dataclass(slots=True, kw_only=True)
class RegionBehaviour:
    """How one region copies."""

    minutes_per_gb: float
    available: bool = True
    zrs: bool = True


@dataclass(slots=True, kw_only=True)
class Regions:
    """All regions of the recorded list; `seed` makes each a little different."""

    seed: int = 0
    locations: list[dict[str, Any]] = field(default_factory=list)
    provider: dict[str, Any] = field(default_factory=dict)
    behaviour: dict[str, RegionBehaviour] = field(default_factory=dict)
    _display: dict[str, str] = field(default_factory=dict)
    _offered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.locations = _load("locations.json")["value"]
        self.provider = _load("providers.json")
        self._display = {one["name"]: one["displayName"] for one in self.locations}
        for one in self.provider["resourceTypes"]:
            if one["resourceType"] == _VERSION_TYPE:
                self._offered = list(one["locations"])
        for display in self._offered:
            name = short_name(display)
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            factor = 0.85 + digest[0] / 255 * 0.4
            self.behaviour[name] = RegionBehaviour(
                minutes_per_gb=MINUTES_PER_GB * factor, zrs=name not in _NO_ZONES
            )

    def resolve(self, text: str) -> str:
        """Return the short name that a short or display name means."""
        name = short_name(text)
        for short, display in self._display.items():
            if name == short or name == short_name(display):
                return short
        return name

    def display(self, name: str) -> str:
        """Return the display name of a short one."""
        return self._display.get(name, name)

    def is_available(self, name: str) -> bool:
        """Tell whether versions can be replicated there."""
        found = self.behaviour.get(name)
        return found is not None and found.available

    def available_names(self) -> list[str]:
        """Return the short names of all regions that can be used."""
        return [name for name, one in self.behaviour.items() if one.available]

    def locations_of(self, subscription_id: str) -> list[dict[str, Any]]:
        """Return list-locations for a subscription."""
        text = json.dumps(self.locations).replace("{subscription}", subscription_id)
        found: list[dict[str, Any]] = json.loads(text)
        return found

    def provider_of(self, subscription_id: str) -> dict[str, Any]:
        """Return the Compute provider for a subscription."""
        types = [
            {**one, "locations": self._still_offered(one["locations"])}
            for one in self.provider["resourceTypes"]
        ]
        return {
            "id": f"/subscriptions/{subscription_id}/providers/Microsoft.Compute",
            "namespace": "Microsoft.Compute",
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": types,
        }

    def _still_offered(self, displays: list[str]) -> list[str]:
        return [one for one in displays if self.is_available(short_name(one))]


def _load(name: str) -> dict[str, Any]:
    text = resources.files("localcloud.arm.data").joinpath(name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
