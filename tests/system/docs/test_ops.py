"""The dashboard, the alerts and the queries name only what the code has."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from replication.telemetry import job_metrics
from replication.telemetry.metrics import METRICS, Metric, MetricKind, prometheus_label
from replication.telemetry.prometheus import INSTANCE
from tests.support.documents import DOCS, PROJECT, anchors, table_rows

OPS = PROJECT / "ops"
SERIES = {name: metric for metric in METRICS for name in metric.series}
PREFIXES = ("gallery_replicator_", "http_client_", "messaging_process_")
# Made by Prometheus itself, and labels of a bucket or a scrape.
FOREIGN = {"up"}
FOREIGN_LABELS = {"le", "job", INSTANCE}
DASHBOARD = json.loads((OPS / "grafana/gallery-replicator.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((OPS / "prometheus/alerts.yaml").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
QUERIES = sorted((OPS / "kql").glob("*.kql"))
WORDS = {
    "and", "by", "histogram_quantile", "increase", "max", "on", "or", "rate", "sum", "topk",
    "unless", "vector", "without",
}  # fmt: skip


def expressions() -> Iterator[str]:
    for rule in RULES:
        yield rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"]


def names(expression: str) -> tuple[set[str], set[str]]:
    """Return the series and the labels of an expression."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    labels = {
        word.strip()
        for group in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", bare)
        for word in group.split(",")
    }
    labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", bare))
    bare = re.sub(r"\b(by|on|without)\s*\([^)]*\)", "", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    return set(re.findall(r"\b[a-z_][a-z_0-9]*\b", bare)) - WORDS, labels


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_series_and_label_of_an_expression_exists(expression: str) -> None:
    series, labels = names(expression)
    assert series
    assert series <= set(SERIES) | FOREIGN
    known = {
        prometheus_label(label) for name in series & set(SERIES) for label in SERIES[name].labels
    }
    assert labels <= known | FOREIGN_LABELS


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_a_counter_is_never_shown_as_it_stands(expression: str) -> None:
    series, _ = names(expression)
    moving = [one for one in series & set(SERIES) if SERIES[one].kind is not MetricKind.GAUGE]
    for one in moving:
        assert re.search(rf"(rate|increase)\({one}", expression)


def test_the_reader_of_expressions_finds_what_is_wrong() -> None:
    assert names('sum by (le, a) (rate(x_total{b="c"}[5m])) / y > 1') == (
        {"x_total", "y"},
        {"le", "a", "b"},
    )


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for one in expressions() for name in names(one)[0]}
    hidden = [one.name for one in METRICS if not shown & set(one.series)]
    assert hidden == []


def test_panels_do_not_lie_over_one_another_and_say_what_they_show() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert all(panel["description"].endswith(".") for panel in PANELS)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one["alert"])
def test_an_alert_says_what_it_means_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith(".")
    name, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor in anchors(PROJECT / name)
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert used <= names(rule["expr"])[1]


def test_the_sample_scrape_job_tells_processes_apart() -> None:
    scrape = yaml.safe_load((OPS / "prometheus/scrape.yaml").read_text(encoding="utf-8"))
    (job,) = scrape["scrape_configs"]
    assert job["honor_labels"] is True
    assert job["metrics_path"] == "/metrics"


# Tables of a Log Analytics workspace, and what is not a field of a line.
TABLES = {"AppTraces", "AppRequests", "AppDependencies"}


@cache
def logged() -> dict[str, set[str]]:
    """Return the events that the code logs, each with the names of its fields."""
    found: dict[str, set[str]] = {}
    for folder in ("replication", "costs", "handlers"):
        for path in (PROJECT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "log_outcome":
                    for event in events(node.args[0]):
                        fields = {word.arg for word in node.keywords if word.arg}
                        found.setdefault(event, set()).update(fields - {"level", "error"})
    for event, more in MEASURED.items():
        found.setdefault(event, {"key", "image_version"}).update(more)
    return found


# Their names and fields come from `measure_step`, which test_job_metrics.py checks.
MEASURED = {
    "replica.completed": {"region", "took_s"},
    "replica.failed": {"region", "code", "reason"},
    "job.ended": {"phase", "reason"},
}
ACTIONS = ("queued", "due", "skipped", "ignored", "not_found")


def events(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield from (f"event.{action}" for action in ACTIONS)


@pytest.mark.parametrize("path", QUERIES, ids=lambda one: one.stem)
def test_a_query_names_only_what_is_logged(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    assert text.startswith("// ")
    tables = set(
        re.findall(r"^(?:let \w+ = )?(?:union )?(App\w+(?:, App\w+)*)$", code, re.MULTILINE)
    )
    assert {one for group in tables for one in group.split(", ")} <= TABLES
    assert tables
    wanted = set(re.findall(r'event == "([^"]+)"', code))
    for group in re.findall(r"event in \(([^)]*)\)", code):
        wanted |= set(re.findall(r'"([^"]+)"', group))
    assert wanted <= set(logged())
    fields = set(re.findall(r"\bline\.(\w+)", code)) - {"event", "trace_id"}
    written = {name for event in wanted or set(logged()) for name in logged()[event]}
    assert fields <= written
    metrics = set(re.findall(r'"(gallery_replicator\.[\w.]+)"', code))
    assert metrics <= {one.name for one in METRICS}


def test_there_is_a_query_for_each_question() -> None:
    assert len(QUERIES) >= 10


def test_the_measured_events_have_the_fields_that_queries_ask_for() -> None:
    source = inspect.getsource(job_metrics)
    for event, fields in MEASURED.items():
        assert f'event="{event}"' in source
        assert all(f'"{field}"' in source for field in fields)


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.name)
def test_the_document_has_a_row_for_every_metric(metric: Metric) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    row = [f"`{metric.name}`", metric.kind.value, metric.unit, labels, metric.description]
    assert row in list(table_rows(DOCS / "telemetry.md"))


def test_the_document_names_every_query() -> None:
    text = (DOCS / "telemetry.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in text for path in QUERIES)
