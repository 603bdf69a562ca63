"""Prometheus page: all figures as it reads them; imported when somebody asks for them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import (
    Metric as Family,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from replication.telemetry.metrics import BUILD, Metric, prometheus_label
from replication.telemetry.port import Sample
from replication.telemetry.tally import Distribution, Figures, Series

MEDIA_TYPE = "text/plain; version=0.0.4"
# The figures of several processes must not be taken for one; a scrape has to honour it.
INSTANCE = "instance"


@dataclass(eq=False, slots=True, kw_only=True)
class _Figures(Collector):
    figures: Figures
    samples: Sequence[Sample]
    instance: str
    release: str

    def collect(self) -> Iterator[Family]:
        for metric, counts in self.figures.counters.items():
            yield self._counter(metric, counts.items())
        for metric, known in self.figures.histograms.items():
            yield self._histogram(metric, known.items())
        gauges: dict[Metric, GaugeMetricFamily] = {}
        build = Sample(metric=BUILD, value=1.0, labels={BUILD.labels[0]: self.release})
        for sample in (build, *self.samples):
            family = gauges.get(sample.metric) or _gauge(sample.metric)
            family.add_metric(sample.metric.label_values(sample.labels), sample.value)
            gauges[sample.metric] = family
        yield from gauges.values()

    def _counter(self, metric: Metric, counts: Iterable[tuple[Series, float]]) -> Family:
        family = CounterMetricFamily(
            metric.prometheus_name, metric.description, labels=[INSTANCE, *_labels(metric)]
        )
        for series, value in counts:
            family.add_metric([self.instance, *series], value)
        return family

    def _histogram(self, metric: Metric, known: Iterable[tuple[Series, Distribution]]) -> Family:
        family = HistogramMetricFamily(
            metric.prometheus_name, metric.description, labels=[INSTANCE, *_labels(metric)]
        )
        bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
        for series, found in known:
            buckets = list(zip(bounds, map(float, accumulate(found.counts)), strict=True))
            family.add_metric([self.instance, *series], buckets, found.total)
        return family


def render(figures: Figures, samples: Sequence[Sample], *, instance: str, release: str) -> str:
    """Return the figures of one process, and the gauges of what all of them share."""
    registry = CollectorRegistry()
    registry.register(
        _Figures(figures=figures, samples=samples, instance=instance, release=release)
    )
    return generate_latest(registry).decode()


def _gauge(metric: Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.prometheus_name, metric.description, labels=_labels(metric))


def _labels(metric: Metric) -> list[str]:
    return [prometheus_label(label) for label in metric.labels]
