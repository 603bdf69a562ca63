"""The target regions of an image version: how they are listed, and how regions are added."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replication.domain.regions import Region

# No price is computed from a number beyond this one, and no type of storage is named in half of it.
_MAX_COUNT = 2**20
_MAX_WORD = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRegion:
    """One entry of `publishingProfile.targetRegions`: its region, and the entry as it came."""

    region: Region
    entry: Mapping[str, Any]

    @property
    def replica_count(self) -> int:
        """How many replicas the region holds: the entry's own count, else the service's default."""
        count = self.entry.get("regionalReplicaCount")
        if not isinstance(count, int) or isinstance(count, bool):
            return 1
        return count if 0 < count <= _MAX_COUNT else 1

    @property
    def storage_account_type(self) -> str:
        """On which storage they are kept: the entry's own word, else the service's default."""
        word = self.entry.get("storageAccountType")
        return (word[:_MAX_WORD] if isinstance(word, str) else "") or "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRegion:
    """A region to add, and how its replicas are to be kept."""

    region: Region
    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedTargetRegions:
    """The complete list to write, and what in it is new."""

    entries: tuple[Mapping[str, Any], ...]
    added: tuple[Region, ...]


def merge_target_regions(
    existing: Sequence[TargetRegion], wanted: Iterable[NewRegion], *, home: Region
) -> MergedTargetRegions:
    """Add the wanted regions to the list: union only, existing entries verbatim and in order.

    `targetRegions` is the full desired state and has no ETag, so an entry left out would be
    deleted, and a field left out would be reset. The home region must be in the list: ARM
    refuses a list without it.
    """
    listed = {target.region for target in existing}
    added: dict[Region, NewRegion] = {}
    if home not in listed:
        added[home] = NewRegion(region=home)
    for new in sorted(wanted, key=lambda one: one.region):
        if new.region not in listed:
            added[new.region] = new
    entries = [target.entry for target in existing]
    entries += [
        {
            "name": new.region.name,
            "regionalReplicaCount": new.replica_count,
            "storageAccountType": new.storage_account_type,
        }
        for new in added.values()
    ]
    return MergedTargetRegions(entries=tuple(entries), added=tuple(added))
