"""The daily audit: how much longer it takes than its reads and its one file write alone."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure, at_least, peak_mb, stopwatch
from costs.azure.blobs import StorageBlobs
from costs.ledger.files import blob_name, written_days
from costs.ledger.ledger import Ledger
from costs.ledger.rows import DayPrices
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.tables import Table
from replication.domain.image_version import ImageVersionId
from replication.domain.job import (
    HomeReplicas,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
    Schedule,
)
from replication.domain.regions import Region
from replication.ports import JobQuery
from tests.support.costs.prices import full_book
from tests.support.localcloud.hosts import ready_line, start_localcloud

_SIZES = (1_000, 10_000, 100_000)
_NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
_REGIONS = ("eastus", "eastus2", "westus", "westus2", "westus3", "centralus", "northcentralus")
_TARGET = 0.7


def run(scale: float) -> Iterator[Figure]:
    """Time the audit of one day against an emulator, for three sizes."""
    for replicas in _SIZES:
        count = max(7, int(replicas * scale))
        with start_localcloud("storage", "--port-base", "0") as process:
            try:
                account = StorageAccount(connection_string=str(ready_line(process)["storage"]))
                yield from _measure(account, count)
            finally:
                process.terminate()
                process.wait(60)


def _measure(account: StorageAccount, replicas: int) -> Iterator[Figure]:
    service = account.blobs()
    assert service is not None  # noqa: S101 - an emulator has blobs
    store = TableJobStore(Table(account.tables(), "replications"))
    _fill(store, replicas // len(_REGIONS))
    blobs = StorageBlobs(service)
    blobs.create(blob_name((_NOW - timedelta(days=2)).date()), b"the day before")
    with tempfile.TemporaryDirectory() as folder:
        prices = DayPrices(book=full_book(_REGIONS))
        ledger = Ledger(
            store=store,
            blobs=blobs,
            prices=lambda: prices,
            clock=lambda: _NOW,
            folder=Path(folder),
        )
        with stopwatch() as audit:
            written = ledger.audit()
        rows = written.days[0].rows
        content = blobs.read(blob_name(written.days[0].day))
        assert content is not None  # noqa: S101 - it was just written
        with stopwatch() as alone:
            _read_all(store)
            written_days(blobs)
            blobs.create("alone", content[0])
    yield Figure(name=f"audit of {rows:,} replicas", value=audit.seconds, unit="s")
    yield Figure(name=f"reads and write alone, {rows:,}", value=alone.seconds, unit="s")
    ratio = alone.seconds / audit.seconds
    name = f"alone / audit, {rows:,}"
    whole = replicas == _SIZES[-1]
    yield at_least(name, ratio, "", _TARGET) if whole else Figure(name=name, value=ratio, unit="")
    yield Figure(name=f"file of {rows:,} rows", value=len(content[0]) / 1e6, unit="MB")
    yield Figure(name=f"peak memory, {rows:,}", value=peak_mb(), unit="MB")


def _read_all(store: TableJobStore) -> None:
    query = JobQuery(limit=1000)
    while True:
        page = store.find(query)
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def _fill(store: TableJobStore, versions: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda number: store.insert(_job(number)), range(versions)):
            pass


def _job(number: int) -> ReplicationJob:
    began = _NOW - timedelta(days=30)
    version = ImageVersionId(
        subscription_id="11111111-2222-3333-4444-555555555555",
        resource_group="labs",
        gallery=f"gallery{number // 100}",
        image=f"image{number // 10}",
        version=f"1.0.{number % 10}",
    )
    replicas = tuple(
        Replica(
            region=Region(name),
            state=ReplicaState.COMPLETED,
            reason="Completed",
            progress=100,
            managed=True,
            intended=True,
            attempts=1,
            replica_count=1,
            storage_account_type="Standard_LRS",
            planned_at=began,
            listed_at=began,
            requested_at=began,
            completed_at=began + timedelta(minutes=9),
        )
        for name in _REGIONS[1:]
    )
    return ReplicationJob(
        image_version_id=version,
        phase=Phase.SUCCEEDED,
        reason="all 6 wanted regions are Completed",
        trigger="event",
        correlation_id=f"corr-{number}",
        home_region=Region(_REGIONS[0]),
        geography="United States",
        replicas=replicas,
        policy_fingerprint="0123456789abcdef",
        catalog_source="a benchmark",
        size_gb=30 + number % 97,
        home=HomeReplicas(),
        owner_tags={"lab": f"lab {number // 30}"},
        started_at=began,
        updated_at=began,
        schedule=Schedule(deadline_at=began + timedelta(days=1)),
        finished_at=began + timedelta(minutes=9),
    )
