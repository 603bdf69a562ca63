"""Every report over a year of ledger days: seconds and memory of a process of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bench.figures import Figure, at_most, peak_mb, stopwatch
from bench.synthetic_ledger import write_ledger
from bootstrap.app import build_app
from costs.ledger.files import blob_name
from costs.ports import BlobInfo, CostPorts
from costs.report.query import Change, Dimension, Form, ReportQuery
from costs.service import Costs
from tests.support.costs.prices import full_book
from tests.support.fakes import build_world

_SIZES = (1_000, 10_000, 100_000)
_DAYS = 365
_LAST_DAY = date(2026, 10, 31)
_MAX_S = 5.0
_MAX_MB = 500.0
_GROUPS: Mapping[str, tuple[Dimension, ...]] = {
    "default report": (Dimension.GALLERY,),
    "by version": (Dimension.VERSION,),
    "by month": (Dimension.MONTH,),
    "by tag and month": (Dimension.LAB, Dimension.COST_CENTER, Dimension.MONTH),
    "by version, region and day": (Dimension.VERSION, Dimension.REGION, Dimension.DAY),
}
_CSV = "csv by version and month"
_CHANGES = {
    "what-if, all at once": Change(
        deny_regions=frozenset({"westus3"}),
        storage_type="Standard_ZRS",
        keep_last=3,
        replica_count=2,
    )
}
_PAGE = "page of HTML"
_NAMES = (*_GROUPS, _CSV, _PAGE, *_CHANGES)


def run(scale: float) -> Iterator[Figure]:
    """Time each report over three sizes of ledger, each in a process that does nothing else."""
    days = max(2, int(_DAYS * scale)) if scale < 1 else _DAYS
    for replicas in _SIZES:
        count = max(8, int(replicas * scale))
        with tempfile.TemporaryDirectory() as folder:
            write_ledger(Path(folder), replicas=count, days=days)
            for name in _NAMES:
                seconds, megabytes = _measure(name, Path(folder))
                of = f"{name}, {count:,} replicas"
                yield at_most(of, seconds, "s", _MAX_S)
                yield at_most(f"{of}, peak memory", megabytes, "MB", _MAX_MB)


def _measure(name: str, folder: Path) -> tuple[float, float]:
    done = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-m", "bench.bench_reports", name, str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    return found["seconds"], found["megabytes"]


@dataclass(frozen=True, slots=True)
class _FolderBlobs:
    """A folder of ledger files as blobs, which are on this machine already."""

    folder: Path
    others: dict[str, bytes]

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        for path in sorted(self.folder.glob("*.parquet")):
            name = blob_name(date.fromisoformat(path.stem))
            if name.startswith(prefix):
                yield BlobInfo(name=name, size=path.stat().st_size, etag="written once")

    def read(self, name: str) -> tuple[bytes, str] | None:
        found = self.others.get(name)
        return None if found is None else (found, "1")

    def create(self, name: str, content: bytes) -> bool:
        raise AssertionError(f"a report writes nothing, and not {name} of {len(content)} bytes")

    def replace(self, name: str, content: bytes, *, etag: str | None) -> None:
        assert etag is None  # noqa: S101 - the price book, before the clock runs
        self.others[name] = content

    def download(self, name: str, path: Path) -> None:
        path.write_bytes((self.folder / name.rpartition("/")[2]).read_bytes())


def _costs(folder: Path) -> Costs:
    world = build_world()
    world.clock.now = datetime.combine(_LAST_DAY, datetime.min.time(), UTC) + timedelta(hours=12)
    ports = replace(world.app.ports, costs=CostPorts(blobs=_FolderBlobs(folder, {})))
    costs = build_app(world.app.settings, world.app.policy, ports).costs
    costs.price_books.save(full_book(("eastus", "westus", "westus2")))
    ledger = replace(costs.ledger, folder=folder / "copies")
    return replace(costs, ledger=ledger, reports=replace(costs.reports, ledger=ledger))


def _report(name: str, costs: Costs, query: ReportQuery) -> Callable[[], object]:
    if name in _CHANGES:
        return lambda: costs.reports.what_if(_CHANGES[name], _LAST_DAY)
    if name == _CSV:
        both = (Dimension.VERSION, Dimension.MONTH)
        return lambda: costs.text(replace(query, group_by=both), Form.CSV)
    if name == _PAGE:
        return lambda: costs.text(query, Form.HTML)
    return lambda: costs.text(replace(query, group_by=_GROUPS[name]), Form.JSON)


def _child(name: str, folder: Path) -> None:
    """Make one report, and print what it took."""
    costs = _costs(folder)
    first = date.fromisoformat(min(path.stem for path in folder.glob("*.parquet")))
    with costs.ledger.files(first, _LAST_DAY):
        pass  # copies what is on the books, which a machine does once
    report = _report(name, costs, ReportQuery(from_day=first, to_day=_LAST_DAY))
    with stopwatch() as watch:
        report()
    print(json.dumps({"seconds": watch.seconds, "megabytes": peak_mb()}))  # noqa: T201 - to the parent


if __name__ == "__main__":
    _child(sys.argv[1], Path(sys.argv[2]))
