"""Tally: the counters and histograms of this process, kept until somebody asks."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replication.telemetry.metrics import Metric, MetricKind
from replication.telemetry.port import Attributes

# More series of one metric than that are a mistake; what is above is counted together.
MAX_SERIES = 1000
OTHER = "_OTHER"

type Series = tuple[str, ...]


@dataclass(slots=True)
class Distribution:
    """What a histogram knows: how many values fell under each bound, and above the last."""

    counts: list[int]
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A copy of a tally: by metric, and by the values of its labels."""

    counters: Mapping[Metric, Mapping[Series, float]]
    histograms: Mapping[Metric, Mapping[Series, Distribution]]


@dataclass(slots=True)
class Tally:
    """Counts; safe to use from many threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counters: dict[Metric, dict[Series, float]] = field(default_factory=dict)
    _histograms: dict[Metric, dict[Series, Distribution]] = field(default_factory=dict)

    def begin(self, metric: Metric, series: Iterable[Series]) -> None:
        """Let series stand at zero, so that their first value is an increase."""
        is_histogram = metric.kind is MetricKind.HISTOGRAM
        with self._lock:
            for values in series:
                if is_histogram:
                    self._distribution(metric, values)
                else:
                    known = self._counters.setdefault(metric, {})
                    known.setdefault(_within(values, known), 0.0)

    def add(self, metric: Metric, labels: Attributes, by: float) -> None:
        """Add to a counter."""
        with self._lock:
            known = self._counters.setdefault(metric, {})
            series = _within(metric.label_values(labels), known)
            known[series] = known.get(series, 0.0) + by

    def observe(self, metric: Metric, labels: Attributes, value: float) -> None:
        """Add a value to a histogram."""
        with self._lock:
            found = self._distribution(metric, metric.label_values(labels))
            found.counts[bisect_left(metric.buckets, value)] += 1
            found.total += value

    def _distribution(self, metric: Metric, series: Series) -> Distribution:
        known = self._histograms.setdefault(metric, {})
        empty = Distribution([0] * (len(metric.buckets) + 1))
        return known.setdefault(_within(series, known), empty)

    def figures(self) -> Figures:
        """Return a copy of everything."""
        with self._lock:
            return Figures(
                counters={metric: dict(known) for metric, known in self._counters.items()},
                histograms={
                    metric: {
                        series: Distribution(list(distribution.counts), distribution.total)
                        for series, distribution in known.items()
                    }
                    for metric, known in self._histograms.items()
                },
            )


def _within(series: Series, known: Mapping[Series, object]) -> Series:
    if series in known or len(known) < MAX_SERIES:
        return series
    return (OTHER,) * len(series)
