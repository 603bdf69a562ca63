"""What a scrape and the view of the queues cost: requests to a real storage, counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bootstrap import get_app, use
from handlers.http import metrics, queues
from handlers.http.access import ENVIRONMENT
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.listing import TableListing
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import FailureCode
from replication.domain.job import Phase
from replication.ports import DeadLetter, QueueName
from replication.telemetry.metrics import JOBS, LETTERS, QUEUE_DEPTH, REPLICAS
from tests.support.builders import NOON
from tests.support.documents import DOCS, table_rows
from tests.support.http.calling import call
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.listings import job
from tests.support.storage.wire import Wire, running_storage

PARTS = {
    "the queues": ("queue",),
    "what instances share": ("table controls",),
    "counts of jobs and replicas, and of dead letters": ("table listing",),
    "the books": ("blob",),
}


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """Start an emulator and give its connection string."""
    with running_storage() as connection_string:
        yield connection_string


@pytest.fixture(autouse=True)
def _on_the_emulator(monkeypatch: pytest.MonkeyPatch, storage: str) -> Iterator[None]:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    monkeypatch.setenv("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1:9")
    with use(None):
        yield


def calls_of(wire: Wire, function: Any) -> tuple[Counter[str], str]:
    """Ask a process that has just started, after its tables and queues came into being."""
    call(function)
    with use(None), wire.counting() as found:
        answer = call(function)
    assert answer.status == 200, answer.text
    return found.requests, answer.text


def fill(storage: str, *, jobs: int, letters: int, messages: int) -> None:
    """Leave so many of each behind, as an app would."""
    service = StorageAccount(connection_string=storage).tables()
    app = get_app()
    listing = replace(app.listing, store=MemoryListing())
    for number in range(jobs):
        phase = tuple(Phase)[number % len(Phase)]
        listing.note(job(number, phase=phase, completed=number % 4, stuck=number % 3 == 0))
    laid = ListedLetters(store=MemoryDeadLetters(), listing=MemoryListing())
    for number in range(letters):
        laid.put(letter(number))
    for store, partition in ((listing.store, "listing"), (laid.listing, "letters")):
        assert isinstance(store, MemoryListing)
        store.write_to(TableListing(Table(service, "listing"), partition=partition))
    for queue in QueueName:
        for number in range(messages):
            app.ports.queues.put_back(queue, f"message {number}", delay_s=0)
    service.close()


def letter(number: int) -> DeadLetter:
    return DeadLetter(
        id=f"{number:032x}",
        source="job",
        code=tuple(FailureCode)[number % len(FailureCode)].value,
        cause="a test",
        at=NOON,
        attempts=1,
        correlation_id="c",
        image_version_id=None,
        raw="raw",
        regions=("westus3",),
    )


def test_a_scrape_costs_what_the_document_says_however_much_there_is(storage: str) -> None:
    wire = Wire(storage)
    fill(storage, jobs=2, letters=2, messages=1)
    few, _ = calls_of(wire, metrics.metrics)
    fill(storage, jobs=300, letters=300, messages=40)
    many, text = calls_of(wire, metrics.metrics)
    assert many == few
    documented = {
        row[0]: int(row[1]) for row in table_rows(DOCS / "telemetry.md") if row[0] in PARTS
    }
    assert documented == {
        part: sum(count for what, count in many.items() if what.startswith(kinds))
        for part, kinds in PARTS.items()
    }
    assert sum(documented.values()) == many.total()
    series = {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in text.splitlines()}
    phase = f'{JOBS.prometheus_name}{{gallery_replicator_phase="planned"}}'
    assert float(series[phase]) == 300 / len(Phase)
    state = f'{REPLICAS.prometheus_name}{{gallery_replicator_state="completed"}}'
    assert float(series[state]) == sum(number % 4 for number in range(300))
    assert (
        sum(
            float(n)
            for name, n in series.items()
            if name.startswith(f"{LETTERS.prometheus_name}{{")
        )
        == 300
    )
    queue = f'{QUEUE_DEPTH.prometheus_name}{{messaging_destination_name="replication-jobs"}}'
    assert float(series[queue]) == 41


def test_a_view_of_the_queues_costs_three_calls_for_each_and_one_for_their_pauses(
    storage: str,
) -> None:
    fill(storage, jobs=0, letters=0, messages=40)
    found, _ = calls_of(Wire(storage), queues.queues)
    shared = found.pop("table controls")
    by_queue = Counter[str]()
    for about, count in found.items():
        by_queue[about.removeprefix("queue ").removesuffix("-poison")] += count
    assert by_queue == {queue.value: 3 for queue in QueueName}
    assert shared == 1
