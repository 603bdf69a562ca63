"""DuckDB on ledger files: the only place that sets the engine up."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from costs.ledger.columns import LEDGER_COLUMNS


@contextmanager
def connection(*, memory_mb: int = 400, threads: int = 2) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine in memory that spills into a folder of its own, and loads no extension."""
    with tempfile.TemporaryDirectory(prefix="gallery-replicator-") as spill:
        engine = duckdb.connect(
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": threads,
                "temp_directory": spill,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        try:
            yield engine
        finally:
            engine.close()


@contextmanager
def ledger_connection(
    files: Sequence[Path], *, memory_mb: int = 400, threads: int = 2
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the files as the view `ledger`, with exactly the columns of LEDGER_COLUMNS."""
    with connection(memory_mb=memory_mb, threads=threads) as engine:
        if files:
            rows = engine.read_parquet([str(path) for path in files])
            rows.select(*(name for name, _ in LEDGER_COLUMNS)).create_view("ledger")
        else:
            columns = ", ".join(f"{name} {kind}" for name, kind in LEDGER_COLUMNS)
            engine.execute(f"CREATE TABLE ledger ({columns})")
        yield engine
