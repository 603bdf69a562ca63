"""Events: their shape, and how they are delivered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from localcloud.arm.errors import ArmError
from localcloud.arm.event_bodies import Change, event_body
from localcloud.arm.events import RETRY_S, EventGrid, pause_s
from tests.support.localcloud.arm import Arm, Loop, StartArm, eventually
from tests.support.localcloud.arm_world import VERSION, missing, sample, version_put

WRITE = "eventgrid_azure-docs_event-schema-resource-groups_ResourceWriteSuccess_EventGridSchema"
DELETE = "eventgrid_azure-docs_event-schema-subscriptions_ResourceDeleteSuccess_EventGridSchema"


def change(method: str = "PUT", *, is_new: bool = True) -> Change:
    return Change(
        resource_id=VERSION,
        method=method,
        is_new=is_new,
        api_version="2026-03-03",
        correlation_id="c0ffee",
    )


@pytest.mark.parametrize(("name", "method"), [(WRITE, "PUT"), (DELETE, "DELETE")])
def test_an_event_has_every_field_of_the_documented_one(name: str, method: str) -> None:
    (documented,) = sample(f"{name}.json")
    event = event_body(change(method), "eventgrid")
    assert missing(documented, event) == []
    assert set(event) == set(documented)
    assert set(event["data"]) == set(documented["data"])
    assert event["eventType"] == documented["eventType"]
    assert set(event["data"]["claims"]) == set(documented["data"]["claims"])


def test_a_write_spells_resource_groups_in_lower_case_and_a_delete_does_not() -> None:
    write, delete = (event_body(change(one), "eventgrid") for one in ("PUT", "DELETE"))
    assert "/resourcegroups/" in write["subject"]
    assert delete["data"]["resourceUri"] == VERSION
    assert write["subject"].lower() == VERSION.lower()


def test_the_claims_name_a_person_whom_an_app_must_not_keep() -> None:
    claims = event_body(change(), "eventgrid")["data"]["claims"]
    assert claims["name"] == "Casey Teacher"
    assert any(key.endswith("/upn") for key in claims)
    assert "ipaddr" in claims


def test_only_an_update_and_a_delete_tell_the_request() -> None:
    created = event_body(change(), "eventgrid")["data"]
    updated = event_body(change("PATCH", is_new=False), "eventgrid")["data"]
    assert "httpRequest" not in created
    assert updated["httpRequest"]["method"] == "PATCH"


def test_cloud_events_carry_the_same_data_under_other_names() -> None:
    event = event_body(change(), "cloudevents")
    assert set(event) == {"id", "source", "subject", "type", "time", "data", "specversion"}
    assert event["type"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["data"] == event_body(change(), "eventgrid")["data"]


def test_the_pauses_are_the_documented_ones_and_end_after_thirty_attempts() -> None:
    assert [pause_s(n, 500) for n in range(1, 11)] == list(RETRY_S)
    assert (pause_s(29, 500), pause_s(30, 500)) == (43_200, None)
    assert [pause_s(1, status) for status in (404, 408, 503, None)] == [300, 120, 30, 10]
    assert [pause_s(1, status) for status in (400, 401, 403, 413)] == [None] * 4


@dataclass(slots=True)
class Receiver:
    """A webhook that answers as it is told, 200 in the end."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    busy: int = 0
    busiest: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        body = json.loads(await request.read())
        await asyncio.sleep(0.005)
        self.busy -= 1
        self.got.append((dict(request.headers), body))
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
def receiver(loop: Loop) -> Iterator[Receiver]:
    context = receiving()
    yield loop.run(context.__aenter__())
    loop.run(context.__aexit__(None, None, None))


def types_of(receiver: Receiver) -> list[str]:
    return [event["eventType"].rsplit(".", 1)[1] for _, (event,) in receiver.got]


def some(count: int, receiver: Receiver) -> Callable[[], bool]:
    return lambda: len(receiver.got) >= count


def test_a_version_is_told_when_accepted_at_its_end_and_when_it_is_gone(
    start: StartArm, receiver: Receiver
) -> None:
    arm = start(time_scale=5_000, events_url=receiver.url)
    arm.make_image()
    eventually(some(2, receiver))
    receiver.got.clear()
    arm.arm("PUT", VERSION, version_put("eastus", "westus"))
    eventually(some(2, receiver))
    (headers, (first,)), (_, (last,)) = receiver.got
    assert first["data"]["correlationId"] == last["data"]["correlationId"]
    assert first["id"] != last["id"]
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-delivery-count"] == "0"
    arm.arm("DELETE", VERSION)
    eventually(some(3, receiver))
    assert types_of(receiver) == [
        "ResourceWriteSuccess",
        "ResourceWriteSuccess",
        "ResourceDeleteSuccess",
    ]


def test_a_delivery_that_fails_is_tried_again_until_it_is_taken(
    start: StartArm, receiver: Receiver
) -> None:
    arm = start(time_scale=1_000)
    receiver.answers = [500, 503, 404]
    arm.control("PUT", "events", {"url": receiver.url, "when": "accept"})
    arm.make_group()
    assert arm.arm("PUT", VERSION.split("/images")[0], {"location": "eastus"}).status == 201
    eventually(some(4, receiver))
    assert [one["aeg-delivery-count"] for one, _ in receiver.got] == ["0", "1", "2", "3"]
    assert len({event["id"] for _, (event,) in receiver.got}) == 1
    log = eventually(lambda: found if len(found := arm.control("GET", "events")) == 4 else None)
    assert [(one["attempt"], one["status"], one["outcome"]) for one in log] == [
        (1, 500, "retry"),
        (2, 503, "retry"),
        (3, 404, "retry"),
        (4, 200, "delivered"),
    ]
    assert log[0]["event"]["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"


def test_a_delivery_that_cannot_be_mended_is_given_up(arm: Arm, receiver: Receiver) -> None:
    receiver.answers = [400]
    arm.control("PUT", "events", {"url": receiver.url})
    arm.make_group()
    arm.arm("PUT", VERSION.split("/images")[0], {"location": "eastus"})
    (entry,) = eventually(lambda: list(arm.control("GET", "events")))
    assert (entry["status"], entry["outcome"]) == (400, "given_up")


def test_nobody_listening_never_holds_back_an_answer_and_stops_cleanly(start: StartArm) -> None:
    arm = start(events_url="http://127.0.0.1:9/hook")
    arm.make_image()
    found = eventually(lambda: list(arm.control("GET", "events")))
    assert (found[0]["status"], found[0]["outcome"]) == (None, "retry")
    assert "ClientConnectorError" in found[0]["error"]


def test_cloud_events_are_delivered_as_a_batch_of_one(arm: Arm, receiver: Receiver) -> None:
    arm.control("PUT", "events", {"url": receiver.url, "schema": "cloudevents"})
    arm.make_group()
    arm.arm("PUT", VERSION.split("/images")[0], {"location": "eastus"})
    eventually(some(1, receiver))
    headers, (event,) = receiver.got[0]
    assert headers["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8"
    assert event["specversion"] == "1.0"


def test_events_are_duplicated_shuffled_and_lost_as_told(arm: Arm, receiver: Receiver) -> None:
    gallery = VERSION.split("/images")[0]
    told = {"url": receiver.url, "duplicate": 2, "shuffle": True, "delay_s": 0.01}
    arm.control("PUT", "events", told)
    arm.make_group()
    for n in range(4):
        arm.arm("PUT", f"{gallery}{n}", {"location": "eastus"})
    eventually(some(12, receiver))
    subjects = [event["subject"] for _, (event,) in receiver.got]
    assert subjects != sorted(subjects)
    assert {subjects.count(one) for one in subjects} == {3}
    arm.control("PUT", "events", {"lose_probability": 1.0})
    arm.arm("PUT", f"{gallery}9", {"location": "eastus"})
    assert arm.control("GET", "events")[-1]["outcome"] == "lost"


def test_deliveries_run_side_by_side_but_not_all_at_once(loop: Loop, receiver: Receiver) -> None:
    async def publish_many() -> None:
        grid = EventGrid(lambda simulated_s: simulated_s)
        grid.configure({"url": receiver.url})
        for _ in range(100):
            grid.publish(change())
        while len(grid.log) < 100:  # noqa: ASYNC110 - the grid has no event to wait for
            await asyncio.sleep(0.01)
        await grid.stop()

    loop.run(publish_many())
    assert len(receiver.got) == 100
    assert 1 < receiver.busiest <= 32


@pytest.mark.parametrize(
    "raw",
    [
        {"duplicates": 1},
        {"duplicate": -1},
        {"shuffle": 1},
        {"lose_probability": 1.5},
        {"schema": "xml"},
        {"url": "ftp://x"},
        {"when": "never"},
        [],
    ],
)
def test_a_wrong_way_to_deliver_is_refused(raw: object) -> None:
    with pytest.raises(ArmError) as refusal:
        EventGrid(lambda simulated_s: simulated_s).configure(raw)
    assert refusal.value.status == 400
