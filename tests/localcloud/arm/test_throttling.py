"""Rate limits in simulated time."""

import json

import pytest

from localcloud.arm.resource_ids import Kind
from localcloud.arm.throttling import Throttle, ThrottledError
from tests.support.localcloud.arm import Arm, StartArm
from tests.support.localcloud.arm_world import API_VERSION, GALLERY, IMAGE, VERSION, version_put

LONG_AGO = 0.0


def test_the_headers_tell_what_remains_as_recorded() -> None:
    headers = Throttle().take("s", "PATCH", Kind.VERSION, LONG_AGO)
    assert headers == {
        "x-ms-ratelimit-remaining-subscription-writes": "199",
        "x-ms-ratelimit-remaining-subscription-global-writes": "2999",
        "x-ms-ratelimit-remaining-resource": (
            "Microsoft.Compute/CreateUpdateGalleryImageVersion3Min;374,"
            "Microsoft.Compute/CreateUpdateGalleryImageVersion30Min;1199"
        ),
    }
    reads = Throttle().take("s", "GET", Kind.VERSION, LONG_AGO)
    assert reads["x-ms-ratelimit-remaining-subscription-global-reads"] == "3749"
    assert reads["x-ms-ratelimit-remaining-resource"].startswith(
        "Microsoft.Compute/GetGalleryImageVersion3Min;1999,"
    )


def test_put_and_patch_share_a_window_and_it_opens_again() -> None:
    throttle = Throttle()
    for n in range(375):
        throttle.take("s", ("PUT", "PATCH")[n % 2], Kind.VERSION, n * 0.1)
    with pytest.raises(ThrottledError) as refused:
        throttle.take("s", "PUT", Kind.VERSION, 60.0)
    assert (refused.value.status, refused.value.code) == (
        429,
        "ResourceCollectionRequestsThrottled",
    )
    assert refused.value.wait_s == 120
    (detail,) = refused.value.details
    assert (detail["code"], detail["target"]) == (
        "TooManyRequests",
        "CreateUpdateGalleryImageVersion3Min",
    )
    assert json.loads(detail["message"])["allowedRequestCount"] == 375
    throttle.take("other", "PUT", Kind.VERSION, 60.0)
    throttle.take("s", "PUT", Kind.VERSION, 180.0)


def test_the_long_window_closes_too() -> None:
    throttle = Throttle()
    for n in range(1_000):
        throttle.take("s", "DELETE", Kind.VERSION, (n // 150) * 180 + (n % 150) * 0.1)
    with pytest.raises(ThrottledError, match="too many requests"):
        throttle.take("s", "DELETE", Kind.VERSION, 7 * 180)
    throttle.take("s", "DELETE", Kind.VERSION, 1_800)


def test_a_burst_empties_the_subscription_s_bucket_and_it_fills_again() -> None:
    throttle = Throttle()
    for _ in range(250):
        throttle.take("s", "GET", Kind.LOCATIONS, LONG_AGO)
    with pytest.raises(ThrottledError) as refused:
        throttle.take("s", "GET", Kind.LOCATIONS, LONG_AGO)
    assert refused.value.code == "SubscriptionRequestsThrottled"
    assert refused.value.wait_s == pytest.approx(1 / 25)
    throttle.take("s", "PUT", Kind.GALLERY, LONG_AGO)
    throttle.take("s", "GET", Kind.LOCATIONS, LONG_AGO + 1)


def test_what_is_refused_costs_nothing() -> None:
    throttle = Throttle()
    for _ in range(50):
        throttle.take("s", "PUT", Kind.GALLERY, LONG_AGO)
    for _ in range(500):
        with pytest.raises(ThrottledError):
            throttle.take("s", "PUT", Kind.GALLERY, LONG_AGO)
    left = throttle.take("s", "PUT", Kind.VERSION, LONG_AGO)
    assert left["x-ms-ratelimit-remaining-subscription-writes"] == "149"


def test_the_fifty_first_gallery_write_answers_429_and_when_to_come_again(arm: Arm) -> None:
    body = {"location": "eastus"}
    arm.make_group()
    replies = [arm.arm("PUT", GALLERY, body) for _ in range(51)]
    assert {one.status for one in replies[:50]} == {200, 201}
    refused = replies[-1]
    assert (refused.status, refused.code) == (429, "ResourceCollectionRequestsThrottled")
    assert 0 < int(refused.headers["Retry-After"]) <= 180
    arm.control("PUT", "behaviour", {"throttling": False})
    assert arm.arm("PUT", GALLERY, body).status == 200


def test_waiting_is_as_short_as_time_is_fast(start: StartArm) -> None:
    arm = start(time_scale=60)
    arm.make_group()
    body = {"location": "eastus"}
    refused = [one for _ in range(51) if (one := arm.arm("PUT", GALLERY, body)).status == 429]
    assert all(1 <= int(one.headers["Retry-After"]) <= 3 for one in refused)


def test_every_answer_tells_what_remains_even_a_refusal(arm: Arm) -> None:
    arm.make_image()
    for reply in (
        arm.arm("GET", VERSION),
        arm.arm("PUT", VERSION, version_put("atlantis")),
        arm.arm("GET", f"{IMAGE}/versions"),
        arm.arm("GET", IMAGE),
        arm.call("GET", f"{IMAGE}?api-version=1"),
    ):
        assert "x-ms-ratelimit-remaining-resource" in reply.headers
        assert "x-ms-request-id" in reply.headers
    locations = arm.call("GET", f"{VERSION.split('/resourceGroups')[0]}/locations?api-version={1}")
    assert "x-ms-ratelimit-remaining-subscription-reads" in locations.headers
    assert API_VERSION not in locations.text


@pytest.mark.parametrize(
    ("method", "kind", "group", "three_minutes", "thirty_minutes"),
    [
        ("PUT", Kind.IMAGE, "CreateUpdateGalleryImage", 150, 750),
        ("GET", Kind.IMAGE, "GetGalleryImage", 600, 3_000),
        ("GET", Kind.VERSIONS, "ListGalleryImageVersionsInGalleryImage", 1_500, 10_000),
        ("GET", Kind.GALLERIES, "ListGalleryInResourceGroup", 100, 1_000),
        ("GET", Kind.GALLERY, "GetGallery", 350, 2_500),
    ],
)
def test_lists_and_definitions_have_the_limits_that_were_recorded(
    method: str, kind: Kind, group: str, three_minutes: int, thirty_minutes: int
) -> None:
    headers = Throttle().take("s", method, kind, LONG_AGO)
    assert headers["x-ms-ratelimit-remaining-resource"] == (
        f"Microsoft.Compute/{group}3Min;{three_minutes - 1},"
        f"Microsoft.Compute/{group}30Min;{thirty_minutes - 1}"
    )


def test_the_list_of_one_group_has_a_window_of_its_own(arm: Arm) -> None:
    arm.make_image()
    listed = arm.arm("GET", GALLERY.rsplit("/", 1)[0])
    assert (
        "ListGalleryInResourceGroup3Min;99,"
        in (listed.headers["x-ms-ratelimit-remaining-resource"])
    )
