"""One trace and true figures, on the real runtime and real storage."""

import json
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.support.arm.foreign import exported, running_foreign_arm
from tests.support.localcloud.hosts import eventually, http_call
from tests.support.localcloud.instances import Instance, StartApp
from tests.support.otlp import receiving

VERSION_ID = (
    "/subscriptions/aaaaaaaa-0000-0000-0000-000000000002/resourceGroups/rg/providers"
    "/Microsoft.Compute/galleries/gal/images/img/versions/3.0.0"
)
# Over OTLP: what this process saw, and what stands in storage.
SENT = {
    "gallery_replicator.events",
    "gallery_replicator.jobs",
    "gallery_replicator.queue.depth",
    "gallery_replicator.replica.time_to_available",
    "gallery_replicator.replicas",
    "gallery_replicator.scrape.errors",
    "http.client.request.duration",
    "messaging.process.duration",
}
KINDS = ("event.queued", "replication.reconciled", "replica.completed", "job.ended")


def lines(app: Instance) -> list[dict[str, Any]]:
    """Return the app's own lines of the log."""
    found = []
    for line in app.log.read_text(encoding="utf-8").splitlines():
        _, brace, rest = line.partition('{"event": ')
        if brace:
            found.append(json.loads(brace + rest))
    return found


def test_an_export_is_one_trace_in_log_and_spans_and_shows_in_the_figures(
    start_app: StartApp,
) -> None:
    with receiving() as receiver, running_foreign_arm() as arm:
        arm.add(VERSION_ID, [{"name": "France Central"}])
        app = start_app(
            arm_url=arm.url,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_BSP_SCHEDULE_DELAY="100",
            OTEL_METRIC_EXPORT_INTERVAL="1000",
        )
        assert app.post_events(exported(VERSION_ID)) == 202
        eventually(lambda: any(one["event"] == "job.ended" for one in lines(app)))
        told = [one for one in lines(app) if one["event"] in KINDS]
        assert {one["event"] for one in told} == set(KINDS)
        (trace,) = {one["trace_id"] for one in told}

        def all_spans() -> list[str] | None:
            names = [one.name for one in receiver.spans() if one.trace_id.hex() == trace]
            looks = [one for one in told if one["event"] == "replication.reconciled"]
            seen = [name for name in names if name.startswith("process replication-")]
            return names if len(seen) >= len(looks) else None

        names = eventually(all_spans)
        assert names.count("process event") == 1
        assert any(name.startswith("PATCH /subscriptions/{subscription}/") for name in names)
        assert eventually(lambda: receiver.metrics() >= SENT)

        def when_succeeded() -> dict[str, Metric] | None:
            answer = http_call(f"{app.url}/metrics")
            assert answer.status == 200
            families = {one.name: one for one in text_string_to_metric_families(answer.text)}
            jobs = families["gallery_replicator_jobs"].samples
            phases = {one.labels["gallery_replicator_phase"] for one in jobs if one.value}
            return families if phases == {"succeeded"} else None

        # What was read for OTLP may be kept for ten seconds.
        families = eventually(when_succeeded)
        errors = families["gallery_replicator_scrape_errors"].samples
        assert [one.labels for one in errors if one.value] == []
        calls = families["http_client_request_duration_seconds"].samples
        assert {one.labels["http_request_method"] for one in calls} >= {"GET", "PATCH"}
