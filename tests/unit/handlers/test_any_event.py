"""Any event is taken, left to others, or put on the desk with its raw text; no other suffers."""

import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.events import decode
from replication.domain.job import Phase
from replication.intake.events import (
    MAX_BYTES,
    NOTIFIED_WRITTEN,
    RESOURCE_WRITTEN,
    TEMPLATE_EXPORTED,
)
from replication.intake.intake import IntakeResult
from tests.support.any_events import AT, EVENTS, EXPORT, ID, VERSION_TYPE, cloud, grid
from tests.support.builders import version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.horrors import ANY_TEXT, ANY_VALUE, VALUES, every_mutation, mutations
from tests.support.speed import examples
from tests.support.storage.storable import assert_storable, letters_of

ACTIONS = {"queued", "due", "skipped", "ignored", "not_found", "rejected"}


def deliver(world: World, event: Any) -> IntakeResult:
    """Hand an event to the app as the worker library does."""
    converted = EventGridEventInConverter.decode(
        Datum(json.dumps(event), "json"), trigger_metadata=None
    )
    received, raw = decode(converted)
    return world.app.intake.receive(received, raw)


def assert_accounted_for(world: World, taken: IntakeResult) -> None:
    """Check that the event came to an end, nothing is lost, and a healthy job completes."""
    assert taken.action in ACTIONS
    assert taken.reason
    letters = letters_of(world)
    if taken.action == "rejected":
        (letter,) = letters
        assert letter.code == "malformed_event"
        assert letter.cause
        assert json.loads(letter.raw).keys() >= {"id", "type", "subject", "data"}
        assert "Casey" not in letter.raw
    else:
        assert letters == []
    healthy = version_id()
    world.gallery.add(healthy, version_body())
    world.app.intake.receive(written_event(healthy), {})
    world.run()
    assert world.job(healthy).phase is Phase.SUCCEEDED
    assert_storable(world)


@given(event=st.sampled_from(EVENTS).flatmap(mutations))
@settings(max_examples=examples(70))
def test_any_event_is_taken_ignored_or_on_the_desk(event: Any) -> None:
    if not isinstance(event, dict):
        return  # the host refuses what is no object
    # What the library itself refuses has a test of its own.
    for name in ("eventTime", "time"):
        if name in event:
            event[name] = AT
    world = build_world()
    world.gallery.add(version_id(image="broken"), version_body())
    assert_accounted_for(world, deliver(world, event))


def _horrors() -> list[tuple[str, Any]]:
    events = [grid(RESOURCE_WRITTEN), cloud(NOTIFIED_WRITTEN), grid(TEMPLATE_EXPORTED)]
    return [
        (name, event)
        for document in events
        for name, event in every_mutation(document, VALUES)
        if isinstance(event, dict) and event.get("eventTime", event.get("time")) == AT
    ]


@pytest.mark.slow
def test_every_horror_at_every_place_of_an_event_is_taken_ignored_or_on_the_desk() -> None:
    """One world takes them all, so that each event also meets what the others left behind."""
    world = build_world()
    world.gallery.add(version_id(image="broken"), version_body())
    rejected = 0
    for name, event in _horrors():
        before = set(world.letters.letters)
        taken = deliver(world, event)
        assert taken.action in ACTIONS, name
        new = set(world.letters.letters) - before
        assert not (new and taken.action != "rejected"), name
        rejected += taken.action == "rejected"
    assert rejected > 100
    assert_storable(world)
    world.gallery.add(version_id(), version_body())
    world.app.intake.receive(written_event(version_id()), {})
    world.run(steps=10_000)
    assert world.job(version_id()).phase is Phase.SUCCEEDED


@given(fields=st.fixed_dictionaries(dict.fromkeys(("id", "data", "topic"), ANY_VALUE)))
@settings(max_examples=examples(60))
def test_fields_of_any_type_reach_the_app(fields: dict[str, Any]) -> None:
    event = func.EventGridEvent(
        subject=ID,
        event_type=RESOURCE_WRITTEN,
        event_time=datetime(2026, 11, 23, tzinfo=UTC),
        data_version="2",
        **fields,
    )
    world = build_world()
    received, raw = decode(event)
    assert world.app.intake.receive(received, raw).action in ACTIONS
    assert_storable(world)


@given(texts=st.fixed_dictionaries({}, optional=dict.fromkeys(("location", "name"), ANY_TEXT)))
@settings(max_examples=examples(60))
def test_a_home_region_that_is_none_is_asked_for_instead(texts: dict[str, str]) -> None:
    world = build_world()
    world.gallery.add(version_id(image="broken"), version_body())
    details = {"id": ID, "type": VERSION_TYPE, **texts}
    taken = deliver(world, {**grid(NOTIFIED_WRITTEN), "data": {"resourceInfo": details}})
    assert taken.action == "queued"
    assert world.job(version_id(image="broken")).home_region.name == "eastus"


@pytest.mark.parametrize("letter", ["x", "ß", "\u4e2d", "\U0001f300"])
def test_the_size_of_an_event_is_counted_in_bytes_whatever_its_alphabet(letter: str) -> None:
    width = len(letter.encode())
    world = build_world()
    world.gallery.add(version_id(image="broken"), version_body())
    fits = {**EXPORT, "note": letter * ((MAX_BYTES - 2000) // width)}
    assert deliver(world, {**grid(TEMPLATE_EXPORTED), "data": fits}).action == "queued"
    too_large = {**EXPORT, "note": letter * (MAX_BYTES // width + 1)}
    taken = deliver(world, {**grid(TEMPLATE_EXPORTED), "data": too_large})
    assert taken.action == "rejected"
    assert f"more than {MAX_BYTES}" in taken.reason


@pytest.mark.parametrize("time", ["noon", 5, ["x"], "9" * 5000, True])
def test_a_time_that_the_library_cannot_read_never_reaches_the_app(time: Any) -> None:
    """The vendor's converter fails before the function: Event Grid keeps and retries the event."""
    with pytest.raises((ValueError, TypeError)):
        deliver(build_world(), {**grid(RESOURCE_WRITTEN), "eventTime": time})
