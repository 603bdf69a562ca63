"""The pages of the desk against an emulator: calls, rows, and the time without storage."""

import gzip
import hashlib
import os
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from time import perf_counter
from typing import Any
from unittest.mock import patch

import requests
from azure.data.tables import TableServiceClient

from bench.figures import Figure, at_most, stopwatch
from handlers.access import ENVIRONMENT
from replication import bootstrap
from replication.azure.dead_letters import TableDeadLetters
from replication.azure.job_store import TableJobStore
from replication.azure.listing_table import TableListing
from replication.azure.storage_clients import StorageAccount
from replication.azure.tables import Table
from replication.errors import FailureCode
from replication.job import Failure, Phase, Replica, ReplicaState, ReplicationJob
from replication.listed_letters import ListedLetters
from replication.listing_store import MAX_CHANGES, ListingChange
from replication.ports import DeadLetter, LetterState
from replication.regions import Region
from tests.builders import version_id
from tests.dashboard.asking import ask
from tests.letters import MemoryDeadLetters
from tests.listing import MemoryListing
from tests.localcloud.functions.hosts import ready_line, start_localcloud

_SIZES = (1_000, 10_000, 100_000)
_PAGES = {
    "overview": "/dashboard",
    "replications": "/dashboard/replications",
    "filtered": "/dashboard/replications?phase=succeeded&gallery=gallery7",
    "searched": "/dashboard/replications?search=image1",
    "second page": "/dashboard/replications?cursor={cursor}",
    "one replication": "/dashboard/replications/{key}",
    "dead letters": "/dashboard/dead-letters",
    "dead letters, filtered": "/dashboard/dead-letters?failure_code=locked&region=westus3",
    "regions": "/dashboard/regions",
    "policy": "/dashboard/policy",
}
_ROUNDS = 15
_JOBS_A_LETTER = 10
_CODES = (FailureCode.LOCKED, FailureCode.COPY_FAILED, FailureCode.NOT_AUTHORISED)
_SERVER_MS, _WEIGHT_KB = 50.0, 100.0
# Of a hundred jobs: most are over, some under way, few in trouble.
_PHASES = (Phase.FAILED, Phase.PARTIAL, Phase.WAITING, *(Phase.TRACKING,) * 7)


def run(scale: float) -> Iterator[Figure]:
    """Ask for every page with three sizes of history."""
    for size in _SIZES:
        with start_localcloud("storage", "--port-base", "0") as process:
            try:
                storage = str(ready_line(process)["storage"])
                yield from _measure(storage, max(100, int(size * scale)), promised=scale == 1)
            finally:
                process.terminate()
                process.wait(120)


def _measure(storage: str, count: int, *, promised: bool) -> Iterator[Figure]:
    with _serving(storage):
        with stopwatch() as filling:
            key = _fill(storage, count)
        yield Figure(name=f"filling {count:,}", value=filling.seconds, unit="s")
        cursor = ask("/dashboard/replications.json").json["next"]
        for name, template in _PAGES.items():
            address = template.format(key=key, cursor=cursor)
            ask(address)
            rounds = [_round(address) for _ in range(_ROUNDS)]
            calls, rows = max(one.calls for one in rounds), max(one.rows for one in rounds)
            total = statistics.median(one.total_ms for one in rounds)
            server = statistics.median(one.total_ms - one.storage_ms for one in rounds)
            label = f"{name}, {count:,}"
            yield Figure(name=f"{label}: storage calls", value=calls, unit="")
            yield Figure(name=f"{label}: rows read", value=rows, unit="")
            yield Figure(name=f"{label}: in all", value=total, unit="ms")
            own = f"{label}: without storage"
            if promised:
                yield at_most(own, server, "ms", _SERVER_MS)
            else:
                yield Figure(name=own, value=server, unit="ms")
            yield at_most(f"{label}: weight", rounds[0].bytes / 1000, "kB", _WEIGHT_KB)
            yield Figure(name=f"{label}: packed", value=rounds[0].packed / 1000, unit="kB")


@dataclass(slots=True)
class _Round:
    total_ms: float = 0.0
    storage_ms: float = 0.0
    calls: int = 0
    rows: int = 0
    bytes: int = 0
    packed: int = 0
    answers: list[requests.Response] = field(default_factory=list)


def _round(address: str) -> _Round:
    """Ask once, with a watch at the place where the vendor's clients leave this process."""
    done = _Round()
    send = requests.Session.send

    def timed(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        began = perf_counter()
        try:
            answer = send(session, request, **options)
        finally:
            done.storage_ms += (perf_counter() - began) * 1000
        done.calls += 1
        done.answers.append(answer)
        return answer

    with patch.object(requests.Session, "send", timed), stopwatch() as watch:
        page = ask(address)
    assert page.status == 200, page.text  # noqa: S101 - a page that fails is no figure
    done.total_ms = watch.seconds * 1000
    done.rows = sum(map(_rows, done.answers))
    body = page.text.encode()
    done.bytes, done.packed = len(body), len(gzip.compress(body))
    return done


def _rows(answer: requests.Response) -> int:
    if "json" not in answer.headers.get("Content-Type", ""):
        return 0
    document = answer.json()
    return len(document["value"]) if "value" in document else 1


@contextmanager
def _serving(storage: str) -> Iterator[None]:
    """Let the handlers answer from an app on the emulator, as on a developer's machine."""
    settings = {
        ENVIRONMENT: "Development",
        "AzureWebJobsStorage": storage,
        "AZURE_RESOURCE_MANAGER_URL": "http://127.0.0.1:9",
    }
    with patch.dict(os.environ, settings), patch.object(bootstrap, "_app", None):
        yield


def _fill(storage: str, count: int) -> str:
    """Put so many jobs on record and into the listing; return the key of one of them."""
    service = StorageAccount(connection_string=storage).tables()
    app = bootstrap.get_app()
    store = TableJobStore(Table(service, "replications"))
    jobs = [_job(number) for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.insert, jobs))
    # The app's own listing, in memory: what it leaves there is then written in large transactions.
    memory = MemoryListing()
    listing = replace(app.listing, store=memory)
    for job in jobs:
        listing.note(job)
    _write(memory, TableListing(Table(service, "listing")))
    _lay(service, count // _JOBS_A_LETTER)
    return jobs[count // 2].key


def _lay(service: TableServiceClient, count: int) -> None:
    memory = MemoryListing()
    letters = ListedLetters(store=MemoryDeadLetters(), listing=memory)
    laid = [_letter(number) for number in range(count)]
    for letter in laid:
        letters.put(letter)
    store = TableDeadLetters(Table(service, "deadletters"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.put, laid))
    _write(memory, TableListing(Table(service, "listing"), partition="letters"))


def _write(memory: MemoryListing, table: TableListing) -> None:
    rows = (
        ListingChange(key=row.key, document=row.document, expected=None)
        for row in memory.rows.values()
    )
    for some in batched(rows, MAX_CHANGES, strict=False):
        table.commit(some)


def _letter(number: int) -> DeadLetter:
    regions = ("eastus2", "westus2", "westus3", "centralus")
    return DeadLetter(
        id=hashlib.sha256(str(number).encode()).hexdigest()[:32],
        at=bootstrap.utc_now() - timedelta(minutes=number % 10_000),
        source="job",
        code=_CODES[number % len(_CODES)].value,
        cause="as the benchmark wants it",
        attempts=3,
        correlation_id=f"corr-{number}",
        image_version_id=str(version_id(gallery=f"gallery{number % 50}", version=f"1.0.{number}")),
        raw="{}",
        regions=regions[number % 3 : number % 3 + 2],
        state=LetterState.REPLAYED if number % 10 == 0 else LetterState.OPEN,
    )


def _job(number: int) -> ReplicationJob:
    now = bootstrap.utc_now()
    phase = _PHASES[number % 100] if number % 100 < len(_PHASES) else Phase.SUCCEEDED
    began = now - timedelta(minutes=number % 10_000)
    is_over = phase not in (Phase.TRACKING, Phase.WAITING)
    failure = None
    if phase in (Phase.FAILED, Phase.PARTIAL):
        failure = Failure(code=FailureCode.COPY_FAILED, message="the copy failed")
    return ReplicationJob(
        image_version_id=version_id(
            gallery=f"gallery{number % 50}", image=f"image{number // 10}", version=f"1.0.{number}"
        ),
        phase=phase,
        reason="as the benchmark wants it",
        trigger="a benchmark",
        correlation_id=f"corr-{number}",
        home_region=Region("eastus"),
        geography="United States",
        replicas=tuple(
            _replica(name, phase, began, stuck=number % 100 == len(_PHASES) - 1)
            for name in ("eastus2", "westus2", "westus3", "centralus")
        ),
        failure=failure,
        policy_fingerprint="p",
        catalog_source="a benchmark",
        revision=1,
        started_at=began,
        updated_at=now,
        next_attempt_at=None if is_over else now + timedelta(minutes=1),
        finished_at=now if is_over else None,
        deadline_at=began + timedelta(days=1),
    )


def _replica(name: str, phase: Phase, began: datetime, *, stuck: bool) -> Replica:
    done = phase is Phase.SUCCEEDED
    copying_from = began + timedelta(minutes=1)
    return Replica(
        region=Region(name),
        state=ReplicaState.COMPLETED if done else ReplicaState.REPLICATING,
        reason="Azure: Completed" if done else "Azure: Replicating",
        progress=100 if done else 40,
        managed=True,
        attempts=1,
        planned_at=began,
        requested_at=began,
        copying_since=copying_from,
        progressed_at=copying_from,
        completed_at=began + timedelta(minutes=12) if done else None,
        stuck_since=copying_from if stuck else None,
    )
