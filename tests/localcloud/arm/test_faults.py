"""Faults on demand."""

from typing import Any

import pytest

from localcloud.arm.errors import ArmError
from localcloud.arm.faults import Faults
from tests.support.localcloud.arm import Arm, StartArm
from tests.support.localcloud.arm_world import (
    IMAGE,
    VERSION,
    World,
    version_patch,
    version_put,
)


def with_rules(*rules: dict[str, Any], seed: int = 0) -> Faults:
    faults = Faults()
    faults.put({"rules": list(rules), "seed": seed})
    return faults


@pytest.mark.parametrize(
    ("match", "strikes"),
    [
        ({}, True),
        ({"method": "patch"}, True),
        ({"method": "GET"}, False),
        ({"path": "/IMAGES/biology/"}, True),
        ({"path": "*/versions/1.*"}, True),
        ({"path": "*/versions"}, False),
        ({"region": "West US"}, True),
        ({"region": "westus2"}, False),
        ({"method": "PATCH", "path": "versions", "region": "westus"}, True),
    ],
)
def test_a_rule_matches_by_all_that_it_names(match: dict[str, str], *, strikes: bool) -> None:
    faults = with_rules({"match": match, "fault": {"status": 503}})
    assert (faults.for_request("PATCH", VERSION, {"westus"}) is not None) == strikes


def test_a_rule_strikes_as_often_as_it_says() -> None:
    faults = with_rules({"fault": {"status": 503}, "times": 2})
    struck = [faults.for_request("GET", VERSION, ()) is not None for _ in range(4)]
    assert struck == [True, True, False, False]


def test_chance_is_the_same_for_the_same_seed() -> None:
    def struck(seed: int) -> list[bool]:
        faults = with_rules({"fault": {"status": 503}, "probability": 0.5}, seed=seed)
        return [faults.for_request("GET", VERSION, ()) is not None for _ in range(200)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 60 < sum(struck(1)) < 140


@pytest.mark.parametrize(
    ("fault", "status"), [({"retry_after_s": 3}, 429), ({"code": "Broken"}, 500)]
)
def test_a_fault_without_a_status_gets_the_one_that_fits(
    fault: dict[str, object], status: int
) -> None:
    found = with_rules({"fault": fault}).for_request("GET", VERSION, ())
    assert found is not None
    assert found.status == status


def test_the_first_rule_that_strikes_decides() -> None:
    faults = with_rules({"fault": {"status": 500}, "times": 1}, {"fault": {"status": 501}})
    found = [faults.for_request("GET", VERSION, ()) for _ in range(2)]
    assert [one.status for one in found if one] == [500, 501]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ([{"fualt": {}}], "'fualt'; the nearest known one is 'fault'"),
        ([{"fault": {"statis": 1}}], "'statis'; the nearest known one is 'status'"),
        ([{"match": {"regoin": ""}, "fault": {"status": 500}}], "'region'"),
        ([{"fault": {}}], "does nothing"),
        ([{"fault": {"status": 200}}], "between 400 and 599"),
        ([{"fault": {"status": "500"}}], "fault.status"),
        ([{"fault": {"region_state": "Broken"}}], "Completed, Failed, Replicating"),
        ([{"fault": {"region_state": "Failed", "delay_s": 1}}], "two rules"),
        ([{"fault": {"status": 500}, "probability": 2}], "rule.probability"),
        ([{"fault": {"status": 500}, "times": -1}], "rule.times"),
        ([7], "rule is invalid"),
        ("x", "list of rules"),
        ({"rules": {}}, "list of rules"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_is_wrong(raw: object, named: str) -> None:
    faults = with_rules({"fault": {"status": 500}})
    with pytest.raises(ArmError) as refusal:
        faults.put(raw)
    assert refusal.value.status == 400
    assert named in str(refusal.value)
    assert len(faults.rules) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [({"retry_after_s": 3}, 429), ({"code": "Odd"}, 500), ({"delay_s": 1}, None)],
)
def test_a_fault_without_a_status_gets_the_one_that_goes_with_it(
    fault: dict[str, Any], status: int | None
) -> None:
    found = with_rules({"fault": fault}).for_request("GET", VERSION, ())
    assert found is not None
    assert found.status == status


def test_a_stuck_region_never_ends_and_the_others_do(world: World) -> None:
    world.with_version("eastus")
    world.api.faults.put([{"match": {"region": "westus"}, "fault": {"stuck": True}}])
    answer = world.call("PATCH", VERSION, version_patch("eastus", "westus", "westus2"))
    world.seconds += 1e6
    assert world.state() == "Updating"
    states = {region: one["state"] for region, one in world.replicas().items()}
    assert states == {"eastus": "Completed", "westus": "Replicating", "westus2": "Completed"}
    polled = world.poll(answer).body
    assert isinstance(polled, dict)
    assert polled["status"] == "InProgress"


def test_a_stuck_region_ends_when_it_is_dropped_and_added_again(world: World) -> None:
    world.with_version("eastus")
    world.behave(refuse_region_removal=False)
    world.api.faults.put([{"match": {"region": "westus"}, "fault": {"stuck": True}, "times": 1}])
    first = world.call("PATCH", VERSION, version_patch("eastus", "westus"))
    world.seconds += 36_000
    for regions in (["eastus"], ["eastus", "westus"]):
        world.call("PATCH", VERSION, version_patch(*regions))
        world.seconds += 36_000
    assert world.replicas()["westus"]["state"] == "Completed"
    polled = world.poll(first).body
    assert isinstance(polled, dict)
    assert polled["status"] == "Succeeded"


def test_a_copy_fails_only_if_the_request_that_starts_it_matches(world: World) -> None:
    rule = {"match": {"method": "PATCH", "path": "*/versions/2.0.0"}}
    world.api.faults.put([{**rule, "fault": {"region_state": "Failed"}}])
    world.with_version("eastus", "westus")
    assert world.state() == "Succeeded"


def test_a_fault_answers_with_its_status_code_message_and_retry_after(arm: Arm) -> None:
    arm.make_image()
    fault = {"status": 429, "code": "TooMany", "message": "Slowly.", "retry_after_s": 7}
    arm.control("PUT", "faults", [{"match": {"region": "westus"}, "fault": fault, "times": 1}])
    reply = arm.arm("PUT", VERSION, version_put("eastus", "West US"))
    assert (reply.status, reply.headers["Retry-After"]) == (429, "7")
    assert reply.body == {"error": {"code": "TooMany", "message": "Slowly."}}
    assert arm.arm("PUT", VERSION, version_put("eastus", "West US")).status == 201


def test_a_dropped_connection_answers_nothing_and_does_nothing(arm: Arm) -> None:
    arm.make_image()
    arm.control("PUT", "faults", [{"fault": {"drop_connection": True}, "times": 1}])
    with pytest.raises(OSError, match=r"closed|reset"):
        arm.arm("PUT", VERSION, version_put("eastus"))
    assert arm.control("GET", "requests")[-1]["status"] is None
    assert arm.arm("GET", VERSION).status == 404


def test_a_lost_write_is_answered_and_forgotten(arm: Arm) -> None:
    arm.make_image()
    rule = {"match": {"method": "PUT"}, "fault": {"lose_write": True}, "times": 1}
    arm.control("PUT", "faults", [rule])
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    assert arm.arm("GET", VERSION).status == 404
    assert arm.arm("PUT", VERSION, version_put("eastus")).status == 201
    arm.control("PUT", "faults", [{"fault": {"lose_write": True}, "times": 1}])
    assert arm.arm("DELETE", VERSION).status == 202
    assert arm.arm("GET", VERSION).body["properties"]["provisioningState"] == "Creating"


def test_a_delay_holds_back_one_answer_and_not_the_others(start: StartArm) -> None:
    arm = start()
    rule = {"match": {"path": "slow"}, "fault": {"delay_s": 0.2}}
    arm.control("PUT", "faults", [rule])
    slow = IMAGE.replace("Biology", "slow")
    assert arm.arm("GET", slow).status == 404
