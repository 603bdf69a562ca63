from dataclasses import replace
from typing import Any

import pytest

from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.regions import Region
from tests.support.builders import version_id

ID = version_id(gallery="LabGallery")


@pytest.mark.parametrize(
    ("attach", "detach", "expected"),
    [
        (("*",), (), None),
        (("lab*",), (), None),
        (("other", "lab*"), ("another",), None),
        (("LABGALLERY",), (), None),
        ((f"{ID.gallery_id}/",), (), None),
        (("*/resourcegroups/LABS-RG/*",), (), None),
        (("other",), (), "gallery LabGallery is not attached by the policy"),
        ((), (), "gallery LabGallery is not attached by the policy"),
        (("*/resourceGroups/other/*",), (), "gallery LabGallery is not attached by the policy"),
        (("*",), ("labg*",), "gallery LabGallery is detached by the policy ('labg*')"),
    ],
)
def test_galleries_are_in_scope_by_name_or_id_in_any_letter_case(
    attach: tuple[str, ...], detach: tuple[str, ...], expected: str | None
) -> None:
    policy = ReplicationPolicy(galleries=GalleryScope(attach=attach, detach=detach))
    assert policy.why_out_of_scope(ID) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"galleries": GalleryScope(attach=("lab*",))},
        {"galleries": GalleryScope(detach=("lab*",))},
        {"extra_regions": frozenset({Region("uksouth")})},
        {"denied_regions": frozenset({Region("uksouth")})},
        {"replica_count": 2},
        {"storage_account_type": "Standard_ZRS"},
        {"repair_failed_regions": False},
        {"restore_removed_regions": True},
    ],
)
def test_the_fingerprint_changes_with_every_rule(changes: dict[str, Any]) -> None:
    plain = ReplicationPolicy()
    assert replace(plain, **changes).fingerprint != plain.fingerprint
    assert len(plain.fingerprint) == 16


def test_the_fingerprint_does_not_depend_on_the_order_of_regions() -> None:
    names = [f"region{number}" for number in range(20)]
    one = ReplicationPolicy(extra_regions=frozenset(Region(name) for name in names))
    other = ReplicationPolicy(extra_regions=frozenset(Region(name) for name in reversed(names)))
    assert one.fingerprint == other.fingerprint
