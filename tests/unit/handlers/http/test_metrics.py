"""GET /metrics: what Prometheus reads, whoever may ask."""

from collections.abc import Iterator
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from bootstrap import use
from handlers.http import metrics
from replication.domain.errors import ThrottledError, TransientError
from replication.telemetry.metrics import METRICS, MetricKind
from replication.telemetry.port import Sample
from replication.telemetry.process import ProcessTelemetry
from replication.telemetry.prometheus import render
from replication.telemetry.tally import Tally
from tests.support.builders import version_body
from tests.support.fakes import World, build_world
from tests.support.http.calling import sign_in
from tests.support.scenarios.steps import ID, export

KNOWN = {name: one for one in METRICS for name in (*one.series, one.prometheus_name)}


@pytest.fixture
def telemetry() -> ProcessTelemetry:
    return ProcessTelemetry(instance="abc123")


@pytest.fixture
def world(telemetry: ProcessTelemetry) -> Iterator[World]:
    world = build_world(telemetry=telemetry)
    with use(world.app):
        yield world


def scrape() -> func.HttpResponse:
    request = func.HttpRequest(method="GET", url="http://127.0.0.1/metrics", body=b"")
    function: Any = metrics.metrics
    response = function.build().get_user_function()(request)
    assert isinstance(response, func.HttpResponse)
    return response


def families(text: str) -> dict[str, Family]:
    return {one.name: one for one in text_string_to_metric_families(text)}


def values(family: Family) -> Iterator[tuple[str, dict[str, str], float]]:
    for one in family.samples:
        yield one.name, one.labels, one.value


def test_an_app_at_rest_tells_its_gauges(world: World) -> None:
    assert world.store.rows == {}
    response = scrape()
    assert (response.status_code, response.mimetype) == (200, "text/plain; version=0.0.4")
    read = families(response.get_body().decode())
    assert len(read["gallery_replicator_jobs"].samples) == 10
    assert [one.value for one in read["gallery_replicator_build"].samples] == [1.0]


def test_what_an_export_came_to_can_be_read(world: World, telemetry: ProcessTelemetry) -> None:
    export(world)
    world.gallery.read_failures.append(ThrottledError("slow down", retry_after_s=3))
    world.gallery.read_failures.append(TransientError("no answer", code="timeout"))
    world.run()
    read = families(scrape().get_body().decode())
    times = read["gallery_replicator_replica_time_to_available_seconds"]
    counts = {
        labels["cloud_region"]: value
        for name, labels, value in values(times)
        if name.endswith("_count")
    }
    assert set(counts.values()) == {1.0}
    assert len(counts) == 8
    assert {labels["instance"] for _, labels, _ in values(times)} == {telemetry.instance}
    assert total(read, "gallery_replicator_jobs_ended") == {"succeeded": 1}
    assert total(read, "gallery_replicator_events") == {"queued": 1}
    assert total(read, "gallery_replicator_retries") == {"429": 1, "timeout": 1}
    assert total(read, "gallery_replicator_arm_throttles") == {"read": 1}
    decisions = {
        labels["gallery_replicator_decision"]
        for _, labels, _ in values(read["messaging_process_duration_seconds"])
    }
    assert {"retry", "apply", "track", "succeed"} <= decisions


def total(read: dict[str, Family], name: str) -> dict[str, float]:
    return {
        next(value for label, value in labels.items() if label != "instance"): figure
        for _, labels, figure in values(read[name])
    }


def test_a_letter_is_counted_where_it_was_laid(world: World) -> None:
    world.app.desk.event({"id": "event-9"}, event_id="event-9", cause="a test")
    read = families(scrape().get_body().decode())
    (letters,) = values(read["gallery_replicator_dead_letters_laid"])
    assert letters[1]["gallery_replicator_source"] == "event"
    assert letters[1]["error_type"] == "malformed_event"


def test_every_family_is_in_the_catalogue_with_its_kind_and_labels(world: World) -> None:
    export(world)
    world.run()
    for family in families(scrape().get_body().decode()).values():
        name = family.name + ("_total" if family.type == "counter" else "")
        metric = KNOWN[name]
        assert family.type == metric.kind.value
        assert family.documentation == metric.description
        own = {"instance", "le"} if metric.kind is not MetricKind.GAUGE else set()
        expected = {label.replace(".", "_") for label in metric.labels} | own
        assert all(set(one.labels) | {"le"} <= expected | {"le"} for one in family.samples)


def test_the_page_is_for_readers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.store.rows == {}
    sign_in(monkeypatch)
    response = scrape()
    assert response.status_code == 401
    assert b"gallery_replicator_jobs" not in response.get_body()


def test_storage_in_trouble_shows_and_fails_nothing(world: World) -> None:
    world.controls.failures += [TransientError("no storage")] * 20
    world.listing.failures += [TransientError("no storage")] * 20
    response = scrape()
    assert response.status_code == 200
    read = families(response.get_body().decode())
    errors = total(read, "gallery_replicator_scrape_errors")
    assert errors == {"queues": 0, "controls": 1, "records": 1, "books": 0}


@given(
    labels=st.dictionaries(st.sampled_from([x for m in METRICS for x in m.labels]), st.text()),
    value=st.floats(allow_nan=False, allow_infinity=False),
)
def test_whatever_the_labels_hold_the_page_can_be_parsed(
    labels: dict[str, str], value: float
) -> None:
    tally = Tally()
    samples = []
    for metric in METRICS:
        match metric.kind:
            case MetricKind.COUNTER:
                tally.add(metric, labels, abs(value))
            case MetricKind.HISTOGRAM:
                tally.observe(metric, labels, value)
            case MetricKind.GAUGE:
                samples.append(Sample(metric=metric, value=value, labels=labels))
    text = render(tally.figures(), samples, instance='a "b" \\ c', release="1\n2")
    read = families(text)
    assert len(read) == len(METRICS)
    for metric in METRICS:
        family = read[metric.prometheus_name.removesuffix("_total")]
        assert {one.name for one in family.samples} == set(metric.series)


def test_an_app_whose_telemetry_is_another_still_shows_the_storage() -> None:
    world = build_world()
    world.gallery.add(ID, version_body())
    with use(world.app):
        assert "gallery_replicator_jobs" in families(scrape().get_body().decode())
