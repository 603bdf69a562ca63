"""Scenarios: copies that fail for a cause that no further copy mends."""

import pytest

from replication.domain.errors import FailureCode
from replication.domain.job import Phase
from replication.guards.region_health import CIRCUITS
from tests.support.builders import US_NEIGHBOURS
from tests.support.fakes import build_world
from tests.support.scenarios.steps import ID, export, states

CAUSES = pytest.mark.parametrize(
    ("details", "code"),
    [
        (
            "The source resource size 2520 exceeds the max size 2048 supported.",
            FailureCode.SOURCE_TOO_LARGE,
        ),
        ("The DiskEncryptionSet was not found.", FailureCode.ENCRYPTION_SET_MISSING),
        (
            "ZRS storage account type is not supported in this region.",
            FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
        ),
        ("The quota of snapshots is used up.", FailureCode.QUOTA_EXCEEDED),
        ("Internal error: Assertion failed.", FailureCode.COPY_IMPOSSIBLE),
    ],
)


@CAUSES
def test_a_permanent_cause_gets_no_second_copy_and_no_removal(
    details: str, code: FailureCode
) -> None:
    world = build_world()
    world.gallery.failing, world.gallery.failure_details = {"westus3": 99}, details
    export(world, may_remove=True)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.PARTIAL
    assert states(world) == {**dict.fromkeys(US_NEIGHBOURS, "completed"), "westus3": "failed"}
    assert len(world.gallery.writes) == 1
    (letter,) = world.letters.letters.values()
    assert letter.code == code
    assert details in letter.cause
    assert CIRCUITS.name not in {kind for kind, _ in world.controls.rows}


@CAUSES
def test_a_permanent_cause_in_every_region_needs_a_person_at_once(
    details: str, code: FailureCode
) -> None:
    world = build_world()
    world.gallery.failing = dict.fromkeys(US_NEIGHBOURS, 99)
    world.gallery.failure_details = details
    export(world, may_remove=True)
    world.run()
    job = world.job(ID)
    assert job.phase is Phase.FAILED
    assert job.failure is not None
    assert job.failure.code is code
    assert len(world.gallery.writes) == 1
    assert len(world.letters.letters) == 1
