"""The events' document is true: every example goes through the vendor's converter and ours."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from handlers.events import decode
from replication.domain.errors import FailureCode, MalformedError
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Failure, Phase, Replica, ReplicaState, ReplicationJob, Schedule
from replication.domain.regions import Region
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.region_health import region_held_back, region_released
from replication.intake.events import (
    NOTIFIED_DELETED,
    NOTIFIED_WRITTEN,
    RESOURCE_DELETED,
    RESOURCE_WRITTEN,
    TEMPLATE_EXPORTED,
    NotForUs,
    VersionDeleted,
    VersionWritten,
    read_event,
)
from replication.reconcile.outcome_events import outcome_events
from tests.support.builders import NOON, SUBSCRIPTION
from tests.support.documents import DOCS, Block, blocks, table_rows
from tests.support.http.server import running_topic

DOCUMENT = DOCS / "events.md"
EXAMPLES = blocks(DOCUMENT, "json")
TAKEN = "Events that the app takes"
IGNORED = "Events that are ignored"
REJECTED = "Events that are rejected"
PUBLISHED = "Events that the app publishes"
VERSION_ID = ImageVersionId(
    subscription_id=SUBSCRIPTION,
    resource_group="labs-rg",
    gallery="labgallery",
    image="biology-101",
    version="1.0.0",
)


def _under(heading: str) -> list[Block]:
    return [example for example in EXAMPLES if heading in example.headings]


def _event(body: object) -> func.EventGridEvent | func.CloudEvent:
    """Return what the runtime hands to the function."""
    datum = Datum(json.dumps(body), "json")
    return EventGridEventInConverter.decode(datum, trigger_metadata=None)


def _read(body: object) -> VersionWritten | VersionDeleted | NotForUs:
    received, _ = decode(_event(body))
    return read_event(received)


def _title(example: Block) -> str:
    schema = "cloudevents" if "specversion" in example.text else "eventgrid"
    return f"{example.headings[-1]} {schema}"


def test_every_example_stands_in_one_of_the_four_chapters() -> None:
    sorted_out = [*_under(TAKEN), *_under(IGNORED), *_under(REJECTED), *_under(PUBLISHED)]
    assert sorted_out == EXAMPLES


@pytest.mark.parametrize("example", _under(TAKEN), ids=_title)
def test_an_example_that_the_app_takes_is_about_the_version_of_the_document(example: Block) -> None:
    body = json.loads(example.text)
    read = _read(body)
    assert isinstance(read, VersionWritten | VersionDeleted)
    assert read.image_version_id.key == VERSION_ID.key
    assert isinstance(read, VersionDeleted) == read.trigger.lower().endswith(
        ("deleted", "deletesuccess")
    )
    assert read.at is not None
    assert read.correlation_id == body["data"].get("correlationId", body["id"])
    if isinstance(read, VersionWritten):
        info = body["data"].get("resourceInfo", body["data"])
        assert read.home_region == info.get("location")


def test_both_schemas_are_shown_for_every_kind_of_event() -> None:
    shown: dict[str, set[bool]] = {}
    for example in _under(TAKEN):
        shown.setdefault(example.headings[-1], set()).add("specversion" in example.text)
    assert list(shown.values()) == [{True, False}] * 3


def test_the_table_names_exactly_the_types_that_the_app_takes() -> None:
    named = {row[0].strip("`") for row in table_rows(DOCUMENT) if "." in row[0]}
    assert named == {
        RESOURCE_WRITTEN,
        RESOURCE_DELETED,
        NOTIFIED_WRITTEN,
        NOTIFIED_DELETED,
        TEMPLATE_EXPORTED,
    }


@pytest.mark.parametrize("example", [*_under(IGNORED), *_under(PUBLISHED)], ids=_title)
def test_an_example_of_another_event_is_ignored_with_a_reason(example: Block) -> None:
    read = _read(json.loads(example.text))
    assert isinstance(read, NotForUs)
    assert read.reason


@pytest.mark.parametrize("example", _under(REJECTED), ids=_title)
def test_an_example_of_a_rejected_event_is_refused(example: Block) -> None:
    with pytest.raises(MalformedError, match="latest"):
        _read(json.loads(example.text))


def test_an_event_whose_time_cannot_be_parsed_does_not_reach_the_app() -> None:
    body = {**json.loads(_under(TAKEN)[0].text), "eventTime": "yesterday"}
    with pytest.raises(ValueError, match="yesterday"):
        _event(body)


def _finished(phase: Phase, failure: Failure | None) -> ReplicationJob:
    replicas = tuple(
        Replica(
            region=Region(name),
            state=ReplicaState.COMPLETED,
            reason="Completed",
            managed=True,
            planned_at=NOON,
        )
        for name in ("westus", "westus2")
    )
    if failure is not None:
        replicas = (replicas[0], replace(replicas[1], state=ReplicaState.FAILED))
    return ReplicationJob(
        image_version_id=VERSION_ID,
        phase=phase,
        reason="why",
        trigger="test",
        correlation_id="build-4711",
        home_region=Region("eastus"),
        geography="United States",
        replicas=replicas,
        policy_fingerprint="f",
        catalog_source="test",
        started_at=NOON,
        updated_at=NOON,
        schedule=Schedule(deadline_at=NOON),
        failure=failure,
    )


def test_the_published_examples_have_the_fields_of_the_real_ones() -> None:
    failure = Failure(code=FailureCode.COPY_FAILED, message="no")
    real: dict[str, dict[str, Any]] = {}
    for phase, cause in ((Phase.SUCCEEDED, None), (Phase.PARTIAL, failure)):
        after = _finished(phase, cause)
        planned = tuple(replace(one, state=ReplicaState.PLANNED) for one in after.replicas)
        before = replace(after, phase=Phase.TRACKING, replicas=planned)
        for event in outcome_events(before, after):
            real[event.type] = dict(event.data)
    last = _finished(Phase.PARTIAL, failure)
    failures = tuple(CircuitFailure(key=str(number), at=NOON) for number in range(5))
    circuit = Circuit(region=Region("westus2"), failures=failures, opened_at=NOON)
    for event in (
        region_held_back(last, circuit, reason="Azure said so", at=NOON),
        region_released(last, circuit, at=NOON),
    ):
        real[event.type] = dict(event.data)
        assert event.subject == "/regions/westus2"
    shown = {}
    for example in _under(PUBLISHED):
        body = json.loads(example.text)
        assert body["eventType"] == example.headings[-1].strip("`")
        about_a_region = re.match(r"[a-z0-9]+-[0-9]+-(held-back|released)$", body["id"])
        assert about_a_region or re.match(r"[0-9a-f]{32}-", body["id"])
        shown[body["eventType"]] = body["data"]
    assert sorted(shown) == sorted(real)
    for kind, data in shown.items():
        free = ("reason", "region")
        assert list(data) == list(real[kind])
        assert {name: data[name] for name in data if name not in free} == {
            name: real[kind][name] for name in data if name not in free
        }


def test_the_code_that_publishes_an_export_publishes_one_that_the_app_takes() -> None:
    (example,) = blocks(DOCUMENT, "python")
    with running_topic() as topic:
        subprocess.run(  # noqa: S603 - the document's own code
            [sys.executable, "-c", example.text, str(VERSION_ID)],
            env={**os.environ, "TOPIC_ENDPOINT": topic.endpoint, "TOPIC_KEY": "none"},
            check=True,
            timeout=60,
        )
    (body,) = topic.received
    read = _read(body)
    assert isinstance(read, VersionWritten)
    assert (read.image_version_id, read.home_region) == (VERSION_ID, "eastus")
