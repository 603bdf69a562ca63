"""Reconcile a bill of five million rows: how long, and with how much memory."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from bench.figures import Figure, at_most, peak_mb, stopwatch
from bench.synthetic_bill import replicas_of, write_bill
from bench.synthetic_ledger import write_ledger
from costs.bill.file import open_bill
from costs.bill.reader import BillReader
from costs.ledger.engine import ledger_connection
from costs.reconciliation.ledger import read_ledger
from costs.reconciliation.lines import pair
from costs.reconciliation.sizes import derive_sizes
from costs.reconciliation.verdicts import Circumstances, judge, settle_quantities
from replication.domain.region_snapshot import shipped_catalog

_ROWS = 5_000_000
_DAYS = 31
_MOST_S = 60
_MOST_MB = 1_000


def run(scale: float) -> Iterator[Figure]:
    """Time CSV and Parquet, each in a process of its own, so that the memory is of it alone."""
    rows = max(1_000, int(_ROWS * scale))
    with tempfile.TemporaryDirectory(prefix="gallery-replicator-bench-") as name:
        folder = Path(name)
        write_ledger(folder / "ledger", replicas=replicas_of(rows), days=_DAYS)
        for suffix in ("csv", "parquet"):
            path = write_bill(folder / f"bill.{suffix}", rows=rows)
            yield Figure(
                name=f"{suffix} of {rows:,} rows", value=path.stat().st_size / 1e6, unit="MB"
            )
            answer = subprocess.run(  # noqa: S603 - this module, in a new process
                [sys.executable, "-m", "bench.bench_reconcile", str(path), str(folder / "ledger")],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
            seconds, peak, lines = (float(one) for one in answer)
            yield Figure(name=f"lines compared, {suffix}", value=lines, unit="")
            yield at_most(f"reconcile {rows:,} rows, {suffix}", seconds, "s", _MOST_S)
            yield at_most(f"peak memory, {suffix}", peak, "MB", _MOST_MB)
            path.unlink()


def _once(bill: Path, ledger: Path) -> None:
    """Reconcile as `costs reconcile` does, with files in place of the storage."""
    with stopwatch() as watch:
        found = BillReader(regions=shipped_catalog()).read([open_bill(bill)])
        with ledger_connection(sorted(ledger.glob("*.parquet"))) as connection:
            rows = read_ledger(connection, found.months)
        about = Circumstances(today=date(2026, 11, 23), months=found.months)
        pairs = settle_quantities(pair(found.lines, rows.lines))
        lines = judge(pairs, about)
        derive_sizes(pairs, about)
    aside = sum(one.rows for one in (*found.out_of_scope, *found.set_aside))
    assert found.rows == found.used + aside  # noqa: S101 - a figure of a wrong answer is none
    print(watch.seconds, peak_mb(), len(lines))  # noqa: T201 - the answer to the process that asked


if __name__ == "__main__":
    _once(Path(sys.argv[1]), Path(sys.argv[2]))
