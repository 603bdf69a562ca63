"""The real regions: their names, where image versions are offered, and how each one behaves."""

import hashlib
import json
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from localcloud.arm.copying import MINUTES_PER_GB

VERSION_TYPE = "galleries/images/versions"
_SLOWEST, _FASTEST = 1.25, 0.85


@dataclass(slots=True, kw_only=True)
class RegionBehaviour:
    """How one region copies; `available` says whether the subscription may use it."""

    minutes_per_gb: float
    available: bool = True
    zrs: bool = True


@dataclass(slots=True, kw_only=True)
class Regions:
    """All regions of the recorded list; `seed` makes each copy a little faster or slower."""

    seed: int = 0
    behaviour: dict[str, RegionBehaviour] = field(init=False)
    _locations: list[dict[str, Any]] = field(init=False)
    _resource_types: list[dict[str, Any]] = field(init=False)
    _display: dict[str, str] = field(init=False)
    _short: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._locations = load_data("locations.json")["value"]
        self._resource_types = load_data("providers.json")["resourceTypes"]
        self._display = {one["name"]: one["displayName"] for one in self._locations}
        self._short = {_squeezed(display): name for name, display in self._display.items()}
        self._short |= {name: name for name in self._display}
        zoned = {one["name"] for one in self._locations if "availabilityZoneMappings" in one}
        offered = next(
            one["locations"] for one in self._resource_types if one["resourceType"] == VERSION_TYPE
        )
        names = [self.resolve(display) for display in offered]
        self.behaviour = {
            name: RegionBehaviour(minutes_per_gb=self._usual_speed(name), zrs=name in zoned)
            for name in names
        }

    def resolve(self, text: str) -> str:
        """Return the short name of a region in any spelling; an unknown one comes back squeezed."""
        squeezed = _squeezed(text)
        return self._short.get(squeezed, squeezed)

    def display(self, name: str) -> str:
        """Return the display name of a short one."""
        return self._display.get(name, name)

    def is_known(self, name: str) -> bool:
        """Tell whether the list of locations has it."""
        return name in self._display

    def is_available(self, name: str) -> bool:
        """Tell whether versions can be replicated there."""
        found = self.behaviour.get(name)
        return found is not None and found.available

    def available_names(self) -> list[str]:
        """Return the short names of all regions that can be used."""
        return [name for name, one in self.behaviour.items() if one.available]

    def behaviour_of(self, name: str) -> RegionBehaviour:
        """Return how a region behaves; one that was never offered starts as not available."""
        if name not in self.behaviour:
            self.behaviour[name] = RegionBehaviour(
                minutes_per_gb=self._usual_speed(name), available=False
            )
        return self.behaviour[name]

    def locations_of(self, subscription_id: str) -> list[dict[str, Any]]:
        """Return list-locations for a subscription."""
        text = json.dumps(self._locations).replace("{subscription}", subscription_id)
        found: list[dict[str, Any]] = json.loads(text)
        return found

    def provider_of(self, subscription_id: str) -> dict[str, Any]:
        """Return the Compute provider as a subscription sees it."""
        return {
            "id": f"/subscriptions/{subscription_id}/providers/Microsoft.Compute",
            "namespace": "Microsoft.Compute",
            "resourceTypes": [
                {**one, "locations": self._offered(one["locations"])}
                for one in self._resource_types
            ],
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
        }

    def _offered(self, recorded: list[str]) -> list[str]:
        kept = [one for one in recorded if self.is_available(self.resolve(one))]
        return kept + [
            display
            for name in self.available_names()
            if (display := self.display(name)) not in recorded
        ]

    def _usual_speed(self, name: str) -> float:
        digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
        return MINUTES_PER_GB * (_FASTEST + digest[0] / 255 * (_SLOWEST - _FASTEST))


def load_data(name: str) -> dict[str, Any]:
    """Return one of the recorded files that come with the simulator."""
    text = resources.files("localcloud.arm.data").joinpath(name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _squeezed(text: str) -> str:
    return "".join(text.lower().split())
