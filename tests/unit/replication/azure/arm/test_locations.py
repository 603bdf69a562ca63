"""ArmCatalogs: asked seldom, never at a loss, and honest about where its answer comes from."""

from collections.abc import Iterator
from typing import Any

import pytest

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.locations import ArmCatalogs
from replication.domain.errors import TransientError
from replication.domain.regions import Region
from tests.support.arm.stub import Canned, StubArm, open_clients
from tests.support.builders import SUBSCRIPTION
from tests.support.clock import FakeClock

LOCATIONS = f"/subscriptions/{SUBSCRIPTION}/locations"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.compute"
TTL_S = 3600.0
RETRY_S = 60.0


def location(name: str, display_name: Any, **metadata: str) -> dict[str, Any]:
    known = {"regionType": "Physical", "geography": "United States"}
    return {"name": name, "displayName": display_name, "metadata": {**known, **metadata}}


def provider(*names: Any) -> Canned:
    types = [
        {"resourceType": "virtualMachines", "locations": ["Mars"]},
        {"resourceType": "Galleries/Images/Versions", "locations": list(names)},
    ]
    return Canned(body={"namespace": "Microsoft.Compute", "resourceTypes": types})


def fill(arm: StubArm) -> None:
    listed = [
        location("eastus", "East US"),
        location("westus2", "West US 2"),
        location("westus3", "West US 3"),
        location("eastus2euap", "East US 2 EUAP", geography="Canary (US)"),
        location("unitedstates", "United States", regionType="Logical"),
    ]
    arm.answer("GET", LOCATIONS, Canned(body={"value": listed}))
    arm.answer("GET", PROVIDER, provider("East US", "West US 2"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def catalogs(clients: ArmClients, clock: FakeClock) -> ArmCatalogs:
    return ArmCatalogs(clients=clients, clock=clock, ttl_s=TTL_S, retry_s=RETRY_S)


@pytest.fixture
def unreachable(clock: FakeClock) -> Iterator[ArmCatalogs]:
    clients = open_clients("http://127.0.0.1:9")
    yield ArmCatalogs(clients=clients, clock=clock, ttl_s=TTL_S, retry_s=RETRY_S)
    clients.close()


def test_physical_regions_are_known_and_those_that_offer_gallery_versions(
    arm: StubArm, catalogs: ArmCatalogs
) -> None:
    fill(arm)
    catalog = catalogs.of(SUBSCRIPTION)
    assert {one.name for one in catalog.details} == {"eastus", "westus2", "westus3"}
    assert catalog.offered == frozenset({Region("eastus"), Region("westus2")})
    assert catalog.source == "Azure Resource Manager, 2026-11-23 08:00 UTC"


def test_an_answer_serves_until_its_time_is_over(
    arm: StubArm, catalogs: ArmCatalogs, clock: FakeClock
) -> None:
    fill(arm)
    first = catalogs.of(SUBSCRIPTION)
    clock.advance(TTL_S - 1)
    assert catalogs.of(SUBSCRIPTION.upper()) is first
    assert len(arm.asked) == 2
    clock.advance(1)
    catalogs.of(SUBSCRIPTION)
    assert len(arm.asked) == 4


def test_every_subscription_is_asked_for_itself(arm: StubArm, catalogs: ArmCatalogs) -> None:
    fill(arm)
    other = SUBSCRIPTION.replace("1", "9")
    listed = [location("norwayeast", "Norway East", geography="Norway")]
    arm.answer("GET", f"/subscriptions/{other}/locations", Canned(body={"value": listed}))
    arm.answer("GET", f"/subscriptions/{other}/providers/microsoft.compute", provider())
    assert Region("eastus") in catalogs.of(SUBSCRIPTION).details
    assert set(catalogs.of(other).details) == {Region("norwayeast")}


@pytest.mark.parametrize(
    "canned",
    [
        Canned(status=403, body={"error": {"code": "AuthorizationFailed", "message": "no"}}),
        Canned(body=[]),
        Canned(body={"resourceTypes": 5}),
        Canned(body={"resourceTypes": [5]}),
        Canned(
            body={"resourceTypes": [{"resourceType": "galleries/images/versions", "locations": 5}]}
        ),
        Canned(body={}),
    ],
)
def test_a_provider_that_refuses_leaves_all_regions_and_the_source_says_so(
    arm: StubArm, catalogs: ArmCatalogs, canned: Canned
) -> None:
    fill(arm)
    arm.answer("GET", PROVIDER, canned)
    catalog = catalogs.of(SUBSCRIPTION)
    assert catalog.offered is None
    assert catalog.offers(Region("westus3"))
    assert catalog.source.endswith("where gallery image versions are offered could not be asked")
    assert len(arm.asked) == 2


_TROUBLE = [
    Canned(status=429, body={}, headers={"Retry-After": "100"}),
    Canned(status=503, body="<html>", headers={"Retry-After": "100"}),
    Canned(body="<html>"),
    Canned(drop=True),
]


@pytest.mark.parametrize("canned", _TROUBLE)
@pytest.mark.parametrize("path", [LOCATIONS, PROVIDER])
def test_a_trouble_that_passes_is_no_reason_to_plan_with_the_snapshot(
    arm: StubArm, catalogs: ArmCatalogs, path: str, canned: Canned
) -> None:
    fill(arm)
    arm.answer("GET", path, canned)
    with pytest.raises(TransientError):
        catalogs.of(SUBSCRIPTION)
    fill(arm)
    assert Region("westus3") not in (catalogs.of(SUBSCRIPTION).offered or ())


def test_a_provider_that_refused_is_asked_again_soon(
    arm: StubArm, catalogs: ArmCatalogs, clock: FakeClock
) -> None:
    fill(arm)
    arm.answer("GET", PROVIDER, Canned(status=403, body={}))
    catalogs.of(SUBSCRIPTION)
    arm.answer("GET", PROVIDER, provider("East US"))
    clock.advance(RETRY_S)
    assert catalogs.of(SUBSCRIPTION).offered == frozenset({Region("eastus")})


@pytest.mark.parametrize(
    "canned",
    [
        Canned(status=403, body={"error": {"code": "AuthorizationFailed", "message": "no"}}),
        Canned(body=[]),
        Canned(body={"value": []}),
    ],
)
def test_locations_that_are_refused_leave_the_shipped_snapshot(
    arm: StubArm, catalogs: ArmCatalogs, canned: Canned
) -> None:
    fill(arm)
    arm.answer("GET", LOCATIONS, canned)
    catalog = catalogs.of(SUBSCRIPTION)
    assert catalog.source == "the shipped snapshot of 2026-03-12"
    assert len(catalog.same_geography(Region("eastus"))) == 8
    assert len(arm.asked) == 1


def test_an_arm_out_of_reach_is_a_trouble_that_passes(unreachable: ArmCatalogs) -> None:
    with pytest.raises(TransientError):
        unreachable.of(SUBSCRIPTION)


def test_what_was_known_serves_on_when_arm_fails_later(
    arm: StubArm, catalogs: ArmCatalogs, clock: FakeClock
) -> None:
    fill(arm)
    first = catalogs.of(SUBSCRIPTION)
    clock.advance(TTL_S)
    arm.answer("GET", LOCATIONS, Canned(status=500, body={}))
    assert catalogs.of(SUBSCRIPTION) is first
    fill(arm)
    clock.advance(RETRY_S)
    assert catalogs.of(SUBSCRIPTION) is not first


def test_a_region_whose_name_cannot_be_read_hides_no_other(
    arm: StubArm, catalogs: ArmCatalogs
) -> None:
    listed = [
        location("", "Nowhere"),
        location("x" * 200, "Too long"),
        location("eastus", "y" * 200),
        {"name": "no-metadata"},
        {"displayName": "no name", "metadata": {}},
        location("westus2", None),
    ]
    arm.answer("GET", LOCATIONS, Canned(body={"value": listed}))
    arm.answer("GET", PROVIDER, provider("", 5, "East US", "West US 2", "Atlantis"))
    catalog = catalogs.of(SUBSCRIPTION)
    assert set(catalog.details) == {Region("eastus"), Region("westus2")}
    assert catalog.offered == frozenset({Region("eastus"), Region("westus2")})
