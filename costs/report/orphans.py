"""Orphans and ghosts: what Azure lists compared with what is on our books.

An orphan is a replica in Azure that is not on our books, so that no ledger shows its cost. A ghost
is on our books, so that the ledger still charges for it, and is not in Azure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from costs.pricing.estimate import RegionalReplicas
from replication.domain.errors import ReplicationError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.policy import ReplicationPolicy
from replication.ports import Catalogs, Gallery, UnreadPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """Replicas in Azure that are not on our books, and why they are not."""

    version_id: ImageVersionId
    home_region: str
    provisioned_gb: int | None
    replicas: tuple[RegionalReplicas, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ghost:
    """Regions on our books that Azure does not list, and why they are still there."""

    version_id: ImageVersionId
    regions: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The regions that the ledger charges for today, of each version by its key.

    `unreadable` counts records that cannot be read.
    """

    regions: Mapping[str, tuple[ImageVersionId, frozenset[str]]]
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs; `gaps` says in words what could not be compared."""

    orphans: tuple[Orphan, ...] = ()
    ghosts: tuple[Ghost, ...] = ()
    versions_seen: int = 0
    gaps: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    orphans: list[Orphan] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparer:
    """Goes through Azure's lists; stops at `until` and says so."""

    gallery: Gallery
    catalogs: Catalogs
    policy: ReplicationPolicy
    clock: Callable[[], datetime]

    def compare(self, books: Books, *, until: datetime) -> Comparison:
        """Return the differences, as far as the lists can be had."""
        found = _Found()
        by_subscription: dict[str, dict[str, tuple[ImageVersionId, frozenset[str]]]] = {}
        for key, (version_id, regions) in books.regions.items():
            place = version_id.subscription_id.lower()
            by_subscription.setdefault(place, {})[key] = (version_id, regions)
        try:
            visible = self.gallery.subscriptions()
        except ReplicationError as error:
            visible = ()
            found.gaps.append(f"the list of subscriptions could not be read: {error}")
        for subscription in sorted({one.lower() for one in visible} | set(by_subscription)):
            self._compare(subscription, by_subscription.get(subscription, {}), until, found)
        if books.unreadable:
            found.gaps.append(
                f"{books.unreadable} records cannot be read, so their versions show as orphans"
            )
        return Comparison(
            orphans=tuple(found.orphans),
            ghosts=tuple(found.ghosts),
            versions_seen=found.seen,
            gaps=tuple(found.gaps),
        )

    def _compare(
        self,
        subscription: str,
        booked: Mapping[str, tuple[ImageVersionId, frozenset[str]]],
        until: datetime,
        found: _Found,
    ) -> None:
        unread = ""
        missing = dict(booked)
        try:
            listed = self.gallery.versions(subscription, self.catalogs.of(subscription))
            for one in listed:
                if isinstance(one, UnreadPart):
                    unread = unread or f"{one.name} could not be listed: {one.error}"
                    continue
                found.seen += 1
                self._compare_version(one, missing.pop(one.id.key, None), found)
                if self.clock() >= until:
                    unread = unread or "there was no more time for Azure's lists"
                    break
        except ReplicationError as error:
            unread = unread or str(error)
        standing = {key: one for key, one in missing.items() if one[1]}
        if unread:
            found.gaps.append(
                f"subscription {subscription}: {unread}; {len(standing)} versions on our books "
                "were not seen and are not judged"
            )
            return
        # The books are read in no order of their own.
        for version_id, regions in sorted(standing.values(), key=lambda one: str(one[0]).lower()):
            found.ghosts.append(
                Ghost(
                    version_id=version_id,
                    regions=tuple(sorted(regions)),
                    reason="the version is not in Azure; a sweep takes it off the books",
                )
            )

    def _compare_version(
        self,
        version: ImageVersion,
        booked: tuple[ImageVersionId, frozenset[str]] | None,
        found: _Found,
    ) -> None:
        on_books = booked[1] if booked else frozenset()
        listed = {
            target.region.name: RegionalReplicas(
                region=target.region.name,
                replica_count=target.replica_count,
                storage_account_type=target.storage_account_type,
            )
            for target in version.target_regions
        }
        unknown = [listed[name] for name in sorted(listed) if name not in on_books]
        if unknown:
            found.orphans.append(
                Orphan(
                    version_id=version.id,
                    home_region=version.home_region.name,
                    provisioned_gb=version.size_gb,
                    replicas=tuple(unknown),
                    reason=self._why(version, is_on_record=booked is not None),
                )
            )
        gone = sorted(on_books - set(listed))
        if gone:
            found.ghosts.append(
                Ghost(
                    version_id=version.id,
                    regions=tuple(gone),
                    reason="Azure no longer lists the region; the next look at the version "
                    "takes it off the books",
                )
            )

    def _why(self, version: ImageVersion, *, is_on_record: bool) -> str:
        out_of_scope = self.policy.why_out_of_scope(version.id)
        if out_of_scope is not None:
            return out_of_scope
        if is_on_record:
            return "added by someone else since the last look at the version"
        return "no event told of the version yet; a sweep puts it on the books"
