"""A storage with as much on record as a benchmark of the pages wants."""

import hashlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from azure.data.tables import TableServiceClient

from bench.synthetic_ledger import write_ledger
from bootstrap import get_app
from bootstrap.adapters import utc_now
from costs.ledger.files import blob_name
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.listing import TableListing
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import FailureCode
from replication.domain.job import (
    Failure,
    HistoryEntry,
    Phase,
    Replica,
    ReplicaState,
    ReplicationJob,
    Schedule,
    entry_id,
)
from replication.domain.regions import Region
from replication.operations.journal import Action, ActionKind
from replication.ports import DeadLetter, LetterState
from tests.support.builders import version_id
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing

_JOBS_A_LETTER = 10
_LOOKS, _ACTS = 1_200, 60
_CODES = (FailureCode.LOCKED, FailureCode.COPY_FAILED, FailureCode.NOT_AUTHORISED)
# Of a hundred jobs: most are over, some under way, few in trouble.
_PHASES = (Phase.FAILED, Phase.PARTIAL, Phase.WAITING, *(Phase.TRACKING,) * 7)


def fill(storage: str, count: int) -> tuple[str, str]:
    """Put so many jobs on record and into the listing, with letters, acts and a month of books.

    Returns the key of one of them, and of one that was looked at very often.
    """
    service = StorageAccount(connection_string=storage).tables()
    app = get_app()
    store = TableJobStore(Table(service, "replications"))
    jobs = [_job(number) for number in range(count)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.insert, jobs))
    # The app's own listing, in memory: what it leaves there is then written in large transactions.
    memory = MemoryListing()
    listing = replace(app.listing, store=memory)
    for job in jobs:
        listing.note(job)
    memory.write_to(TableListing(Table(service, "listing")))
    _lay(service, count // _JOBS_A_LETTER)
    _look_often(jobs[0].key)
    _act()
    _write_books(count)
    return jobs[count // 2].key, jobs[0].key


def _look_often(key: str) -> None:
    """Leave a timeline of days behind."""
    began = utc_now() - timedelta(days=5)
    moments = [began + timedelta(minutes=6 * number) for number in range(_LOOKS)]
    entries = [
        HistoryEntry(
            id=entry_id(at, number),
            at=at,
            event="track",
            reason=f"under way: eastus2 {number % 100} %",
            details={"phase": "tracking", "regions": {"eastus2": "replicating"}},
        )
        for number, at in enumerate(moments)
    ]
    get_app().ports.history.append(key, entries)


def _act() -> None:
    journal = get_app().operations.journal
    for number in range(_ACTS):
        action = Action(kind=ActionKind.RESUME, by="a benchmark", why=f"act {number}")
        journal.carry_out(action, lambda: None, lambda _: (True, "as the benchmark wants it"))


def _write_books(replicas: int) -> None:
    blobs = get_app().ports.costs.blobs
    assert blobs is not None  # noqa: S101 - the emulator has some
    with tempfile.TemporaryDirectory() as folder:
        for path in write_ledger(Path(folder), replicas=replicas, days=31):
            blobs.create(blob_name(date.fromisoformat(path.stem)), path.read_bytes())


def _lay(service: TableServiceClient, count: int) -> None:
    memory = MemoryListing()
    letters = ListedLetters(store=MemoryDeadLetters(), listing=memory)
    laid = [_letter(number) for number in range(count)]
    for letter in laid:
        letters.put(letter)
    store = TableDeadLetters(Table(service, "deadletters"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.put, laid))
    memory.write_to(TableListing(Table(service, "listing"), partition="letters"))


def _letter(number: int) -> DeadLetter:
    regions = ("eastus2", "westus2", "westus3", "centralus")
    return DeadLetter(
        id=hashlib.sha256(str(number).encode()).hexdigest()[:32],
        at=utc_now() - timedelta(minutes=number % 10_000),
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
    now = utc_now()
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
        schedule=Schedule(
            deadline_at=began + timedelta(days=1),
            next_attempt_at=None if is_over else now + timedelta(minutes=1),
        ),
        finished_at=now if is_over else None,
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
