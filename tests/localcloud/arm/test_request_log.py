"""What the log of requests tells beside the status: faults, the order, and each write."""

import threading

import pytest

from tests.support.localcloud.arm import Arm, StartArm, eventually
from tests.support.localcloud.arm_world import VERSION, version_patch, version_put


@pytest.fixture
def arm(start: StartArm) -> Arm:
    """Give a simulator in which copies take no time, with a version in one region."""
    arm = start(time_scale=1e6)
    arm.make_image()
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    eventually(lambda: "Succeeded" in arm.arm("GET", VERSION).text)
    arm.control("DELETE", "requests")
    return arm


def test_a_write_is_noted_with_the_list_before_it_and_its_own(arm: Arm) -> None:
    arm.arm("PATCH", VERSION, version_patch("eastus", "West US"))
    (entry,) = arm.control("GET", "requests")
    assert entry["write"] == {
        "held": {"eastus": "Completed"},
        "sent": ["eastus", "westus"],
        "will_fail": [],
        "kept": True,
    }
    assert "fault" not in entry
    assert "refusal" not in entry


def test_a_lost_write_and_a_copy_that_is_going_to_fail_are_noted(arm: Arm) -> None:
    lose = {"fault": {"lose_write": True}, "times": 1}
    fail = {"match": {"region": "westus"}, "fault": {"region_state": "Failed"}}
    arm.control("PUT", "faults", [lose, fail])
    for _ in range(2):
        arm.arm("PATCH", VERSION, version_patch("eastus", "westus", "westus2"))
    lost, kept = arm.control("GET", "requests")
    assert (lost["fault"], lost["status"], lost["write"]["kept"]) == ("lose_write", 200, False)
    assert ("fault" in kept, kept["write"]["kept"]) == (False, True)
    assert kept["write"]["will_fail"] == ["westus"]
    assert kept["write"]["held"] == {"eastus": "Completed"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429}, "429"),
        ({"status": 429, "retry_after_s": 1}, "429 with Retry-After"),
        ({"status": 503, "delay_s": 0.01}, "503"),
        ({"delay_s": 0.01}, "delay"),
    ],
)
def test_a_fault_is_noted_by_its_kind(arm: Arm, fault: dict[str, object], kind: str) -> None:
    arm.control("PUT", "faults", [{"fault": fault}])
    arm.arm("GET", VERSION)
    (entry,) = arm.control("GET", "requests")
    assert entry["fault"] == kind


def test_requests_are_numbered_as_they_came_and_as_they_were_carried_out(arm: Arm) -> None:
    slow = {"match": {"method": "PATCH"}, "fault": {"delay_s": 1.0}}
    arm.control("PUT", "faults", [slow])
    writing = threading.Thread(
        target=arm.arm, args=("PATCH", VERSION, version_patch("eastus", "westus"))
    )
    writing.start()
    eventually(lambda: arm.control("GET", "requests"))
    under_way = arm.control("GET", "requests")[0]
    assert (under_way["status"], under_way["done"]) == (None, None)
    arm.arm("GET", VERSION)
    writing.join()
    first, second = arm.control("GET", "requests")
    assert (first["method"], second["method"]) == ("PATCH", "GET")
    assert first["done"] > second["done"]


def test_a_refused_write_is_noted_with_the_words_of_the_refusal(arm: Arm) -> None:
    arm.arm("PATCH", VERSION, version_patch("westus"))
    (entry,) = arm.control("GET", "requests")
    assert entry["refusal"].startswith("InvalidParameter: Gallery image version publishing profile")
    assert "write" not in entry


def test_events_too_can_be_asked_for_from_a_number_on(start: StartArm) -> None:
    arm = start(events_url="http://127.0.0.1:9/nobody")
    arm.make_image()
    first, *_ = eventually(lambda: arm.control("GET", "events"))
    later = arm.control("GET", f"events?since={first['n']}")
    assert first["n"] not in [one["n"] for one in later]
    assert arm.call("GET", "/_localcloud/events?since=x").status == 400
