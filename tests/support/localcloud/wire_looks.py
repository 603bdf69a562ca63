"""What the table of wire facts looks at: each drives a simulated world, and tells what it shows."""

import json
from typing import Any

from localcloud.arm.answers import Answer
from tests.support.localcloud.arm_world import (
    DEFINITION,
    GALLERY,
    IMAGE,
    SOURCE,
    VERSION,
    World,
    error_of,
    properties_of,
    version_patch,
    version_put,
)

HIDDEN = f"{GALLERY}/softDeletedArtifactTypes/Images/artifacts/Biology/versions"
LONG_S = 36_000


def put(world: World) -> Answer:
    return world.with_image().call("PUT", VERSION, version_put("eastus"))


def patch(world: World) -> Answer:
    world.with_version("eastus")
    return world.call("PATCH", VERSION, version_patch("eastus", "westus"))


def new_region_without_source(world: World) -> object:
    world.with_version("eastus")
    world.api.cloud.inventory.put([{"id": SOURCE, "exists": False}])
    return world.call("PATCH", VERSION, version_patch("eastus", "westus")).status


def delete(world: World) -> Answer:
    return world.with_version().call("DELETE", VERSION)


def told(answer: Answer) -> object:
    state = properties_of(answer)["provisioningState"] if answer.body else None
    return answer.status, state


def headers(answer: Answer) -> object:
    return sorted(set(answer.headers) & {"Azure-AsyncOperation", "Location", "Retry-After"})


def poll(world: World, *, later_s: float) -> object:
    answer = put(world)
    world.seconds += later_s
    polled = world.poll(answer)
    return list(body_of(polled)), polled.headers.get("Retry-After")


def body_of(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.body, dict)
    return answer.body


def failed(world: World) -> object:
    world.api.faults.put([{"match": {"region": "westus"}, "fault": {"region_state": "Failed"}}])
    answer = world.with_image().call("PUT", VERSION, version_put("eastus", "westus"))
    world.seconds += LONG_S
    body = body_of(world.poll(answer))
    return list(body), body["error"]["code"]


def version(world: World, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = world.with_version("westus2", "eastus").get(VERSION, **query)
    return found


def publishing(world: World) -> dict[str, Any]:
    profile: dict[str, Any] = version(world)["properties"]["publishingProfile"]
    return profile


def names(world: World) -> object:
    shown = version(world)
    targets = shown["properties"]["publishingProfile"]["targetRegions"]
    return shown["location"], [one["name"] for one in targets]


def defaults(world: World) -> object:
    profile = publishing(world)
    return [profile["replicaCount"], profile["storageAccountType"]]


def details(world: World) -> object:
    world.with_version()
    old, new = (world.replicas(api_version=one)["eastus"] for one in ("2019-12-01", "2026-03-03"))
    return old.get("details"), new.get("details")


def date_kept(world: World) -> object:
    before = publishing(world)["publishedDate"]
    world.call("PATCH", VERSION, version_patch("westus2", "eastus", "westus"))
    after = world.get(VERSION)["properties"]["publishingProfile"]["publishedDate"]
    return len(before.split(".")[1]), after == before


def os_disk(world: World, *, later_s: float) -> object:
    put(world)
    world.seconds += later_s
    return sorted(world.get(VERSION)["properties"]["storageProfile"]["osDiskImage"])


def allows_deletion(world: World, api_version: str) -> object:
    safety = version(world, api_version=api_version)["properties"].get("safetyProfile", {})
    return safety.get("allowDeletionOfReplicatedLocations")


def written(world: World) -> object:
    world.with_image()
    found = []
    for path, properties in ((GALLERY, {}), (IMAGE, DEFINITION)):
        body = {"location": "eastus", "properties": properties}
        answer = world.call("PUT", path, body)
        found.append((told(answer), body_of(world.poll(answer))["status"]))
    return found


def listed_group(world: World) -> object:
    return version(world)["id"].split("/")[4], first(world, f"{IMAGE}/versions")["id"].split("/")[4]


def first(world: World, path: str) -> dict[str, Any]:
    first: dict[str, Any] = world.get(path)["value"][0]
    return first


def line_ends(world: World) -> object:
    single = world.with_version().call("GET", VERSION).text()
    listed = world.call("GET", f"{IMAGE}/versions").text()
    return "\r\n  " in single, listed == json.dumps(json.loads(listed), separators=(",", ":"))


def hiding(world: World) -> World:
    world.with_version("eastus", "westus")
    policy = {"properties": {"softDeletePolicy": {"isSoftDeleteEnabled": True}}}
    world.call("PATCH", GALLERY, policy)
    return world


def hidden(world: World) -> World:
    hiding(world).call("DELETE", VERSION)
    world.seconds += 151
    return world


def restored(world: World) -> Answer:
    return hidden(world).call("PUT", VERSION, {"location": "eastus"})


def restored_date(world: World) -> object:
    before = hiding(world).get(VERSION)["properties"]["publishingProfile"]["publishedDate"]
    world.call("DELETE", VERSION)
    world.seconds += 151
    after = properties_of(world.call("PUT", VERSION, {"location": "eastus"}))
    return after["publishingProfile"]["publishedDate"] == before


def put_over_hidden(world: World) -> object:
    return hidden(world).call("PUT", VERSION, version_put("eastus")).status


def second_write(world: World) -> object:
    patch(world)
    body = version_patch("eastus", "westus", "westus2")
    status = world.call("PATCH", VERSION, body).status
    return status, len(world.listed())


def dropping(world: World) -> object:
    world.with_version("eastus", "westus")
    return world.call("PATCH", VERSION, version_patch("eastus")).status


def summary(world: World) -> object:
    return list(world.with_version("westus2", location="West US 2").replicas())


def events_of_a_write(world: World) -> object:
    created = put(world)
    world.seconds += LONG_S
    world.poll(created)
    world.events.changes.clear()
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    at_once = len(world.events.changes)
    world.seconds += LONG_S
    world.poll(answer)
    return at_once, len(world.events.changes)


def unknown_group(world: World) -> object:
    answer = world.call("GET", f"{GALLERY.replace('Labs-RG', 'nowhere')}")
    return answer.status, error_of(answer)["code"]
