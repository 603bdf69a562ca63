"""The simulator's own calls, and what its HTTP side adds."""

import socket
import threading
import time
from dataclasses import asdict
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.arm.behaviour import Behaviour
from localcloud.arm.server import start_arm
from tests.support.localcloud.arm import Arm, Loop, StartArm
from tests.support.localcloud.arm_world import (
    GALLERY,
    IMAGE,
    SUBSCRIPTION,
    VERSION,
    version_patch,
    version_put,
)


def test_every_arm_request_is_logged_and_no_call_of_our_own(arm: Arm) -> None:
    arm.control("GET", "health")
    arm.arm("GET", f"{VERSION}?$expand=ReplicationStatus")
    arm.call("GET", "/nowhere")
    first, second = arm.control("GET", "requests")
    at, refusal = first.pop("at"), first.pop("refusal")
    assert first == {
        "n": 1,
        "method": "GET",
        "path": VERSION,
        "query": {"$expand": "ReplicationStatus", "api-version": "2026-03-03"},
        "status": 404,
        "done": 1,
    }
    assert refusal == "ResourceGroupNotFound: Resource group 'Labs-RG' could not be found."
    assert at.endswith("+00:00")
    assert (second["path"], second["status"]) == ("/nowhere", 400)
    assert [one["n"] for one in arm.control("GET", "requests?since=1")] == [2]
    arm.control("DELETE", "requests")
    assert arm.control("GET", "requests") == []
    arm.arm("GET", VERSION)
    assert [one["n"] for one in arm.control("GET", "requests")] == [3]


def test_the_clock_goes_on_from_where_it_is_at_another_speed(start: StartArm) -> None:
    arm = start(time_scale=1)
    arm.make_image()
    arm.arm("PUT", VERSION, version_put("eastus"))

    def progress() -> int:
        body = arm.arm("GET", f"{VERSION}?$expand=ReplicationStatus").body
        return int(body["properties"]["replicationStatus"]["summary"][0]["progress"])

    seen = [progress()]
    for scale in (1000, 0.001, 5000, 1, 1e6):
        arm.control("PUT", "clock", {"scale": scale})
        seen.append(progress())
        time.sleep(0.01)
        seen.append(progress())
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 100)


def test_a_faster_clock_ends_at_once_what_was_waiting_for_its_end(start: StartArm) -> None:
    arm = start(time_scale=1)
    arm.make_image()
    written = arm.arm("PUT", VERSION, version_put("eastus"))
    operation = written.headers["Azure-AsyncOperation"].removeprefix(arm.url)
    assert arm.call("GET", operation).body["status"] == "InProgress"
    arm.control("PUT", "clock", {"scale": 1e6})
    assert arm.call("GET", operation).body["status"] == "Succeeded"


def test_a_region_s_speed_availability_and_zones_can_be_set(arm: Arm) -> None:
    told = {"minutes_per_gb": 0, "available": True, "zrs": True}
    assert arm.control("PUT", "regions/Austria%20East", told) == {
        "region": "austriaeast",
        "minutes_per_gb": 0.0,
        "available": True,
        "zrs": True,
    }
    arm.control("PUT", "clock", {"scale": 1e6})
    arm.make_image()
    arm.arm("PUT", VERSION, version_put("eastus"))
    zoned = {"name": "austriaeast", "storageAccountType": "Standard_ZRS"}
    assert arm.arm("PATCH", VERSION, version_patch("eastus", zoned)).status == 200
    arm.control("PUT", "regions/westus", {"available": False})
    refused = arm.arm("PATCH", VERSION, version_patch("eastus", zoned, "westus"))
    assert refused.code == "LocationNotAvailableForResourceType"


@pytest.mark.parametrize(
    ("call", "body", "named"),
    [
        ("clock", {"scael": 1}, "'scael'; the nearest known one is 'scale'"),
        ("clock", {}, "clock.scale"),
        ("clock", {"scale": 0}, "clock.scale"),
        ("clock", [], "clock is invalid"),
        ("regions/westus", {"zones": True}, "'zones'; the nearest known one is"),
        ("regions/westus", {"minutes_per_gb": -1}, "region.minutes_per_gb"),
        ("behaviour", {"concurrent_writes": "lose"}, "nearest known one is 'concurrent_write'"),
        ("behaviour", {"concurrent_write": "fight"}, "one of accept, conflict, lose"),
        ("behaviour", {"list_page_size": 0}, "behaviour.list_page_size"),
        ("events", {"duplicates": 1}, "nearest known one is 'duplicate'"),
        ("faults", [{"matches": {}}], "nearest known one is 'match'"),
    ],
)
def test_a_wrong_body_is_refused_with_what_is_wrong(
    arm: Arm, call: str, body: object, named: str
) -> None:
    reply = arm.call("PUT", f"/_localcloud/{call}", body)
    assert reply.status == 400
    assert named in reply.body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "call", "status"),
    [
        ("GET", "nothing", 404),
        ("POST", "clock", 404),
        ("PUT", "regions/atlantis", 404),
        ("GET", "requests?since=x", 400),
        ("PUT", "clock", 400),
    ],
)
def test_a_wrong_call_is_refused_and_not_logged(
    arm: Arm, method: str, call: str, status: int
) -> None:
    assert arm.call(method, f"/_localcloud/{call}", b"{").status == status
    assert arm.control("GET", "requests") == []


def test_what_is_not_sent_to_a_switch_stays(arm: Arm) -> None:
    arm.control("PUT", "behaviour", {"list_page_size": 7})
    arm.control("PUT", "behaviour", {"concurrent_write": "lose"})
    assert arm.control("PUT", "behaviour", {}) == {
        "refuse_region_removal": True,
        "concurrent_write": "lose",
        "put_over_hidden": "refuse",
        "restored_published_date": "kept",
        "summary_region_names": "short",
        "list_page_size": 7,
        "price_page_size": 1000,
        "throttling": True,
        "unknown_resources": "exist",
        "new_regions_need_source": True,
        "authorization": False,
    }


def test_every_switch_can_be_set_as_it_is(arm: Arm) -> None:
    switches = asdict(Behaviour())
    assert arm.control("PUT", "behaviour", switches) == switches


def test_a_body_that_is_too_large_is_refused(arm: Arm) -> None:
    arm.make_image()
    reply = arm.arm("PUT", VERSION, b" " * (4 * 1024 * 1024 + 1))
    assert (reply.status, reply.code) == (413, "RequestContentTooLarge")


def test_single_answers_say_that_they_are_json_and_come_with_crlf(arm: Arm) -> None:
    arm.make_image()
    reply = arm.arm("GET", IMAGE)
    assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
    assert reply.text.startswith("{\r\n  ")


def test_a_delete_has_no_body_at_all(arm: Arm) -> None:
    arm.make_group()
    arm.arm("PUT", GALLERY, {"location": "eastus"})
    reply = arm.arm("DELETE", GALLERY)
    assert (reply.status, reply.text) == (202, "")


def test_links_name_the_host_that_the_caller_used(arm: Arm) -> None:
    arm.make_image()
    arm.control("PUT", "behaviour", {"list_page_size": 1})
    for n in range(2):
        arm.arm("PUT", f"{IMAGE}/versions/1.0.{n}", version_put("eastus"))
    path = f"{IMAGE}/versions?api-version=2026-03-03"
    named = arm.call("GET", path, Host="arm.lab.test:99").body["nextLink"]
    assert named.startswith("http://arm.lab.test:99/subscriptions/")
    odd = arm.call("GET", path, Host="no such host/").body["nextLink"]
    assert odd.startswith(f"{arm.url}/subscriptions/")


def test_prices_are_served_and_only_read(arm: Arm) -> None:
    snapshots = "armRegionName%20eq%20'westeurope'%20and%20skuName%20eq%20'Snapshots%20LRS'"
    found = arm.call("GET", f"/api/retail/prices?$filter={snapshots}")
    assert (found.status, found.body["Count"]) == (200, 3)
    assert arm.call("GET", "/api/retail/prices?$filter=x").status == 400
    assert arm.call("POST", "/api/retail/prices", {}).status == 405


def test_thousands_of_versions_are_created_and_listed(start: StartArm) -> None:
    arm = start(time_scale=1e6)
    arm.control("PUT", "behaviour", {"throttling": False, "list_page_size": 500})
    arm.make_image()
    body = version_put("eastus")

    def put(first: int) -> None:
        for n in range(first, first + 500):
            assert arm.arm("PUT", f"{IMAGE}/versions/1.0.{n}", body).status == 201

    workers = [threading.Thread(target=put, args=(n * 500,)) for n in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    names: list[str] = []
    page: dict[str, Any] = arm.arm("GET", f"{IMAGE}/versions").body
    names += [one["name"] for one in page["value"]]
    while "nextLink" in page:
        page = arm.call("GET", page["nextLink"].removeprefix(arm.url)).body
        names += [one["name"] for one in page["value"]]
    assert len(set(names)) == len(names) == 2_000


def test_a_port_that_is_taken_is_an_error_of_the_system(loop: Loop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            loop.run(start_arm(port=port, time_scale=1, events_url=None))


def test_the_address_is_told_with_its_port_and_no_slash(loop: Loop) -> None:
    running = loop.run(start_arm(port=0, time_scale=1, events_url=None))
    try:
        assert running.url == f"http://127.0.0.1:{running.port}"
        assert urlsplit(running.url).port == running.port
        health = Arm(running.url).call("GET", "/_localcloud/health")
        assert (health.status, health.body["status"]) == (HTTPStatus.OK, "ok")
    finally:
        loop.run(running.stop())
    assert SUBSCRIPTION not in running.url
