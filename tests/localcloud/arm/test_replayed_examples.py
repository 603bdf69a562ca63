"""The examples of the REST specification, played one after the other as one session.

Each step is a documented request; its status is one that the example has an answer for, and every
field of that answer is there. What recordings contradict is named at the step.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.answers import Answer
from tests.support.localcloud.arm_world import SUBSCRIPTION, World, missing, sample

_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/myResourceGroup"
_PARTS = {
    "Gallery": "galleries/{galleryName}",
    "GalleryImage": "galleries/{galleryName}/images/{galleryImageName}",
    "GalleryImageVersion": (
        "galleries/{galleryName}/images/{galleryImageName}/versions/{galleryImageVersionName}"
    ),
    "GallerySoftDeletedResource": (
        "galleries/{galleryName}/softDeletedArtifactTypes/{artifactType}/artifacts/{artifactName}"
        "/versions"
    ),
}
_METHODS = {"Create": "PUT", "Update": "PATCH", "Get": "GET", "Delete": "DELETE"}
# Links are judged where lists are long; of a managed image the disks show once they are copied.
_LINK = (".nextLink",)
_SYSTEM_DISK = ".properties.storageProfile.osDiskImage"
# Azure reads data disks off the source, the simulator off the request, and these name none.
_DATA_DISKS = (".properties.storageProfile.dataDiskImages",)
# The documented answers have an encryption that their requests leave out.
_UPDATED = (".properties.publishingProfile.targetRegions[].encryption", *_DATA_DISKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An example by its name, the status that it ends with here, and what its answer lacks."""

    example: str
    status: int
    lacks: tuple[str, ...] = ()
    wait_s: float = 36_000
    query: Mapping[str, str] = field(default_factory=dict)


SESSION = (
    Step(example="Gallery_Create_SoftDeletionEnabled", status=201),
    Step(example="Gallery_Create_SoftDeletionEnabled", status=200),
    Step(example="Gallery_Update", status=200),
    Step(example="GalleryImage_Create", status=201),
    Step(example="GalleryImage_Create", status=200),
    Step(example="GalleryImage_Update", status=200),
    Step(example="GalleryImage_Get", status=200),
    Step(example="GalleryImageVersion_Create", status=201, lacks=(_SYSTEM_DISK, *_DATA_DISKS)),
    Step(example="GalleryImageVersion_Get", status=200, lacks=_DATA_DISKS),
    Step(
        example="GalleryImageVersion_Get_WithReplicationStatus",
        status=200,
        lacks=_DATA_DISKS,
        query={"$expand": "ReplicationStatus"},
    ),
    Step(
        example="GalleryImageVersion_ListByGalleryImage",
        status=200,
        lacks=(f".value[]{_DATA_DISKS[0]}", *_LINK),
    ),
    Step(example="GalleryImageVersion_Update", status=200, lacks=_UPDATED),
    Step(example="GalleryImageVersion_Update_WithoutSourceId", status=200, lacks=_UPDATED),
    Step(example="GalleryImageVersion_Delete", status=202, wait_s=151),
    Step(example="GalleryImageVersion_Delete", status=204),
    Step(
        example="GallerySoftDeletedResource_ListByArtifactName",
        status=200,
    ),
    Step(example="GalleryImageVersion_Update_RestoreSoftDeleted", status=200, lacks=_DATA_DISKS),
    Step(example="GalleryImageVersion_Delete", status=202, query={"bypasssoftdelete": "true"}),
    Step(example="GalleryImage_Delete", status=202),
    Step(example="GalleryImage_Delete", status=204),
)


def example(name: str) -> Any:
    """Return an example, with a subscription in the place of its placeholder."""
    text = json.dumps(sample(f"rest-api-specs_GalleryRP_2025-03-03_{name}.json"))
    return json.loads(text.replace("{subscriptionId}", SUBSCRIPTION))


def encryption_sets(parameters: object) -> list[dict[str, str]]:
    """Return the disk encryption sets that a request takes to exist."""
    named = re.findall(r'/[^"]*/diskEncryptionSet/\w+', json.dumps(parameters))
    return [{"id": one} for one in sorted(set(named))]


def play(world: World, step: Step) -> tuple[Answer, dict[str, Any]]:
    """Send an example's request; returns the answer and the one that is documented for it."""
    recorded = example(step.example)
    kind, verb, *_ = step.example.split("_")
    parameters = recorded["parameters"]
    template = _PARTS[kind]
    if verb == "ListByGalleryImage":
        template = template.rpartition("/")[0]
    path = f"{_GROUP}/providers/Microsoft.Compute/{template.format(**parameters)}"
    name = kind[0].lower() + kind[1:]
    query = {"api-version": "2025-03-03", **step.query}
    answer = world.call(_METHODS.get(verb, "GET"), path, parameters.get(name), query=query)
    return answer, recorded["responses"].get(str(answer.status), {"body": "not documented"})


def test_the_examples_can_be_played_one_after_the_other(world: World) -> None:
    world.put_group(_GROUP)
    sets = encryption_sets(example("GalleryImageVersion_Create")["parameters"])
    world.api.cloud.inventory.put(sets)
    for step in SESSION:
        answer, documented = play(world, step)
        assert answer.status == step.status, (step.example, answer.body)
        assert set(documented.get("headers", {})) <= set(answer.headers), step.example
        wanted = documented.get("body")
        assert missing(wanted, answer.body) == list(step.lacks), step.example
        if wanted and "provisioningState" in wanted.get("properties", {}):
            assert isinstance(answer.body, dict)
            state = answer.body["properties"]["provisioningState"]
            assert state == wanted["properties"]["provisioningState"], step.example
        world.seconds += step.wait_s
