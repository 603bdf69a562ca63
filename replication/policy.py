"""The replication policy: which galleries, which regions, and how new replicas are kept."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from replication.image_version import ImageVersionId
from replication.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryScope:
    """Patterns for galleries: names (`lab*`) or ARM ids, `*` for any text, letter case ignored."""

    attach: tuple[str, ...] = ("*",)
    detach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationPolicy:
    """What an administrator has decided.

    `extra_regions` are added to every geography's own, `denied_regions` are never added.
    """

    galleries: GalleryScope = field(default_factory=GalleryScope)
    extra_regions: frozenset[Region] = frozenset()
    denied_regions: frozenset[Region] = frozenset()
    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"
    repair_failed_regions: bool = True
    restore_removed_regions: bool = False

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with any rule of the policy."""
        rules = asdict(self)
        rules["extra_regions"] = sorted(region.name for region in self.extra_regions)
        rules["denied_regions"] = sorted(region.name for region in self.denied_regions)
        canonical = json.dumps(rules, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def why_out_of_scope(self, version_id: ImageVersionId) -> str | None:
        """Return None for a version in scope, else the reason why it is not."""
        gallery = version_id.gallery
        for pattern in self.galleries.detach:
            if _matches(pattern, version_id):
                return f"gallery {gallery} is detached by the policy ({pattern!r})"
        if any(_matches(pattern, version_id) for pattern in self.galleries.attach):
            return None
        return f"gallery {gallery} is not attached by the policy"


def _matches(pattern: str, version_id: ImageVersionId) -> bool:
    subject = version_id.gallery_id if "/" in pattern else version_id.gallery
    return fnmatchcase(subject.lower(), pattern.strip().rstrip("/").lower())
