"""The catalogue of metrics, and the tally of a process."""

import re
import threading

import pytest

from replication.telemetry import metrics
from replication.telemetry.metrics import (
    EVENTS,
    HTTP_DURATION,
    METRICS,
    PROCESS_DURATION,
    QUEUE_AGE,
    TIME_TO_AVAILABLE,
    Metric,
    MetricKind,
)
from replication.telemetry.tally import MAX_SERIES, OTHER, Tally

CONVENTIONAL = {"http.client.request.duration", "messaging.process.duration"}


def test_every_metric_is_in_the_table() -> None:
    declared = {metric.name for metric in vars(metrics).values() if isinstance(metric, Metric)}
    assert declared == {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.name)
def test_a_metric_is_named_as_the_conventions_ask(metric: Metric) -> None:
    assert metric.name in CONVENTIONAL or metric.name.startswith("gallery_replicator.")
    assert re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+", metric.name)
    assert metric.unit == "s" or re.fullmatch(r"\{[a-z]+\}", metric.unit)
    assert metric.description.endswith(".")
    assert (metric.kind is MetricKind.HISTOGRAM) == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_no_name_is_given_twice_neither_here_nor_in_prometheus() -> None:
    assert len({one.name for one in METRICS}) == len(METRICS)
    series = [name for one in METRICS for name in one.series]
    assert len(set(series)) == len(series)


def test_names_in_prometheus_have_their_unit_and_kind() -> None:
    assert EVENTS.series == ("gallery_replicator_events_total",)
    assert QUEUE_AGE.series == ("gallery_replicator_queue_oldest_age_seconds",)
    assert HTTP_DURATION.series == (
        "http_client_request_duration_seconds_bucket",
        "http_client_request_duration_seconds_count",
        "http_client_request_duration_seconds_sum",
    )
    assert PROCESS_DURATION.prometheus_name == "messaging_process_duration_seconds"


def test_a_tally_adds_up_by_labels() -> None:
    tally = Tally()
    tally.add(EVENTS, {"gallery_replicator.action": "queued"}, 1)
    tally.add(EVENTS, {"gallery_replicator.action": "queued", "not.a.label": "x"}, 2)
    tally.add(EVENTS, {}, 0.5)
    assert tally.figures().counters == {EVENTS: {("queued",): 3.0, ("",): 0.5}}


def test_a_value_falls_under_the_first_bound_that_holds_it() -> None:
    tally = Tally()
    for value in (0.0, 60.0, 61.0, 1e9):
        tally.observe(TIME_TO_AVAILABLE, {"cloud.region": "westus"}, value)
    found = tally.figures().histograms[TIME_TO_AVAILABLE][("westus",)]
    assert (found.counts[:2], found.counts[-1], sum(found.counts)) == ([2, 1], 1, 4)
    assert found.total == 1e9 + 121


def test_a_copy_of_the_figures_stays_as_it_was() -> None:
    tally = Tally()
    tally.observe(TIME_TO_AVAILABLE, {}, 1)
    tally.add(EVENTS, {}, 1)
    figures = tally.figures()
    tally.observe(TIME_TO_AVAILABLE, {}, 1)
    tally.add(EVENTS, {}, 1)
    assert sum(figures.histograms[TIME_TO_AVAILABLE][("",)].counts) == 1
    assert figures.counters[EVENTS] == {("",): 1.0}


def test_too_many_series_are_counted_together() -> None:
    tally = Tally()
    for number in range(MAX_SERIES + 50):
        tally.add(EVENTS, {"gallery_replicator.action": f"a{number}"}, 1)
        tally.observe(TIME_TO_AVAILABLE, {"cloud.region": f"r{number}"}, 1)
    counts = tally.figures().counters[EVENTS]
    assert (len(counts), counts[(OTHER,)]) == (MAX_SERIES + 1, 50)
    assert sum(tally.figures().histograms[TIME_TO_AVAILABLE][(OTHER,)].counts) == 50


def test_a_long_label_is_cut() -> None:
    tally = Tally()
    tally.add(EVENTS, {"gallery_replicator.action": "x" * 1000}, 1)
    ((series,),) = [list(one) for one in tally.figures().counters.values()]
    assert len(series[0]) == 200


def test_many_threads_lose_no_count() -> None:
    tally = Tally()

    def work() -> None:
        for _ in range(500):
            tally.add(EVENTS, {}, 1)
            tally.observe(TIME_TO_AVAILABLE, {}, 1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.figures().counters[EVENTS][("",)] == 4000
    assert sum(tally.figures().histograms[TIME_TO_AVAILABLE][("",)].counts) == 4000
