"""Resource Graph through the app's clients: pages, pauses, and answers that mean something else."""

from dataclasses import dataclass, field

import pytest

from costs.azure.resource_graph import ResourceGraph
from costs.ports import Machine
from replication.azure.arm.clients import ArmClients
from replication.domain.errors import FailureCode, PermanentError, ThrottledError, TransientError
from tests.support.arm.stub import Canned, StubArm
from tests.support.builders import version_id

PATH = "/providers/Microsoft.ResourceGraph/resources"
VM = "microsoft.compute/virtualmachines"
SET = "microsoft.compute/virtualmachinescalesets"
LAB = "microsoft.labservices/labs"
VERSION = str(version_id())


@dataclass
class Pauses:
    taken_s: list[float] = field(default_factory=list)

    def __call__(self, pause_s: float) -> None:
        self.taken_s.append(pause_s)


def throttled(retry_after: str) -> Canned:
    error = {"error": {"code": "RateLimiting", "message": "slow down"}}
    return Canned(status=429, body=error, headers={"Retry-After": retry_after})


def rows(*data: object, **rest: object) -> Canned:
    return Canned(body={"totalRecords": len(data), "count": len(data), "data": data} | rest)


def test_every_kind_of_machine_is_read_page_by_page(arm: StubArm, clients: ArmClients) -> None:
    arm.answer(
        "POST",
        PATH,
        rows({"type": VM, "vmImage": VERSION, "setImage": ""}, **{"$skipToken": "more"}),
        rows(
            {"type": SET, "setImage": "definition", "setVersion": "1.0.0"},
            {"type": LAB, "labImage": VERSION, "labVersion": None},
            resultTruncated="false",
        ),
    )
    assert list(ResourceGraph(clients).all()) == [
        Machine(kind=VM, image=VERSION),
        Machine(kind=SET, image="definition", exact_version="1.0.0"),
        Machine(kind=LAB, image=VERSION),
    ]
    first, second = arm.asked
    assert first.query == {"api-version": ["2022-10-01"]}
    assert first.json["options"] == {"$top": 1000, "resultFormat": "objectArray"}
    assert second.json["options"]["$skipToken"] == "more"
    assert "order by id asc" in first.json["query"]
    assert "subscriptions" not in first.json


def test_a_short_pause_is_waited_for(arm: StubArm, clients: ArmClients) -> None:
    arm.answer("POST", PATH, throttled("3"), rows())
    pauses = Pauses()
    assert list(ResourceGraph(clients, pauses).all()) == []
    assert pauses.taken_s == [3.0]


def test_a_long_pause_is_not(arm: StubArm, clients: ArmClients) -> None:
    arm.answer("POST", PATH, throttled("3600"))
    pauses = Pauses()
    with pytest.raises(ThrottledError):
        list(ResourceGraph(clients, pauses).all())
    assert pauses.taken_s == []


def test_a_service_that_never_has_time_is_not_asked_for_ever(
    arm: StubArm, clients: ArmClients
) -> None:
    arm.answer("POST", PATH, throttled("1"))
    pauses = Pauses()
    with pytest.raises(ThrottledError):
        list(ResourceGraph(clients, pauses).all())
    assert len(pauses.taken_s) == 20


def test_a_refusal_is_not_authorised(arm: StubArm, clients: ArmClients) -> None:
    error = {"error": {"code": "AuthorizationFailed", "message": "no"}}
    arm.answer("POST", PATH, Canned(status=403, body=error))
    with pytest.raises(PermanentError) as raised:
        list(ResourceGraph(clients).all())
    assert raised.value.code is FailureCode.NOT_AUTHORISED


@pytest.mark.parametrize(
    "canned",
    [
        Canned(body="<html>"),
        Canned(body=[]),
        Canned(body={"count": 0}),
        Canned(body={"data": "none"}),
        rows("no object"),
        rows({"type": VM}, resultTruncated="true"),
        Canned(drop=True),
        Canned(status=500, body={}),
    ],
)
def test_an_answer_that_is_none_or_not_whole_is_a_failure(
    arm: StubArm, clients: ArmClients, canned: Canned
) -> None:
    arm.answer("POST", PATH, canned)
    with pytest.raises(TransientError):
        list(ResourceGraph(clients).all())


def test_an_answer_that_never_ends_is_not_followed_for_ever(
    arm: StubArm, clients: ArmClients
) -> None:
    arm.answer("POST", PATH, rows({"type": VM}, **{"$skipToken": "again"}))
    with pytest.raises(TransientError, match="more than 3 pages"):
        list(ResourceGraph(clients, max_pages=3).all())
    assert len(arm.asked) == 3


def test_json_that_is_too_deep_to_read_is_a_failure(arm: StubArm, clients: ArmClients) -> None:
    arm.answer("POST", PATH, Canned(body="[" * 100_000))
    with pytest.raises(TransientError):
        list(ResourceGraph(clients).all())


def test_texts_that_are_none_count_as_no_image(arm: StubArm, clients: ArmClients) -> None:
    arm.answer("POST", PATH, rows({"type": 5, "vmImage": ["x"], "setVersion": {}}))
    assert list(ResourceGraph(clients).all()) == [Machine(kind="", image="")]
