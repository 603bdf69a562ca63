"""Orphans and ghosts: what stands in Azure and what on our books, compared without guessing."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from costs.report.orphans import Books, Comparer, Comparison
from replication.azure.arm.image_version import read_version
from replication.domain.errors import ReplicationError, TransientError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region, RegionCatalog
from replication.ports import UnreadPart
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.clock import FakeClock
from tests.support.fakes import MemoryCatalogs

ELSEWHERE = "99999999-2222-3333-4444-555555555555"
HOME: dict[str, object] = {
    "name": "eastus",
    "regionalReplicaCount": 2,
    "storageAccountType": "Premium_LRS",
}
WEST: dict[str, object] = {"name": "West US"}


@dataclass
class Lists:
    """The lists of each subscription; an error stands for a list that breaks off there."""

    of: dict[str, list[ImageVersion | UnreadPart | ReplicationError]]
    clock: FakeClock
    s_per_version: float = 0
    visible: tuple[str, ...] | ReplicationError = (SUBSCRIPTION,)
    asked: list[str] = field(default_factory=list)

    def versions(
        self, subscription_id: str, catalog: RegionCatalog
    ) -> Iterator[ImageVersion | UnreadPart]:
        assert catalog == shipped_catalog()
        self.asked.append(subscription_id)
        for one in self.of.get(subscription_id, []):
            self.clock.now += timedelta(seconds=self.s_per_version)
            if isinstance(one, ReplicationError):
                raise one
            yield one

    def subscriptions(self) -> tuple[str, ...]:
        if isinstance(self.visible, ReplicationError):
            raise self.visible
        return self.visible

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        raise AssertionError(f"{version_id} is not to be read, nor {catalog}")

    def set_target_regions(self, version_id: ImageVersionId, entries: object) -> None:
        raise AssertionError(f"{version_id} is not to be written, nor {entries}")


def listed(version_id: ImageVersionId, *regions: dict[str, object]) -> ImageVersion:
    return read_version(version_id, version_body(regions=list(regions)), shipped_catalog())


def books(*entries: tuple[ImageVersionId, set[str]], unreadable: int = 0) -> Books:
    return Books(
        regions={one.key: (one, frozenset(regions)) for one, regions in entries},
        unreadable=unreadable,
    )


def compare(
    on_books: Books,
    *found: ImageVersion | UnreadPart | ReplicationError,
    policy: ReplicationPolicy | None = None,
    lists: Lists | None = None,
    time_s: float = 60,
) -> Comparison:
    clock = lists.clock if lists else FakeClock()
    comparer = Comparer(
        gallery=lists or Lists({SUBSCRIPTION: list(found)}, clock),
        catalogs=MemoryCatalogs(),
        policy=policy or ReplicationPolicy(),
        clock=clock,
    )
    return comparer.compare(on_books, until=clock() + timedelta(seconds=time_s))


def test_where_azure_and_the_books_agree_there_is_nothing() -> None:
    both = books((version_id(), {"eastus", "westus"}))
    assert compare(both, listed(version_id(), HOME, WEST)) == Comparison(versions_seen=1)


def test_a_version_that_nobody_told_us_of_is_an_orphan_with_all_that_it_costs() -> None:
    (orphan,) = compare(books(), listed(version_id(), HOME, WEST)).orphans
    assert (orphan.version_id, orphan.home_region, orphan.provisioned_gb) == (
        version_id(),
        "eastus",
        127,
    )
    assert [
        (one.region, one.replica_count, one.storage_account_type) for one in orphan.replicas
    ] == [("eastus", 2, "Premium_LRS"), ("westus", 1, "Standard_LRS")]
    assert orphan.reason == "no event told of the version yet; a sweep puts it on the books"


def test_an_orphan_of_a_detached_gallery_says_so() -> None:
    policy = ReplicationPolicy(galleries=GalleryScope(detach=("lab*",)))
    (orphan,) = compare(books(), listed(version_id(), HOME), policy=policy).orphans
    assert orphan.reason == "gallery labgallery is detached by the policy ('lab*')"


def test_a_region_that_someone_added_is_an_orphan_by_itself() -> None:
    found = compare(books((version_id(), {"eastus"})), listed(version_id(), HOME, WEST))
    (orphan,) = found.orphans
    assert [one.region for one in orphan.replicas] == ["westus"]
    assert orphan.reason == "added by someone else since the last look at the version"
    assert found.ghosts == ()


def test_what_azure_does_not_have_is_a_ghost() -> None:
    gone, kept = version_id(version="1.0.0"), version_id(version="2.0.0")
    found = compare(
        books((gone, {"westus", "eastus"}), (kept, {"eastus", "westus"})), listed(kept, HOME)
    )
    assert [(one.version_id, one.regions) for one in found.ghosts] == [
        (kept, ("westus",)),
        (gone, ("eastus", "westus")),
    ]
    assert "a sweep takes it off the books" in found.ghosts[1].reason
    assert found.orphans == ()


def test_ghosts_stand_in_the_order_of_their_ids_however_the_books_are_read() -> None:
    gone = [version_id(version=f"{number}.0.0") for number in (3, 1, 2)]
    found = compare(books(*((one, {"eastus"}) for one in gone))).ghosts
    assert [one.version_id.version for one in found] == ["1.0.0", "2.0.0", "3.0.0"]


def test_a_version_whose_last_region_left_the_books_is_no_ghost() -> None:
    assert compare(books((version_id(), set()))).ghosts == ()


def test_a_list_with_a_gap_makes_no_ghosts_and_says_so() -> None:
    gap = UnreadPart(name="gallery labgallery", error=TransientError("away"))
    found = compare(books((version_id(), {"eastus"})), gap)
    assert found.ghosts == ()
    (told,) = found.gaps
    assert told == (
        f"subscription {SUBSCRIPTION}: gallery labgallery could not be listed: away; 1 versions on "
        "our books were not seen and are not judged"
    )


def test_a_list_that_breaks_off_keeps_what_it_showed() -> None:
    found = compare(
        books((version_id(version="2.0.0"), {"eastus"})),
        listed(version_id(), HOME),
        TransientError("cut off"),
    )
    assert (len(found.orphans), found.ghosts, found.versions_seen) == (1, (), 1)
    assert "cut off; 1 versions" in found.gaps[0]


def test_a_subscription_out_of_sight_is_asked_for_because_of_our_books() -> None:
    elsewhere = replace(version_id(), subscription_id=ELSEWHERE)
    clock = FakeClock()
    lists = Lists({SUBSCRIPTION: []}, clock, visible=TransientError("no list"))
    found = compare(books((elsewhere, {"eastus"})), lists=lists)
    assert lists.asked == [ELSEWHERE]
    assert [one.version_id for one in found.ghosts] == [elsewhere]
    assert found.gaps == ("the list of subscriptions could not be read: no list",)


def test_when_the_time_is_over_the_rest_is_not_judged() -> None:
    clock = FakeClock(datetime(2026, 11, 20, tzinfo=UTC))
    many = [listed(version_id(version=f"{n}.0.0"), HOME) for n in range(10)]
    lists = Lists({SUBSCRIPTION: list(many)}, clock, s_per_version=20)
    found = compare(books((version_id(version="9.9.9"), {"eastus"})), lists=lists)
    assert (found.versions_seen, found.ghosts) == (3, ())
    assert "there was no more time for Azure's lists; 1 versions" in found.gaps[0]


def test_unreadable_records_are_told_since_their_versions_look_like_orphans() -> None:
    assert compare(books(unreadable=2)).gaps == (
        "2 records cannot be read, so their versions show as orphans",
    )


def test_names_of_regions_in_other_words_are_the_same_region() -> None:
    spelled: dict[str, object] = {"name": "West US", "regionalReplicaCount": 1}
    found = compare(books((version_id(), {"westus"})), listed(version_id(), spelled))
    assert (found.orphans, found.ghosts) == ((), ())
    assert Region.parse("West US").name == "westus"


def test_a_second_comparison_knows_nothing_of_the_first() -> None:
    clock = FakeClock()
    comparer = Comparer(
        gallery=Lists({SUBSCRIPTION: [listed(version_id(), HOME, WEST)]}, clock),
        catalogs=MemoryCatalogs(),
        policy=ReplicationPolicy(),
        clock=clock,
    )
    until = clock() + timedelta(seconds=60)
    first = comparer.compare(books(), until=until)
    assert comparer.compare(books(), until=until) == first
    assert first.versions_seen == 1
