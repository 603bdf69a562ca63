"""What Azure's answers say is left of its limits, as the headers of recorded answers say it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.azure.arm.gallery import ArmGallery
from replication.azure.arm.rate_headers import rate_readings
from replication.domain.errors import Operation, ThrottledError
from replication.domain.region_snapshot import shipped_catalog
from replication.guards.rate_meter import RateMeter
from replication.guards.throttling import RateReading, ThrottleScope
from tests.support.arm.stub import Canned, StubArm, open_clients
from tests.support.builders import SUBSCRIPTION, version_body, version_id

ID = version_id()
PATH = str(ID)
RESOURCE = "x-ms-ratelimit-remaining-resource"
READS = "x-ms-ratelimit-remaining-subscription-reads"
WRITES = "x-ms-ratelimit-remaining-subscription-writes"
WRITTEN = (
    "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;374,"
    "Microsoft.Compute/CreateUpdateGalleryImageVersion30Min;1198"
)
GOT = (
    "Microsoft.Compute/GetGalleryImageVersion3Min;1999,"
    "Microsoft.Compute/GetGalleryImageVersion30Min;9997"
)


def left(method: str, headers: Mapping[str, str], path: str = PATH) -> dict[str, int]:
    return {one.bucket: one.remaining for one in rate_readings(method, path, headers)}


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        (
            "PATCH",
            {RESOURCE: WRITTEN, WRITES: "199"},
            {
                "createupdategalleryimageversion3min": 374,
                "createupdategalleryimageversion30min": 1198,
                "subscription-writes": 199,
            },
        ),
        (
            "GET",
            {RESOURCE.title(): GOT, READS.upper(): " 249 "},
            {
                "getgalleryimageversion3min": 1999,
                "getgalleryimageversion30min": 9997,
                "subscription-reads": 249,
            },
        ),
        (
            "PUT",
            {RESOURCE: "CreateUpdateGalleryImageVersion3Min;0"},
            {"createupdategalleryimageversion3min": 0},
        ),
        # Of another kind of call, or of all principals together.
        ("GET", {WRITES: "199"}, {}),
        ("PATCH", {READS: "249"}, {}),
        ("GET", {"x-ms-ratelimit-remaining-subscription-global-reads": "3749"}, {}),
        ("GET", {RESOURCE: "Microsoft.Compute/GetGallery3Min;341"}, {}),
        ("GET", {}, {}),
        # What cannot be read is left out, and spoils nothing beside it.
        (
            "GET",
            {RESOURCE: f"junk,;;,{GOT},GetGalleryImageVersion3Min", READS: "many"},
            {
                "getgalleryimageversion3min": 1999,
                "getgalleryimageversion30min": 9997,
            },
        ),
        ("GET", {RESOURCE: "GetGalleryImageVersion3Min;-1", READS: "-5"}, {}),
        ("GET", {RESOURCE: "GetGalleryImageVersion3Min;1.5", READS: "1e3"}, {}),
        ("GET", {RESOURCE: "GetGalleryImageVersion3Min;\u0661", READS: "\u00b2"}, {}),
        ("GET", {RESOURCE: "GetGalleryImageVersion3Min;9999999999", READS: ""}, {}),
        ("GET", {RESOURCE: f"GetGalleryImageVersion{'9' * 100}Min;1"}, {}),
        ("GET", {RESOURCE: "GetGalleryImageVersion<script>;1"}, {}),
    ],
)
def test_readings_are_taken_from_the_headers(
    method: str, headers: dict[str, str], expected: dict[str, int]
) -> None:
    assert left(method, headers) == expected


def test_a_header_of_thousands_of_parts_gives_a_few_readings() -> None:
    parts = ",".join(f"GalleryImageVersion{number};1" for number in range(5_000))
    assert len(left("GET", {RESOURCE: parts})) == 8


@pytest.mark.parametrize(
    ("method", "operation"),
    [("GET", Operation.READ), ("PATCH", Operation.WRITE), ("PUT", Operation.WRITE)],
)
def test_a_reading_is_about_the_operation_in_the_subscription_of_the_request(
    method: str, operation: Operation
) -> None:
    loud = PATH.replace(SUBSCRIPTION, SUBSCRIPTION.upper())
    scope = ThrottleScope(subscription_id=SUBSCRIPTION, operation=operation)
    assert {one.scope for one in rate_readings(method, loud, {RESOURCE: GOT})} == {scope}


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/subscriptions",
        f"/subscriptions/{SUBSCRIPTION}/locations",
        PATH.rpartition("/")[0],
        f"{PATH}/more",
        f"/elsewhere{PATH}",
    ],
)
def test_answers_about_anything_else_are_not_read(path: str) -> None:
    assert left("GET", {RESOURCE: GOT, READS: "1"}, path) == {}


@given(st.text(), st.text(), st.dictionaries(st.sampled_from([RESOURCE, READS]), st.text()))
def test_no_text_breaks_it(method: str, path: str, headers: dict[str, str]) -> None:
    assert all(one.remaining >= 0 for one in rate_readings(method, path, headers))
    assert all(one.remaining >= 0 for one in rate_readings("GET", PATH, headers))


def test_the_meter_gets_the_readings_of_reads_writes_and_refusals(arm: StubArm) -> None:
    clients = open_clients(arm.url)
    gallery, meter = ArmGallery(clients), clients.meter
    read = Canned(body=version_body(), headers={RESOURCE: GOT, READS: "249"})
    written = Canned(body=version_body(), headers={RESOURCE: WRITTEN, WRITES: "199"})
    refused = Canned(
        status=429,
        body={"error": {"code": "TooManyRequests", "message": "slow down"}},
        headers={
            RESOURCE: "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;0",
            "Retry-After": "17",
        },
    )
    arm.answer("GET", PATH, read)
    arm.answer("PATCH", PATH, written, refused)
    gallery.read(ID, shipped_catalog())
    assert taken(meter) == {
        "getgalleryimageversion3min": 1999,
        "getgalleryimageversion30min": 9997,
        "subscription-reads": 249,
    }
    gallery.set_target_regions(ID, [{"name": "East US"}])
    assert taken(meter) == {
        "createupdategalleryimageversion3min": 374,
        "createupdategalleryimageversion30min": 1198,
        "subscription-writes": 199,
    }
    with pytest.raises(ThrottledError) as caught:
        gallery.set_target_regions(ID, [{"name": "East US"}])
    assert caught.value.retry_after_s == 17
    assert taken(meter) == {"createupdategalleryimageversion3min": 0}
    clients.close()


def taken(meter: RateMeter) -> dict[str, int]:
    return {one.bucket: one.remaining for one in meter.take()}


def test_the_meter_keeps_the_newest_reading_of_each_limit_until_it_is_taken() -> None:
    meter = RateMeter()
    scope = ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.READ)
    other = ThrottleScope(subscription_id="other", operation=Operation.READ)
    readings = [
        RateReading(scope=scope, bucket="a", remaining=9),
        RateReading(scope=other, bucket="a", remaining=5),
        RateReading(scope=scope, bucket="a", remaining=8),
    ]
    meter.put(readings)
    assert set(meter.take()) == set(readings[1:])
    assert meter.take() == ()
