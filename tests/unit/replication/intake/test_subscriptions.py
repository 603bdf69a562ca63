"""Whose events are taken: junk of any amount costs no call, no record and no memory."""

import logging
import threading
import time
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest

from replication.azure.arm.clients import MAX_CLIENTS, ArmClients
from replication.azure.arm.locations import MAX_KEPT, ArmCatalogs
from replication.domain.errors import GoneError, TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.policy import ReplicationPolicy
from replication.intake.events import TEMPLATE_EXPORTED, ReceivedEvent
from replication.intake.subscriptions import Subscriptions
from replication.telemetry.metrics import EVENTS
from tests.support.arm.gallery import MemoryGallery
from tests.support.arm.stub import Canned, StubArm, open_clients
from tests.support.builders import SUBSCRIPTION, version_body, version_id, written_event
from tests.support.clock import FakeClock
from tests.support.fakes import World, build_world
from tests.support.recording import record

OTHER = "99999999-2222-3333-4444-555555555555"


def of(subscription: str) -> ImageVersionId:
    return replace(version_id(), subscription_id=subscription)


def sent_by(subscription: str, target: object) -> ReceivedEvent:
    return replace(written_event(str(target)), source=f"/subscriptions/{subscription}")


def watched(world: World) -> list[str]:
    """Return the list to which every question to Azure is added from now on."""
    asked: list[str] = []

    def note(of: Any, name: str) -> None:
        real = getattr(of, name)

        def ask(*given: Any) -> Any:
            asked.append(name)
            return real(*given)

        setattr(of, name, ask)

    for name in ("read", "subscriptions", "versions"):
        note(world.gallery, name)
    note(world.catalogs, "of")
    return asked


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        (OTHER, of(SUBSCRIPTION), f"its source is in subscription '{OTHER}', and its resource in"),
        (SUBSCRIPTION, of(OTHER), f"its source is in subscription '{SUBSCRIPTION}', and its res"),
        (OTHER, of(OTHER), f"subscription '{OTHER}' is none of ALLOWED_SUBSCRIPTIONS"),
        (OTHER, f"{of(OTHER)}.4", f"subscription '{OTHER}' is none of ALLOWED_SUBSCRIPTIONS"),
    ],
)
def test_an_event_of_others_is_refused_before_anything_is_asked_or_kept(
    caplog: pytest.LogCaptureFixture, source: str, target: object, why: str
) -> None:
    caplog.set_level(logging.INFO)
    recording = record()
    world = build_world(telemetry=recording.telemetry)
    world.gallery.add(version_id(), version_body())
    asked = watched(world)
    taken = world.app.intake.receive(sent_by(source, target), {})
    assert (taken.action, taken.reason[: len(why)]) == ("refused", why)
    assert recording.telemetry.tally.figures().counters[EVENTS] == {("refused",): 1}
    assert '"event": "event.refused"' in caplog.text
    assert (asked, world.store.calls, world.queues.waiting) == ([], 0, [])
    assert world.letters.letters == {}


@pytest.mark.parametrize("source", [SUBSCRIPTION.upper(), f"{SUBSCRIPTION}/resourceGroups/labs-rg"])
def test_an_event_of_the_resource_s_own_subscription_is_taken(source: str) -> None:
    world = build_world()
    world.gallery.add(version_id(), version_body())
    assert world.app.intake.receive(sent_by(source, version_id()), {}).action == "queued"


def test_a_topic_of_one_s_own_may_have_a_source_that_names_no_subscription() -> None:
    world = build_world()
    world.gallery.add(version_id(), version_body())
    exported = ReceivedEvent(
        id="export-1",
        type=TEMPLATE_EXPORTED,
        subject="labs/biology-101",
        at=None,
        data={"imageVersionId": str(version_id())},
        source="/labs/biology-101",
    )
    assert world.app.intake.receive(exported, {}).action == "queued"


def test_what_is_not_allowed_is_not_asked_for_by_hand_nor_swept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = build_world()
    world.gallery.bodies[str(of(OTHER)).lower()] = version_body()
    monkeypatch.setattr(world.gallery, "subscriptions", lambda: (OTHER,))
    asked = watched(world)
    taken = world.app.intake.request(of(OTHER), trigger="a test", correlation_id="c")
    assert (taken.action, taken.key) == ("ignored", of(OTHER).key)
    assert "ALLOWED_SUBSCRIPTIONS" in taken.reason
    world.app.sweep.run()
    assert asked == ["subscriptions"]


@pytest.mark.slow
def test_a_hundred_thousand_events_of_as_many_strangers_leave_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    world = build_world()
    world.gallery.add(version_id(), version_body())
    asked = watched(world)

    def send(numbers: range) -> None:
        for number in numbers:
            stranger = f"{number:08x}-2222-3333-4444-555555555555"
            taken = world.app.intake.receive(sent_by(stranger, of(stranger)), {})
            assert taken.action == "refused"

    send(range(80_000))
    tracemalloc.start()
    try:
        send(range(80_000, 100_000))
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 64 * 1024
    assert (asked, world.store.calls, world.letters.letters) == ([], 0, {})
    began = time.perf_counter()
    assert world.app.intake.receive(sent_by(SUBSCRIPTION, version_id()), {}).action == "queued"
    assert time.perf_counter() - began < 1


class Listed(MemoryGallery):
    """A gallery whose list of subscriptions can be set, and is counted."""

    def __init__(self, clock: FakeClock, *names: str) -> None:
        super().__init__(clock)
        self.names_seen: tuple[str, ...] = names
        self.asked = 0

    def subscriptions(self) -> tuple[str, ...]:
        self.asked += 1
        if self.read_failures:
            raise self.read_failures.pop(0)
        return self.names_seen


def test_without_the_setting_those_count_that_the_identity_sees_and_one_call_serves_many() -> None:
    clock = FakeClock()
    gallery = Listed(clock, SUBSCRIPTION.upper())
    seen = Subscriptions(policy=ReplicationPolicy(), gallery=gallery, clock=clock)
    for number in range(500):
        stranger = f"{number:08x}-2222-3333-4444-555555555555"
        assert "is none that the app's identity sees" in str(
            seen.why_refused(sent_by(stranger, of(stranger)))
        )
        assert seen.why_refused(sent_by(SUBSCRIPTION, version_id())) is None
    assert gallery.asked == 1


def test_a_new_subscription_is_seen_soon_and_a_list_that_fails_is_the_last_one() -> None:
    clock = FakeClock()
    gallery = Listed(clock, SUBSCRIPTION)
    seen = Subscriptions(policy=ReplicationPolicy(), gallery=gallery, clock=clock)
    assert seen.why_refused(sent_by(OTHER, of(OTHER))) is not None
    gallery.names_seen = (SUBSCRIPTION, OTHER)
    clock.advance(20)
    gallery.read_failures.append(TransientError("Azure is away"))
    assert seen.why_refused(sent_by(OTHER, of(OTHER))) is not None
    clock.advance(20)
    assert seen.why_refused(sent_by(OTHER, of(OTHER))) is None


def test_without_any_list_an_event_is_to_be_sent_again() -> None:
    clock = FakeClock()
    gallery = Listed(clock, SUBSCRIPTION)
    gallery.read_failures.append(TransientError("Azure is away"))
    seen = Subscriptions(policy=ReplicationPolicy(), gallery=gallery, clock=clock)
    with pytest.raises(TransientError):
        seen.why_refused(sent_by(SUBSCRIPTION, version_id()))


def test_events_that_wait_for_a_list_that_fails_do_not_ask_one_after_the_other() -> None:
    clock = FakeClock()
    gallery = Listed(clock, SUBSCRIPTION)
    gallery.read_failures.append(TransientError("Azure is away"))
    seen = Subscriptions(policy=ReplicationPolicy(), gallery=gallery, clock=clock)
    for number in range(500):
        stranger = f"{number:08x}-2222-3333-4444-555555555555"
        with pytest.raises(TransientError, match="Azure is away"):
            seen.why_refused(sent_by(stranger, of(stranger)))
    assert gallery.asked == 1
    clock.advance(6)
    assert seen.why_refused(sent_by(SUBSCRIPTION, version_id())) is None


def test_a_resource_manager_without_a_list_is_asked_about_each_version_instead() -> None:
    clock = FakeClock()
    gallery = Listed(clock)
    gallery.read_failures.append(GoneError("404: there is no such list"))
    seen = Subscriptions(policy=ReplicationPolicy(), gallery=gallery, clock=clock)
    assert seen.why_refused(sent_by(SUBSCRIPTION, version_id())) is None
    assert seen.why_refused(sent_by(OTHER, version_id())) is not None


def test_of_any_number_of_subscriptions_the_last_are_kept() -> None:
    clients = open_clients("http://127.0.0.1:9")
    catalogs = ArmCatalogs(clients=clients, clock=FakeClock())
    for number in range(2 * MAX_CLIENTS):
        clients.compute(str(number))
    first = clients.compute("0")
    assert len(clients._compute) == MAX_CLIENTS
    assert clients.compute("0") is first
    clients.close()
    for number in range(2 * MAX_KEPT):
        with pytest.raises(TransientError):
            catalogs.of(str(number))
    assert len(catalogs._known) == MAX_KEPT


def test_a_slow_subscription_holds_up_no_other(arm: StubArm, clients: ArmClients) -> None:
    hangs = threading.Event()
    arm.answer("GET", f"/subscriptions/{OTHER}/locations", Canned(status=403, waits_for=hangs))
    arm.answer("GET", f"/subscriptions/{SUBSCRIPTION}/locations", Canned(status=403))
    catalogs = ArmCatalogs(clients=clients, clock=FakeClock())
    slow = threading.Thread(target=catalogs.of, args=(OTHER,))
    slow.start()
    try:
        assert catalogs.of(SUBSCRIPTION) is not None
        assert slow.is_alive()
    finally:
        hangs.set()
        slow.join()
