"""Any answer of Resource Manager is read, or is an error of ours that says what it was."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.gallery import ArmGallery
from replication.azure.arm.image_version import read_version
from replication.azure.arm.locations import ArmCatalogs
from replication.domain.errors import MalformedError, ReplicationError, TransientError
from replication.domain.image_version import ImageVersion, MalformedImageVersionError
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import InvalidRegionNameError, RegionCatalog, build_catalog
from replication.records.job_codec import decode_job, encode_job
from tests.support.arm.raw import MAX_REQUESTS, RawAnswer, RawArm, running_raw_arm
from tests.support.arm.stub import open_clients
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.clock import FakeClock
from tests.support.horrors import ANY_VALUE, BODIES, TEXTS, VALUES, every_mutation, mutations
from tests.support.jobs import job
from tests.support.speed import examples
from tests.support.strategies import outcome

ID = version_id()
CATALOG = shipped_catalog()
ENTRIES: list[dict[str, Any]] = [
    {"name": "East US"},
    {"name": "westus2", "regionalReplicaCount": 1},
]
VERSION = version_body(
    regions=[{"name": "East US", "regionalReplicaCount": 1}, {"name": "westus2", "x": [1]}]
)
VERSION["name"] = "1.0.0"
VERSION["properties"]["replicationStatus"] = {
    "aggregatedState": "InProgress",
    "summary": [{"region": "West US 2", "state": "Replicating", "progress": 40, "details": "d"}],
}
LOCATION = {
    "id": f"/subscriptions/{SUBSCRIPTION}/locations/eastus",
    "name": "eastus",
    "displayName": "East US",
    "regionalDisplayName": "(US) East US",
    "metadata": {"regionType": "Physical", "geography": "United States"},
}
LOCATIONS = {"value": [LOCATION, {**LOCATION, "name": "westus2", "displayName": "West US 2"}]}
PROVIDER = {
    "namespace": "Microsoft.Compute",
    "resourceTypes": [{"resourceType": "galleries/images/versions", "locations": ["East US"]}],
}
GALLERIES = {"value": [{"id": str(ID).partition("/images/")[0], "name": "labgallery"}]}
IMAGES = {"value": [{"id": str(ID).partition("/versions/")[0], "name": "maths"}]}
SUBSCRIPTIONS = {
    "value": [{"subscriptionId": SUBSCRIPTION, "id": f"/subscriptions/{SUBSCRIPTION}"}]
}
ERROR = {"error": {"code": "Conflict", "message": "no", "details": [{"code": "x", "message": "y"}]}}
HEADERS = (
    "Retry-After",
    "retry-after-ms",
    "x-ms-retry-after-ms",
    "x-ms-ratelimit-remaining-resource",
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-ratelimit-remaining-subscription-writes",
    "Content-Encoding",
    "Azure-AsyncOperation",
    "Location",
    "ETag",
)
HEADER_TEXTS = (
    "",
    "-1",
    "0",
    "1e999",
    "nan",
    "inf",
    "9" * 5000,
    "5, 6",
    "soon",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Mon, 01 Jan 9999 23:59:59 -9999",
    "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:99999999999999999999 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    "1 Jan",
    ",",
    "Microsoft.Compute/GetGalleryImageVersion3Min;" + "9" * 400,
    "Microsoft.Compute/GetGalleryImageVersion3Min;-5,;;;,x;y;z",
    ";" * 3000,
    "gzip",
    "deflate",
    "\xff\xfe",
    "http://[::1",
    "x" * 70_000,
)


@pytest.fixture(scope="module")
def arm() -> Iterator[RawArm]:
    with running_raw_arm() as arm:
        yield arm


@pytest.fixture(scope="module")
def clients(arm: RawArm) -> Iterator[ArmClients]:
    clients = open_clients(arm.url)
    yield clients
    clients.close()


def sized(document: Any) -> bytes:
    return json.dumps(document).encode()


def calls(clients: ArmClients) -> dict[str, Callable[[], object]]:
    gallery = ArmGallery(clients)
    catalogs = ArmCatalogs(clients=clients, clock=FakeClock())
    return {
        "read": lambda: gallery.read(ID, CATALOG),
        "write": lambda: gallery.set_target_regions(ID, ENTRIES),
        "list": lambda: list(gallery.versions(SUBSCRIPTION, CATALOG)),
        "subscriptions": gallery.subscriptions,
        "catalog": lambda: catalogs.of(SUBSCRIPTION),
    }


CALLS = ("read", "write", "list", "subscriptions", "catalog")


def assert_ours(call: Callable[[], object], *, name: str = "") -> object:
    """Make the call; what it raises is ours, short, and says something."""
    answer = outcome(call, ReplicationError)
    if isinstance(answer, ReplicationError):
        assert not isinstance(answer, MalformedError), name
        assert 0 < len(str(answer)) < 1200, name
    if isinstance(answer, TransientError) and answer.retry_after_s is not None:
        assert 0 <= answer.retry_after_s <= 24 * 3600, name
    return answer


def assert_plannable(version: ImageVersion) -> None:
    """Check that a version which was read can be planned and put on record."""
    planned = plan(PlanSubject.of(version), ReplicationPolicy(), CATALOG)
    assert planned.reason
    kept = job(
        home_region=version.home_region,
        size_gb=version.size_gb,
        reason=" ".join(one.details for one in version.replication.values()) or "r",
    )
    assert decode_job(encode_job(kept)) == kept
    json.dumps([dict(target.entry) for target in version.target_regions])


def answered(document: Any) -> ImageVersion | Exception:
    return outcome(
        lambda: read_version(ID, document, CATALOG),
        MalformedImageVersionError,
        InvalidRegionNameError,
    )


def test_every_horror_at_every_place_of_a_version_is_read_or_named() -> None:
    for name, document in every_mutation(VERSION, VALUES):
        if not isinstance(document, dict):
            continue  # the adapter refuses what is no object
        read = answered(document)
        if isinstance(read, ImageVersion):
            assert_plannable(read)
        else:
            assert 0 < len(str(read)) < 500, name


@given(document=mutations(VERSION))
@settings(max_examples=examples(100))
def test_a_version_with_anything_wrong_is_read_or_named(document: Any) -> None:
    if isinstance(document, dict):
        read = answered(document)
        if isinstance(read, ImageVersion):
            assert_plannable(read)


@pytest.mark.parametrize("size", [True, -1, 10**4299, 2**21, 1.5, "127"])
def test_a_size_that_no_disk_has_is_not_known(size: Any) -> None:
    read = answered(
        {**VERSION, "properties": {"storageProfile": {"osDiskImage": {"sizeInGB": size}}}}
    )
    assert isinstance(read, ImageVersion)
    assert read.size_gb is None


def assert_catalog(catalog: RegionCatalog) -> None:
    for details in catalog.details.values():
        for text in (details.display_name, details.geography, details.region.name):
            assert text.isprintable()
            assert 0 < len(text) <= 90
    assert set(catalog.aliases.values()) <= set(catalog.details)


def test_every_horror_at_every_place_of_a_location_hides_no_other() -> None:
    good = LOCATIONS["value"][1]
    for name, document in every_mutation(LOCATION, VALUES):
        if isinstance(document, dict):
            catalog = build_catalog([document, good], provider_locations=None, source="a test")
            assert_catalog(catalog)
            assert "westus2" in {one.name for one in catalog.details}, name


@given(locations=st.lists(mutations(LOCATION), max_size=3), offered=st.lists(ANY_VALUE))
@settings(max_examples=examples(60))
def test_any_locations_make_a_catalog(locations: list[Any], offered: list[Any]) -> None:
    listed = [one for one in locations if isinstance(one, dict)]
    assert_catalog(build_catalog(listed, provider_locations=offered, source="a test"))


@pytest.mark.parametrize(
    ("name", "status"),
    [("read", 200), ("list", 200), ("subscriptions", 200), ("read", 404), ("write", 429)],
)
def test_any_bytes_for_an_answer_are_ours(
    arm: RawArm, clients: ArmClients, name: str, status: int
) -> None:
    for body in (*BODIES, sized(nested_json(600)), sized({"error": nested_json(5000)})):
        arm.answer(RawAnswer(status=status, body=body))
        assert_ours(calls(clients)[name])


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("read", VERSION),
        ("list", {"value": [VERSION]}),
        ("subscriptions", SUBSCRIPTIONS),
        ("catalog", LOCATIONS),
    ],
)
def test_every_horror_at_every_place_of_an_answer_is_ours(
    arm: RawArm, clients: ArmClients, name: str, document: Any
) -> None:
    others = {
        "galleries": RawAnswer(body=sized(GALLERIES)),
        "images": RawAnswer(body=sized(IMAGES)),
        "microsoft.compute": RawAnswer(body=sized(PROVIDER)),
    }
    for what, changed in list(every_mutation(document, SMALL))[::4]:
        arm.answer(RawAnswer(body=sized(changed)), **others)
        assert_ours(calls(clients)[name], name=what)


SMALL: tuple[Any, ...] = (None, 5, "\ud800\0", [5], {})


def nested_json(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("ending", "document"),
    [("galleries", GALLERIES), ("images", IMAGES), ("microsoft.compute", PROVIDER)],
)
def test_every_horror_in_a_list_on_the_way_is_ours(
    arm: RawArm, clients: ArmClients, ending: str, document: Any
) -> None:
    others = {
        "galleries": RawAnswer(body=sized(GALLERIES)),
        "images": RawAnswer(body=sized(IMAGES)),
        "locations": RawAnswer(body=sized(LOCATIONS)),
    }
    name = "catalog" if ending == "microsoft.compute" else "list"
    for what, changed in list(every_mutation(document, SMALL))[::2]:
        arm.answer(
            RawAnswer(body=sized({"value": []})),
            **(others | {ending: RawAnswer(body=sized(changed))}),
        )
        assert_ours(calls(clients)[name], name=what)
        assert arm.asked <= MAX_REQUESTS + 4


@pytest.mark.parametrize(("name", "status"), [("write", 400), ("read", 429)])
def test_every_horror_at_every_place_of_a_refusal_is_ours(
    arm: RawArm, clients: ArmClients, name: str, status: int
) -> None:
    for what, changed in every_mutation(ERROR, [5, [5], "x" * 65_536, nested_json(600)]):
        arm.answer(RawAnswer(status=status, body=sized(changed)))
        assert isinstance(assert_ours(calls(clients)[name], name=what), ReplicationError)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(("name", "status"), [("read", 200), ("write", 429)])
def test_every_horror_in_a_header_is_ours(
    arm: RawArm, clients: ArmClients, header: str, name: str, status: int
) -> None:
    for text in HEADER_TEXTS:
        body = sized(VERSION if status == 200 else ERROR)
        arm.answer(RawAnswer(status=status, body=body, headers={header: text}))
        assert_ours(calls(clients)[name], name=text[:40])


@pytest.mark.parametrize(
    "given",
    [
        RawAnswer(body=sized(VERSION), content_type="text/html"),
        RawAnswer(body=sized(VERSION), content_type="application/xml"),
        RawAnswer(body=sized(VERSION), content_type="application/json; charset=nonsense"),
        RawAnswer(body=sized(VERSION), content_type=""),
        RawAnswer(body=sized(VERSION)[:-20]),
        RawAnswer(body=sized(VERSION)[:-20], length=len(sized(VERSION))),
        RawAnswer(body=b"", length=10),
        RawAnswer(status=204, body=b""),
        RawAnswer(status=202, body=b""),
        RawAnswer(status=301, body=b"", headers={"Location": "/elsewhere"}),
        RawAnswer(status=304, body=b""),
        RawAnswer(status=418, body=b"tea"),
        RawAnswer(status=999, body=b"{}"),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("name", CALLS)
def test_a_broken_or_unusual_answer_is_ours(
    arm: RawArm, clients: ArmClients, name: str, given: RawAnswer
) -> None:
    arm.answer(given)
    assert_ours(calls(clients)[name])


def test_no_catalog_is_made_of_what_cannot_be_read(arm: RawArm, clients: ArmClients) -> None:
    for body in BODIES:
        arm.answer(RawAnswer(body=body))
        found = assert_ours(calls(clients)["catalog"])
        if isinstance(found, RegionCatalog):
            assert found.source.startswith("the shipped snapshot")
        else:
            assert isinstance(found, TransientError)


@pytest.mark.parametrize(
    "provider",
    [
        {"resourceTypes": []},
        {"resourceTypes": [{"resourceType": "virtualMachines", "locations": ["East US"]}]},
        {"resourceTypes": [{"resourceType": "galleries/images/versions"}]},
        {"resourceTypes": [{"resourceType": "galleries/images/versions", "locations": None}]},
        {},
        [],
    ],
)
def test_an_answer_that_does_not_name_the_type_is_asked_for_again_soon(
    arm: RawArm, clients: ArmClients, caplog: pytest.LogCaptureFixture, provider: Any
) -> None:
    clock = FakeClock()
    catalogs = ArmCatalogs(clients=clients, clock=clock, ttl_s=3600, retry_s=60)
    locations = RawAnswer(body=sized(LOCATIONS))
    arm.answer(RawAnswer(body=sized(provider)), locations=locations)
    with caplog.at_level(logging.WARNING):
        catalog = catalogs.of(SUBSCRIPTION)
    assert catalog.offered is None
    assert "could not be asked" in catalog.source
    assert [one.levelno for one in caplog.records if "catalog.unavailable" in one.message] == [
        logging.WARNING
    ]
    arm.answer(RawAnswer(body=sized(PROVIDER)), locations=locations)
    clock.advance(60)
    offered = catalogs.of(SUBSCRIPTION).offered
    assert offered is not None
    assert [one.name for one in offered] == ["eastus"]


def test_a_subscription_that_no_path_can_hold_is_not_asked_about(
    arm: RawArm, clients: ArmClients
) -> None:
    listed = [{"subscriptionId": text} for text in (*TEXTS, SUBSCRIPTION)]
    arm.answer(RawAnswer(body=sized({"value": listed})))
    found = ArmGallery(clients).subscriptions()
    assert found[-1] == SUBSCRIPTION
    assert all(re.fullmatch(r"[0-9a-zA-Z-]{1,64}", one) for one in found)
