"""ArmGallery against an ARM of canned answers: what it asks, and what it makes of the answers."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.gallery import ArmGallery
from replication.domain.errors import (
    ConflictError,
    GoneError,
    MissingReferenceError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from replication.domain.image_version import CopyState, ImageVersion
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import Region, RegionRefusedError
from replication.ports import Gallery, UnreadPart
from tests.support.arm.gallery import MemoryGallery
from tests.support.arm.stub import Canned, StubArm, open_clients
from tests.support.builders import SUBSCRIPTION, version_body, version_id
from tests.support.clock import FakeClock

ID = version_id()
PATH = str(ID)
CATALOG = shipped_catalog()
ENTRIES: list[dict[str, Any]] = [
    {"name": "West US 2", "regionalReplicaCount": 3, "futureField": {"deep": [1, None, "x"]}},
    {"name": "East US", "encryption": {"osDiskImage": {"diskEncryptionSetId": "/des"}}},
    {"name": "eastus2", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"},
]


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Canned:
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"error": {"code": code, "message": message}}
    return Canned(status=status, body=body, headers=renamed)


@pytest.fixture(params=["memory", "arm"])
def either(
    request: pytest.FixtureRequest, arm: StubArm, gallery: ArmGallery
) -> tuple[Gallery, Callable[[dict[str, Any]], None]]:
    """Give the port in memory and the real one, with a way to put a version into each."""
    if request.param == "arm":
        arm.answer("GET", PATH, Canned(status=404, body={"error": {"code": "ResourceNotFound"}}))
        return gallery, lambda body: arm.answer("GET", PATH, Canned(body=body))
    memory = MemoryGallery(FakeClock())
    return memory, lambda body: memory.add(ID, body)


def test_a_version_that_does_not_exist_is_none(
    either: tuple[Gallery, Callable[[dict[str, Any]], None]],
) -> None:
    assert either[0].read(ID, CATALOG) is None


def test_entries_are_kept_verbatim_with_fields_nobody_knows(
    either: tuple[Gallery, Callable[[dict[str, Any]], None]],
) -> None:
    port, put = either
    put(version_body(regions=ENTRIES))
    version = port.read(ID, CATALOG)
    assert version is not None
    assert [dict(target.entry) for target in version.target_regions] == ENTRIES
    assert [one.region.name for one in version.target_regions] == ["westus2", "eastus", "eastus2"]
    assert version.encrypted


def test_a_read_is_one_get_that_asks_for_the_replication_status(
    arm: StubArm, gallery: ArmGallery
) -> None:
    body = version_body()
    body["properties"]["replicationStatus"] = {
        "summary": [{"region": "East US", "state": "Replicating", "progress": 42, "details": "d"}]
    }
    arm.answer("GET", PATH, Canned(body=body))
    version = gallery.read(ID, CATALOG)
    (asked,) = arm.asked
    assert (asked.method, asked.path) == ("GET", PATH)
    assert asked.query["$expand"] == ["ReplicationStatus"]
    assert "Authorization" not in asked.headers
    assert version is not None
    assert version.replication[Region("eastus")].state is CopyState.REPLICATING
    assert version.replication[Region("eastus")].progress == 42


def test_a_write_is_one_patch_of_the_list_and_nothing_else(
    arm: StubArm, gallery: ArmGallery
) -> None:
    headers = {"Azure-AsyncOperation": f"{arm.url}/operations/1", "Retry-After": "60"}
    arm.answer("PATCH", PATH, Canned(body=version_body(state="Updating"), headers=headers))
    threads = set(threading.enumerate())
    gallery.set_target_regions(ID, ENTRIES)
    started = {one.name for one in set(threading.enumerate()) - threads}
    assert {name for name in started if "process_request_thread" not in name} == set()
    assert [one.method for one in arm.asked] == ["PATCH"]
    assert arm.asked[0].path == PATH
    assert arm.asked[0].json == {
        "properties": {
            "publishingProfile": {"targetRegions": ENTRIES},
            "storageProfile": {},
        }
    }


def test_a_write_does_not_need_to_understand_the_answer(arm: StubArm, gallery: ArmGallery) -> None:
    arm.answer("PATCH", PATH, Canned(body="<html>"))
    gallery.set_target_regions(ID, ENTRIES)
    assert len(arm.asked) == 1


@pytest.mark.parametrize(
    ("canned", "expected"),
    [
        (refusal(429, "TooManyRequests", Retry_After="120"), ThrottledError),
        (refusal(429, "TooManyRequests"), ThrottledError),
        (refusal(409, "Conflict", Retry_After="120"), ConflictError),
        (refusal(412, "PreconditionFailed"), ConflictError),
        (refusal(500, "InternalError", Retry_After="120"), TransientError),
        (refusal(503, "ServerBusy", Retry_After="120"), TransientError),
        (Canned(status=502, body="<html>bad gateway</html>"), TransientError),
        (Canned(drop=True), TransientError),
        (refusal(403, "AuthorizationFailed"), PermanentError),
        (refusal(409, "ScopeLocked"), PermanentError),
        (
            refusal(409, "MissingSubscriptionRegistration", "not 'Microsoft.Compute'"),
            PermanentError,
        ),
    ],
)
def test_nothing_is_sent_again_within_a_call(
    arm: StubArm, gallery: ArmGallery, canned: Canned, expected: type[Exception]
) -> None:
    calls: tuple[tuple[str, Callable[[], object]], ...] = (
        ("GET", lambda: gallery.read(ID, CATALOG)),
        ("PATCH", lambda: gallery.set_target_regions(ID, ENTRIES)),
    )
    for method, call in calls:
        arm.asked.clear()
        arm.answer(method, PATH, canned)
        with pytest.raises(expected) as raised:
            call()
        assert type(raised.value) is expected
        assert [one.method for one in arm.asked] == [method]


def test_the_pause_that_arm_asks_for_is_passed_on(arm: StubArm, gallery: ArmGallery) -> None:
    arm.answer("PATCH", PATH, refusal(429, "TooManyRequests", Retry_After="7"))
    with pytest.raises(ThrottledError) as raised:
        gallery.set_target_regions(ID, ENTRIES)
    assert raised.value.retry_after_s == 7


def test_a_refused_region_is_told_from_those_beside_it(arm: StubArm, gallery: ArmGallery) -> None:
    said = (
        "The provided location eastus2 is not available for resource type "
        "'Microsoft.Compute/galleries'. List of available regions: 'eastus,westus2'"
    )
    arm.answer("PATCH", PATH, refusal(400, "LocationNotAvailableForResourceType", said))
    with pytest.raises(RegionRefusedError) as raised:
        gallery.set_target_regions(ID, ENTRIES)
    assert raised.value.regions == {Region("eastus2")}


def test_a_version_that_is_gone_when_written_is_gone(arm: StubArm, gallery: ArmGallery) -> None:
    said = f"The resource {ID} was not found."
    arm.answer("PATCH", PATH, refusal(404, "ResourceNotFound", said))
    with pytest.raises(GoneError):
        gallery.set_target_regions(ID, ENTRIES)


def test_a_source_that_is_gone_when_written_leaves_the_version_what_it_is(
    arm: StubArm, gallery: ArmGallery
) -> None:
    said = "Source was not found: /x. Please make sure the source exists."
    arm.answer("PATCH", PATH, refusal(404, "NotFound", said))
    with pytest.raises(MissingReferenceError):
        gallery.set_target_regions(ID, ENTRIES)


@pytest.mark.parametrize("code", ["ResourceNotFound", "ParentResourceNotFound"])
def test_a_read_that_finds_nothing_confirms_that_the_version_is_gone(
    arm: StubArm, gallery: ArmGallery, code: str
) -> None:
    arm.answer("GET", PATH, refusal(404, code))
    assert gallery.read(ID, CATALOG) is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [("SubscriptionNotFound", PermanentError), ("NotFound", TransientError), ("", TransientError)],
)
def test_another_404_than_its_own_says_nothing_of_a_version(
    arm: StubArm, gallery: ArmGallery, code: str, expected: type[Exception]
) -> None:
    arm.answer("GET", PATH, refusal(404, code))
    with pytest.raises(expected):
        gallery.read(ID, CATALOG)


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "",
        '"text"',
        "[]",
        "null",
        {"location": 5},
        {"properties": {}},
        {"location": "eastus", "properties": {"publishingProfile": {"targetRegions": [{}]}}},
        {"location": "eastus", "properties": {"publishingProfile": {"targetRegions": 5}}},
        {"location": "eastus", "properties": []},
    ],
)
def test_an_answer_that_cannot_be_understood_is_worth_another_try(
    arm: StubArm, gallery: ArmGallery, body: Any
) -> None:
    arm.answer("GET", PATH, Canned(body=body))
    with pytest.raises(TransientError):
        gallery.read(ID, CATALOG)


def test_an_arm_that_does_not_answer_is_a_transient_error() -> None:
    clients = open_clients("http://127.0.0.1:9")
    try:
        for call in (
            lambda: ArmGallery(clients).read(ID, CATALOG),
            lambda: ArmGallery(clients).set_target_regions(ID, ENTRIES),
            lambda: ArmGallery(clients).subscriptions(),
        ):
            with pytest.raises(TransientError) as raised:
                call()
            assert raised.value.code == "unreachable"
        (unread,) = ArmGallery(clients).versions(SUBSCRIPTION, CATALOG)
        assert isinstance(unread, UnreadPart)
        assert isinstance(unread.error, TransientError)
    finally:
        clients.close()


def galleries_path(rest: str = "") -> str:
    return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/galleries{rest}"


def page(url: str | None, *items: dict[str, Any]) -> Canned:
    return Canned(body={"value": list(items), **({"nextLink": url} if url else {})})


def fill(arm: StubArm) -> None:
    """Lay out two galleries on two pages; the first has an image with versions on two pages."""
    second_id = ID.gallery_id.replace("labgallery", "second")
    arm.answer(
        "GET",
        galleries_path(),
        page(f"{arm.url}{galleries_path('/more')}", {"id": ID.gallery_id, "name": "labgallery"}),
    )
    arm.answer("GET", galleries_path("/more"), page(None, {"id": second_id, "name": "second"}))
    arm.answer("GET", f"{ID.gallery_id}/images", page(None, {"name": "maths"}))
    arm.answer("GET", f"{second_id}/images", page(None))
    versions = f"{ID.gallery_id}/images/maths/versions"
    first = version_body() | {"id": str(version_id(version="1.0.0"))}
    broken = {"id": str(version_id(version="1.0.1")), "properties": {}}
    alien = version_body() | {"id": "/somewhere/else"}
    last = version_body(regions=ENTRIES) | {"id": str(version_id(version="1.0.2"))}
    arm.answer("GET", versions, page(f"{arm.url}{versions}/more", first, broken, alien))
    arm.answer("GET", f"{versions}/more", page(None, last))


def read_all(gallery: ArmGallery) -> list[ImageVersion]:
    found = list(gallery.versions(SUBSCRIPTION, CATALOG))
    versions = [one for one in found if isinstance(one, ImageVersion)]
    assert len(versions) == len(found)
    return versions


def test_every_version_is_listed_over_all_pages_and_unreadable_ones_are_passed_by(
    arm: StubArm, gallery: ArmGallery
) -> None:
    fill(arm)
    found = read_all(gallery)
    assert [one.id.version for one in found] == ["1.0.0", "1.0.2"]
    assert [dict(target.entry) for target in found[1].target_regions] == ENTRIES


@pytest.mark.parametrize(
    "canned",
    [
        refusal(500, "InternalError", Retry_After="100"),
        Canned(body="<html>"),
        Canned(body=[]),
        Canned(drop=True),
    ],
)
def test_a_list_that_breaks_off_on_its_second_page_tells_so_beside_what_it_had(
    arm: StubArm, gallery: ArmGallery, canned: Canned
) -> None:
    fill(arm)
    whole = list(gallery.versions(SUBSCRIPTION, CATALOG))
    arm.answer("GET", galleries_path("/more"), canned)
    found = list(gallery.versions(SUBSCRIPTION, CATALOG))
    (unread,) = [one for one in found if isinstance(one, UnreadPart)]
    assert (unread.name, type(unread.error)) == ("the galleries", TransientError)
    assert [one for one in found if one is not unread] == whole[: len(found) - 1]


def test_a_gallery_or_definition_that_vanishes_during_the_list_hides_no_other(
    arm: StubArm, gallery: ArmGallery
) -> None:
    fill(arm)
    first_id = ID.gallery_id
    gone_id = first_id.replace("labgallery", "gone")
    listed = page(None, {"id": gone_id, "name": "gone"}, {"id": first_id, "name": "labgallery"})
    arm.answer("GET", galleries_path(), listed)
    arm.answer("GET", f"{gone_id}/images", refusal(404, "ResourceNotFound"))
    found = read_all(gallery)
    assert [one.id.version for one in found] == ["1.0.0", "1.0.2"]


def test_a_list_that_is_refused_with_another_404_is_told_of(
    arm: StubArm, gallery: ArmGallery
) -> None:
    fill(arm)
    arm.answer("GET", f"{ID.gallery_id}/images", refusal(404, "SubscriptionNotFound"))
    (unread,) = gallery.versions(SUBSCRIPTION, CATALOG)
    assert isinstance(unread, UnreadPart)
    assert unread.name == "gallery labgallery"


def test_subscriptions_are_listed(arm: StubArm, gallery: ArmGallery) -> None:
    arm.answer(
        "GET",
        "/subscriptions",
        page(f"{arm.url}/subscriptions/more", {"subscriptionId": "s1"}, {"displayName": "x"}),
    )
    arm.answer("GET", "/subscriptions/more", page(None, {"subscriptionId": "s2"}))
    assert gallery.subscriptions() == ("s1", "s2")


def test_one_client_serves_a_subscription_and_every_subscription_has_its_own(
    clients: ArmClients,
) -> None:
    first = clients.compute("s1")
    assert clients.compute("s1") is first
    assert clients.compute("s2") is not first
