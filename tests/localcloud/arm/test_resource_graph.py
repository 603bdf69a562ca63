"""The simulated Resource Graph: machines that a test names, and no query answered by half."""

from typing import Any

import pytest

from tests.support.localcloud.arm import Arm, Reply
from tests.support.localcloud.arm_world import IMAGE, VERSION

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
TYPES = "where type in~ ('microsoft.compute/virtualmachines', 'MICROSOFT.compute/virtualMachines')"
QUERY = (
    f"resources | {TYPES} | project id, vm = tostring(properties.storageProfile.imageReference.id)"
    " | order by id asc"
)
OTHER_SUBSCRIPTION = "5d3f6b5e-9b0c-4f0e-8d9a-0c1b2a3d4e5f"


def ask(arm: Arm, query: str, path: str = PATH, **rest: Any) -> Reply:
    return arm.call("POST", path, {"query": query, **rest})


def tell(arm: Arm, *machines: dict[str, Any]) -> None:
    arm.control("PUT", "machines", {"machines": list(machines)})


def test_without_machines_the_answer_is_empty(arm: Arm) -> None:
    reply = ask(arm, QUERY)
    assert reply.status == 200
    assert reply.body == {
        "totalRecords": 0,
        "count": 0,
        "data": [],
        "facets": [],
        "resultTruncated": "false",
    }
    assert reply.headers["x-ms-user-quota-remaining"] == "14"


def test_each_kind_of_machine_keeps_its_image_where_azure_has_it(arm: Arm) -> None:
    tell(
        arm,
        {"image": VERSION},
        {"image": IMAGE, "kind": "scaleSet", "exact_version": "1.0.0"},
        {"image": IMAGE, "kind": "lab"},
    )
    columns = (
        "type, vm = tostring(properties.storageProfile.imageReference.id), "
        "scale = tostring(properties.virtualMachineProfile.storageProfile.imageReference.id), "
        "exact = tostring("
        "properties.virtualMachineProfile.storageProfile.imageReference.exactVersion), "
        "lab = tostring(properties.virtualMachineProfile.imageReference.id)"
    )
    rows = ask(arm, f"resources | project {columns} | order by type asc").body["data"]
    nothing = {"vm": "", "scale": "", "exact": "", "lab": ""}
    assert rows == [
        {"type": "microsoft.compute/virtualmachines", **nothing, "vm": VERSION},
        {
            "type": "microsoft.compute/virtualmachinescalesets",
            **nothing,
            "scale": IMAGE,
            "exact": "1.0.0",
        },
        {"type": "microsoft.labservices/labs", **nothing, "lab": IMAGE},
    ]
    assert len(ask(arm, QUERY).body["data"]) == 1


def test_a_long_answer_comes_in_pages(arm: Arm) -> None:
    tell(arm, {"image": VERSION, "count": 5})
    seen: list[str] = []
    options: dict[str, Any] = {"$top": 2, "resultFormat": "objectArray"}
    for expected in (2, 2, 1):
        body = ask(arm, QUERY, options=options).body
        assert (body["count"], body["totalRecords"]) == (expected, 5)
        seen += [row["id"] for row in body["data"]]
        options = {**options, "$skipToken": body.get("$skipToken")}
    assert options["$skipToken"] is None
    assert len(set(seen)) == 5


def test_subscriptions_can_be_named(arm: Arm) -> None:
    tell(arm, {"image": VERSION}, {"image": VERSION, "subscription": OTHER_SUBSCRIPTION})
    assert ask(arm, QUERY).body["count"] == 2
    body = ask(arm, QUERY, subscriptions=[OTHER_SUBSCRIPTION.upper()]).body
    assert [OTHER_SUBSCRIPTION in row["id"] for row in body["data"]] == [True]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "resources |",
        "resourcecontainers | project id",
        "resources | summarize count() by type",
        "resources | where name == 'x'",
        "resources | where type in~ (computers)",
        "resources | project",
        "resources | project properties.storageProfile",
        "resources | project a = strcat(name, type)",
        "resources | order by name and more",
        f"{QUERY} | take 5",
    ],
)
def test_a_query_that_is_not_understood_is_refused(arm: Arm, query: str) -> None:
    reply = ask(arm, query)
    assert (reply.status, reply.code) == (400, "BadRequest")
    assert "it knows the table resources" in reply.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": 5}, "request.query"),
        ({"query": QUERY, "subscriptions": "all"}, "request.subscriptions"),
        ({"query": QUERY, "options": {"$top": 1001}}, "options.$top"),
        ({"query": QUERY, "options": {"$skipToken": "x"}}, "$skipToken"),
        ({"query": QUERY, "options": {"resultFormat": "table"}}, "options.resultFormat"),
    ],
)
def test_a_wrong_request_is_refused_by_name(arm: Arm, body: dict[str, Any], said: str) -> None:
    reply = arm.call("POST", PATH, body)
    assert reply.status == 400
    assert said in reply.text


def test_only_known_api_versions_and_post_are_answered(arm: Arm) -> None:
    path = PATH.split("?", maxsplit=1)[0]
    assert ask(arm, QUERY, path=path).code == "MissingApiVersionParameter"
    assert ask(arm, QUERY, path=f"{path}?api-version=2019-01-01").code == (
        "InvalidApiVersionParameter"
    )
    assert arm.call("GET", PATH).status == 405


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ({}, "machines[0].image"),
        ({"image": VERSION, "kind": "phone"}, "machines[0].kind"),
        ({"image": VERSION, "count": 100_001}, "machines[0].count"),
        ({"image": VERSION, "colour": "red"}, "colour"),
    ],
)
def test_machines_that_cannot_be_are_refused(arm: Arm, machine: dict[str, Any], said: str) -> None:
    reply = arm.call("PUT", "/_localcloud/machines", {"machines": [machine]})
    assert reply.status == 400
    assert said in reply.text


def test_a_refused_identity_can_be_played(arm: Arm) -> None:
    rule = {
        "match": {"path": "/providers/Microsoft.ResourceGraph/resources"},
        "fault": {"status": 403, "code": "AuthorizationFailed", "message": "no"},
    }
    arm.control("PUT", "faults", [rule])
    assert ask(arm, QUERY).code == "AuthorizationFailed"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_one_type_can_be_asked_for_in_any_letter_case(arm: Arm, quote: str) -> None:
    tell(arm, {"image": VERSION}, {"image": IMAGE, "kind": "lab"})
    stage = f"where type =~ {quote}Microsoft.Compute/VirtualMachines{quote}"
    (row,) = ask(arm, f"Resources | {stage} | project type").body["data"]
    assert row == {"type": "microsoft.compute/virtualmachines"}
    assert ask(arm, "resources | where type =~ nothing").status == 400
