"""Telemetry of one process: spans, durations, and what nobody listens to."""

import json
import logging
from itertools import count

import pytest

from bootstrap.telemetry import open_telemetry
from replication.domain.trace_context import TraceParent
from replication.telemetry.log import log_fields, log_outcome
from replication.telemetry.metrics import EVENTS, HTTP_DURATION, TIME_TO_AVAILABLE
from replication.telemetry.port import NO_TELEMETRY, Sample, SpanKind
from replication.telemetry.process import ProcessTelemetry
from tests.support.recording import record

TRACE = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)


def test_nobody_listens_and_the_trace_goes_on() -> None:
    with NO_TELEMETRY.span("work", parent=TRACE) as span:
        span.set("a", 1)
        span.failed("x")
        assert span.traceparent == TRACE
    with NO_TELEMETRY.span("work") as span:
        assert span.traceparent is None
    NO_TELEMETRY.counted(EVENTS)
    NO_TELEMETRY.observed(TIME_TO_AVAILABLE, 1)
    NO_TELEMETRY.happened("something")
    assert NO_TELEMETRY.trace() is None


def test_a_span_takes_its_time_under_the_labels_that_it_got() -> None:
    ticks = count(step=2)
    telemetry = ProcessTelemetry(now_s=lambda: float(next(ticks)))
    attributes = {"http.request.method": "GET", "url.template": "/x", "of no label": "y"}
    with telemetry.span("call", attributes=attributes, duration=HTTP_DURATION) as span:
        span.set("http.response.status_code", 200)
    found = telemetry.tally.figures().histograms[HTTP_DURATION]
    assert {series: one.total for series, one in found.items()} == {
        ("", "GET", "/x", "200", "", "", ""): 2.0
    }


def test_an_error_is_counted_by_its_class_and_goes_on() -> None:
    telemetry = ProcessTelemetry()
    with pytest.raises(ZeroDivisionError), telemetry.span("call", duration=HTTP_DURATION):
        _ = 1 / 0
    (series,) = telemetry.tally.figures().histograms[HTTP_DURATION]
    assert series[-1] == "ZeroDivisionError"
    assert telemetry.trace() is None


def test_spans_stand_in_each_other_unless_one_is_a_root() -> None:
    telemetry = ProcessTelemetry()
    assert telemetry.trace() is None
    telemetry.happened("outside of every span")
    with telemetry.span("outer", parent=TRACE):
        with telemetry.span("inner") as inner:
            assert inner.traceparent == telemetry.trace() == TRACE
            telemetry.happened("inside")
        with telemetry.span("alone", root=True) as alone:
            assert alone.traceparent is None
        assert telemetry.trace() == TRACE
    assert telemetry.trace() is None


def test_every_line_within_a_span_names_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    telemetry = ProcessTelemetry()
    log_outcome("before")
    with telemetry.span("outer", parent=TRACE), log_fields(more=1):
        log_outcome("within", own=2)
    log_outcome("after")
    assert [json.loads(one.message) for one in caplog.records] == [
        {"event": "before"},
        {"event": "within", "trace_id": TRACE.trace_id, "more": 1, "own": 2},
        {"event": "after"},
    ]


def test_opentelemetry_gets_the_same_figures_and_spans() -> None:
    recording = record()
    telemetry = recording.telemetry
    telemetry.counted(EVENTS, {"gallery_replicator.action": "queued", "of no label": "x"})
    telemetry.counted(EVENTS, by=2)
    telemetry.observed(TIME_TO_AVAILABLE, 61, {"cloud.region": "westus"})
    with telemetry.span("outer", kind=SpanKind.CONSUMER, parent=TRACE, attributes={"a": 1}):
        telemetry.happened("happened", {"b": True})
        with telemetry.span("inner") as inner:
            inner.failed("429")
        with telemetry.span("alone", root=True) as alone:
            assert alone.traceparent is not None
            assert alone.traceparent.trace_id != TRACE.trace_id
    inner_span, _, outer = recording.spans()
    assert recording.traces("inner") == recording.traces("outer") == {TRACE.trace_id}
    assert (outer.kind.name, dict(outer.attributes or {})) == ("CONSUMER", {"a": 1})
    assert [(one.name, dict(one.attributes or {})) for one in outer.events] == [
        ("happened", {"b": True})
    ]
    assert (inner_span.status.is_ok, dict(inner_span.attributes or {})) == (
        False,
        {"error.type": "429"},
    )
    assert recording.figures(EVENTS.name) == {"": 2, "queued": 1}
    assert recording.figures(TIME_TO_AVAILABLE.name) == {"westus": 61}


def test_gauges_that_go_nowhere_are_never_read() -> None:
    def read() -> tuple[Sample, ...]:
        raise AssertionError("nobody listens")

    ProcessTelemetry().watch(read)


def test_words_of_an_error_stay_out_of_the_span() -> None:
    recording = record()
    with pytest.raises(ValueError, match="secret"), recording.telemetry.span("call"):
        raise ValueError("https://host/?sig=secret")
    (span,) = recording.spans()
    assert "secret" not in span.to_json()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}


def test_an_empty_address_is_as_none() -> None:
    assert open_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}).backend is None


def test_the_worker_s_switch_without_anything_behind_it_is_as_if_it_were_off() -> None:
    assert open_telemetry({"PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY": "true"}).backend is None
