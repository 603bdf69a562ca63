"""The replication policy: which galleries, which regions, and how new replicas are kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from fnmatch import fnmatchcase

from replication.domain.image_version import ImageVersionId
from replication.domain.regions import Region

_MAX_SHOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryScope:
    """Patterns for galleries: names (`lab*`) or ARM ids, `*` for any text, letter case ignored."""

    attach: tuple[str, ...] = ("*",)
    detach: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A ceiling, in the policy's currency, for what galleries may cost in a calendar month.

    `each_gallery`: for each of them alone, else for all of them together.
    """

    name: str
    galleries: tuple[str, ...] = ("*",)
    monthly: Decimal
    each_gallery: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationPolicy:
    """What an administrator has decided.

    `extra_regions` are added to every geography's own, `denied_regions` are never added. The two
    tags of an image version tell whose it is. `subscriptions` are a setting's and no key of the
    file: ids in small letters, none for any.
    """

    galleries: GalleryScope = field(default_factory=GalleryScope)
    extra_regions: frozenset[Region] = frozenset()
    denied_regions: frozenset[Region] = frozenset()
    replica_count: int = 1
    storage_account_type: str = "Standard_LRS"
    repair_failed_regions: bool = True
    restore_removed_regions: bool = False
    lab_tag: str = "lab"
    cost_center_tag: str = "costCenter"
    currency: str = "USD"
    budgets: tuple[Budget, ...] = ()
    subscriptions: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with any rule of the policy."""
        rules = asdict(self)
        # Which decide nothing about a plan.
        del rules["lab_tag"], rules["cost_center_tag"], rules["subscriptions"]
        if not self.budgets:
            del rules["budgets"], rules["currency"]
        rules["extra_regions"] = sorted(region.name for region in self.extra_regions)
        rules["denied_regions"] = sorted(region.name for region in self.denied_regions)
        canonical = json.dumps(rules, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def owner_tags(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Return whose a version is: `lab` and `cost_center`, as far as its tags tell.

        Azure takes the names of tags in any letter case.
        """
        found = {name.casefold(): value for name, value in tags.items()}
        names = {"lab": self.lab_tag, "cost_center": self.cost_center_tag}
        return {
            owner: found[name.casefold()]
            for owner, name in names.items()
            if name.casefold() in found
        }

    def budgets_of(self, version_id: ImageVersionId) -> tuple[Budget, ...]:
        """Return the budgets that a version's gallery counts in."""
        return tuple(
            budget
            for budget in self.budgets
            if any(_matches(pattern, version_id) for pattern in budget.galleries)
        )

    def why_out_of_scope(self, version_id: ImageVersionId) -> str | None:
        """Return None for a version in scope, else the reason why it is not."""
        shut_out = self.why_subscription_is_shut_out(version_id.subscription_id)
        if shut_out:
            return shut_out
        gallery = version_id.gallery
        for pattern in self.galleries.detach:
            if _matches(pattern, version_id):
                return f"gallery {gallery} is detached by the policy ({pattern!r})"
        if any(_matches(pattern, version_id) for pattern in self.galleries.attach):
            return None
        return f"gallery {gallery} is not attached by the policy"

    def why_subscription_is_shut_out(self, subscription_id: str) -> str | None:
        """Return None for a subscription that is allowed, else the reason why it is not."""
        if not self.subscriptions or subscription_id.lower() in self.subscriptions:
            return None
        return f"subscription {subscription_id[:_MAX_SHOWN]!r} is none of ALLOWED_SUBSCRIPTIONS"


def _matches(pattern: str, version_id: ImageVersionId) -> bool:
    subject = version_id.gallery_id if "/" in pattern else version_id.gallery
    return fnmatchcase(subject.lower(), pattern.strip().rstrip("/").lower())
