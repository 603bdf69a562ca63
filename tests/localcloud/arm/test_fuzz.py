"""Whatever is sent, the answer is one of Resource Manager's and never a crash."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.arm.answers import Answer, ArmRequest, error_answer
from localcloud.arm.errors import ArmError
from localcloud.arm.faults import Faults
from localcloud.arm.json_bodies import parse_object
from localcloud.arm.prices import price_items, price_page
from localcloud.arm.resource_ids import parse_path
from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import BASE_URL, GALLERY, IMAGE, VERSION, World, version_put
from tests.support.speed import examples

KEYS = (
    "location",
    "tags",
    "properties",
    "publishingProfile",
    "targetRegions",
    "name",
    "regionalReplicaCount",
    "storageAccountType",
    "encryption",
    "additionalReplicaSets",
    "excludeFromLatest",
    "replicaCount",
    "endOfLifeDate",
    "storageProfile",
    "source",
    "id",
    "osDiskImage",
    "dataDiskImages",
    "sizeInGB",
    "lun",
    "hostCaching",
    "safetyProfile",
    "allowDeletionOfReplicatedLocations",
    "securityProfile",
    "osType",
    "osState",
    "identifier",
    "publisher",
    "features",
    "match",
    "fault",
    "region",
    "rules",
    "seed",
    "status",
)
words = st.sampled_from(["eastus", "West US", "Standard_ZRS", "Specialized", "", "\ud800", "é"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    words,
    st.text(max_size=8),
)
bodies = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=5),
    ),
    max_leaves=25,
)
SEGMENTS = [*VERSION.strip("/").split("/"), "locations", "capsOperations", "..", "%00", "é", ""]
paths = st.lists(st.one_of(st.sampled_from(SEGMENTS), st.text(max_size=6)), max_size=14)


@st.composite
def nearly_right(draw: st.DrawFn) -> dict[str, Any]:
    """Return a version's body with a few values replaced by anything."""
    body: dict[str, Any] = version_put(
        {"name": "eastus", "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"},
        {"name": "westus", "excludeFromLatest": False, "additionalReplicaSets": [{}]},
        replicaCount=1,
    )
    body |= {"tags": {"a": "b"}}
    body["properties"] |= {"safetyProfile": {"allowDeletionOfReplicatedLocations": True}}
    for _ in range(draw(st.integers(1, 3))):
        place: Any = body
        while True:
            key: Any = draw(
                st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))
            )
            inner = place[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                place[key] = draw(bodies)
                break
            place = inner
    return body


def answer_of(world: World, method: str, path: str, raw: bytes) -> Answer:
    """Return the answer as the HTTP side would, with all that it writes."""
    request = ArmRequest(
        method=method, path=path, query={"api-version": "2026-03-03"}, body=raw, base_url=BASE_URL
    )
    try:
        route = parse_path(path)
        answer = Answer(status=404) if route is None else world.api.answer(request, route)
    except ArmError as error:
        answer = error_answer(error)
    text = answer.text()
    text.encode()
    if text:
        json.loads(text, parse_constant=pytest.fail)
    return answer


def refused_with(call: Callable[[], object], status: int = 400) -> None:
    """Check that a call goes well or is refused; anything else that is raised comes through."""
    refusal: ArmError | None = None
    try:
        call()
    except ArmError as error:
        refusal = error
    assert refusal is None or refusal.status == status


@given(st.one_of(bodies, nearly_right()), st.sampled_from([GALLERY, IMAGE, VERSION]))
@settings(max_examples=examples(250), deadline=None)
def test_any_body_is_taken_or_refused(body: object, path: str) -> None:
    raw = json.dumps(body).encode()
    for method in ("PUT", "PATCH"):
        fresh, used = World().with_image(), World().with_version("eastus")
        for world in (fresh, used):
            assert answer_of(world, method, path, raw).status in (200, 201, 400, 404, 409)
            assert answer_of(world, "GET", path, b"").status in (200, 404)


@given(paths, st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "POST", "HEAD"]))
@settings(max_examples=examples(300), deadline=None)
def test_any_path_is_answered(segments: list[str], method: str) -> None:
    world = World().with_version()
    answer = answer_of(world, method, "/" + "/".join(segments), b"{}")
    assert answer.status < 500


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_refused(raw: bytes) -> None:
    refused_with(lambda: parse_object(raw))


@given(bodies)
@settings(max_examples=examples(200))
def test_any_faults_are_taken_or_refused(raw: object) -> None:
    refused_with(lambda: Faults().put(raw))


@given(st.text(max_size=40), st.text(max_size=6))
def test_any_price_filter_is_answered_or_refused(text: str, skip: str) -> None:
    refused_with(lambda: price_page(price_items(), {"$filter": text, "$skip": skip}, BASE_URL))


TARGETS = ["/", "//", "/%ff", "/%00", "/subscriptions/%2F", f"{VERSION}/", "/_localcloud", "/a?b=%"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_odd_targets_are_refused_over_http(arm: Arm, method: str, target: str) -> None:
    assert 400 <= arm.call(method, target, b"\x00").status < 500


@given(st.one_of(bodies, nearly_right()))
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_body_is_answered_over_http(arm: Arm, body: object) -> None:
    for call in ("faults", "clock", "regions/westus", "events", "behaviour"):
        assert arm.call("PUT", f"/_localcloud/{call}", body).status in (200, 400)
    arm.call("PUT", "/_localcloud/faults", [])
    arm.call("PUT", "/_localcloud/events", {"url": None, "delay_s": 0})
    assert arm.arm("PUT", VERSION, body).status in (400, 404, 429)
