"""A row is read as it was written or not at all; one that cannot be read stays, and is told of."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from api.schemas.replications import ReplicationDetail, TimelineEntry
from replication.azure.storage.job_store import job_row
from replication.domain.errors import FailureCode, MalformedError, NewerFormatError
from replication.domain.job import (
    Phase,
    ReplicationJob,
)
from replication.records.job_codec import decode_job, encode_job
from tests.support.builders import version_body, written_event
from tests.support.fakes import World, build_world
from tests.support.horrors import DOCUMENTS, VALUES, every_mutation, mutations, places, put
from tests.support.rows import BROKEN, DOCUMENT, HEALTHY, NEWER, UNREADABLE
from tests.support.speed import examples
from tests.support.storage.storable import assert_row, assert_storable, letters_of
from tests.support.strategies import outcome


def _read(text: str) -> ReplicationJob | Exception:
    return outcome(lambda: decode_job(text), MalformedError)


def assert_usable(one: ReplicationJob) -> None:
    """Check that a job which was read can be written again, shown, and kept in the table."""
    assert decode_job(encode_job(one)) == one
    timeline = [TimelineEntry.of(entry) for entry in one.entries]
    json.dumps(ReplicationDetail.of(one, history=timeline).document(), allow_nan=False)
    assert_row(job_row(one))


@pytest.mark.slow
def test_every_horror_at_every_place_of_a_row_is_malformed_or_harmless() -> None:
    refused = 0
    for name, document in every_mutation(DOCUMENT, VALUES):
        read = _read(json.dumps(document))
        if isinstance(read, Exception):
            assert 10 < len(str(read)) < 500, name
            refused += 1
        else:
            assert_usable(read)
    assert refused > 1500


@given(document=mutations(DOCUMENT))
@settings(max_examples=examples(150))
def test_a_row_with_anything_wrong_is_malformed_or_harmless(document: Any) -> None:
    read = _read(json.dumps(document))
    if isinstance(read, Exception):
        assert str(read).startswith("the record ")
    else:
        assert_usable(read)


def _retyped(value: Any) -> list[Any]:
    match value:
        case bool():
            return [0, 1, "false", "true", "", []]
        case int():
            return [str(value), float(value), value + 0.5, -1, True, 2**53 + 1, 10**4000, "", []]
        case str():
            return [0, 1, True, False, [value], {"value": value}]
        case list():
            return [{}, "", 0, False, "[]", [[]], [5], [None]]
        case _:
            return ["{}", 5, True, [[]]]


def _changed_types() -> list[tuple[str, Any]]:
    found = []
    for place in places(DOCUMENT):
        value: Any = DOCUMENT
        for key in place:
            value = value[key]
        if place[:1] == ("entries",) and "details" in place:
            continue  # free in form
        found += [("/".join(map(str, place)), put(DOCUMENT, place, one)) for one in _retyped(value)]
    return found


def test_a_value_of_another_type_is_refused_and_never_converted() -> None:
    changed = _changed_types()
    read = [
        name
        for name, document in changed
        if not isinstance(_read(json.dumps(document)), MalformedError)
    ]
    # A trace that cannot be read costs the trace and never the job.
    assert [name for name in read if not name.startswith("traceparent")] == []
    assert len(changed) > 400


@pytest.mark.parametrize("version", [None, True, 0, -1, 1.0, 2.0, "1", "2", [], {}])
def test_a_format_version_that_is_none_is_named(version: Any) -> None:
    with pytest.raises(MalformedError, match="no format version 'v'") as raised:
        decode_job(json.dumps({**DOCUMENT, "v": version}))
    assert not isinstance(raised.value, NewerFormatError)


@pytest.mark.parametrize("version", [2, 3, 2**31, 2**64])
def test_a_newer_format_is_told_apart_whatever_else_the_row_holds(version: int) -> None:
    others: list[dict[str, Any]] = [{}, DOCUMENT, {"job": []}]
    for rest in others:
        with pytest.raises(NewerFormatError, match=f"has format {version}, this release reads 1"):
            decode_job(json.dumps({**rest, "v": version}))


def test_the_first_moment_of_all_is_no_moment_in_utc() -> None:
    with pytest.raises(MalformedError):
        decode_job(json.dumps({**DOCUMENT, "observed_at": "0001-01-01T00:00:00+23:59"}))


def break_row(text: str) -> World:
    """Return a world with one row that cannot be read, and a healthy job whose message was lost."""
    world = build_world()
    for version in (BROKEN, HEALTHY):
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    world.queues.waiting.clear()
    world.store.rows[BROKEN.key] = (text, 77)
    world.clock.advance(3600)
    return world


@pytest.mark.parametrize("text", UNREADABLE, ids=range(len(UNREADABLE)))
def test_the_sweep_tells_of_a_row_that_cannot_be_read_and_goes_on(text: str) -> None:
    world = break_row(text)
    report = world.app.sweep.run()
    assert [one.image_version_id for one in report.findings] == [HEALTHY]
    assert any(BROKEN.key in error or str(BROKEN) in error for error in report.errors)
    world.run()
    assert world.job(HEALTHY).phase is Phase.SUCCEEDED
    assert world.store.rows[BROKEN.key] == (text, 77)


def test_a_sweep_that_finds_many_broken_rows_still_mends_the_healthy_ones() -> None:
    world = build_world()
    for number, text in enumerate(UNREADABLE):
        world.store.rows[f"{number:032x}"] = (text, number)
    broken = dict(world.store.rows)
    world.gallery.add(HEALTHY, version_body())
    world.app.sweep.run()
    world.run()
    assert world.job(HEALTHY).phase is Phase.SUCCEEDED
    assert {key: world.store.rows[key] for key in broken} == broken


@pytest.mark.parametrize("text", [text for text in UNREADABLE if text != NEWER][::4])
def test_an_event_about_a_row_that_cannot_be_read_is_on_the_desk(text: str) -> None:
    world = break_row(text)
    taken = world.app.intake.receive(written_event(BROKEN), {"id": "event-1", "data": {}})
    assert taken.action == "rejected"
    (letter,) = letters_of(world)
    assert json.loads(letter.raw) == {"id": "event-1", "data": {}}
    assert "the record" in letter.cause
    assert world.store.rows[BROKEN.key] == (text, 77)
    del world.store.rows[BROKEN.key]
    assert_storable(world)


def test_an_event_about_a_row_of_a_newer_release_is_left_to_the_newer_app() -> None:
    world = break_row(NEWER)
    with pytest.raises(NewerFormatError):
        world.app.intake.receive(written_event(BROKEN), {})
    assert world.store.rows[BROKEN.key] == (NEWER, 77)
    assert world.letters.letters == {}


def test_the_desk_keeps_nothing_that_a_table_would_refuse() -> None:
    world = build_world()
    for text in DOCUMENTS:
        world.app.desk.message(
            text, queue="q", attempts=1, code=FailureCode.MALFORMED_MESSAGE, cause=text[:1000]
        )
    assert_storable(world)
