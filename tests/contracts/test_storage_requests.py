"""What pages, lists and scrapes cost on a real storage, in requests and rows, as documented."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import handlers.http.dead_letters as letters_api
from bootstrap import get_app, use
from handlers.http import actions, health, metrics, openapi, queues, replications
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.listing import TableListing
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import FailureCode
from replication.domain.job import HistoryEntry, Phase, ReplicationJob, entry_id
from replication.operations.journal import Action, ActionKind
from replication.ports import DeadLetter, QueueName
from replication.telemetry.metrics import JOBS, LETTERS, QUEUE_DEPTH, REPLICAS
from tests.support.builders import NOON, version_id
from tests.support.dashboard.pages import ask
from tests.support.documents import DOCS, table_rows
from tests.support.http.calling import Answer, call
from tests.support.http.serving import develop
from tests.support.jobs import job
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.listings import job as listed_job
from tests.support.storage.wire import Sent, Wire, running_storage

MANY = 240
KEY = version_id(version="1.0.0").key
LETTER = f"{0:032x}"
PAGES = {
    "/dashboard": "Overview",
    "/dashboard/replications": "Replications",
    "/dashboard/replications?phase=failed&gallery=labgallery": "Replications",
    "/dashboard/replications?sort=name": "Replications",
    "/dashboard/replications?search=mat": "Replications, searched",
    f"/dashboard/replications/{KEY}": "One replication",
    "/dashboard/dead-letters": "Dead letters",
    "/dashboard/dead-letters?failure_code=locked&state=replayed": "Dead letters",
    "/dashboard/dead-letters?region=westus2": "Dead letters, of a region",
    f"/dashboard/dead-letters/{LETTER}": "One dead letter",
    "/dashboard/regions": "Regions",
    "/dashboard/policy": "Policy",
    "/dashboard/actions": "Actions",
}
# The function, its route, its parameters and the call of docs/api.md.
CALLS: tuple[tuple[Any, dict[str, str], dict[str, str], str], ...] = (
    (health.health, {}, {}, "health"),
    (openapi.openapi, {}, {}, "openapi.json"),
    (replications.replications, {}, {}, "replications"),
    (replications.replications, {}, {"phase": "failed"}, "replications?phase=failed"),
    (replications.replication, {"key": KEY}, {}, "replications/{key}"),
    (queues.queues, {}, {}, "queues"),
    (letters_api.list_letters, {}, {}, "dead-letters"),
    (letters_api.show, {"id": LETTER}, {}, "dead-letters/{id}"),
    (actions.actions, {}, {}, "actions"),
)
LIMIT = 50
# What stands beside the rows that a page shows: eight counts of each kind, hours, and so on.
MOST_ROWS = {
    "Overview": {"table listing": 2 * LIMIT + 8 * (len(Phase) + 2 + 24 + len(FailureCode))},
    "Dead letters": {"table listing": LIMIT + 1 + 9 * len(FailureCode)},
    "Dead letters, of a region": {"table listing": LIMIT + 1 + 9 * len(FailureCode)},
    "One replication": {"table history": 201, "table replications": 1},
}


PARTS = {
    "the queues": ("queue",),
    "what instances share": ("table controls",),
    "counts of jobs and replicas, and of dead letters": ("table listing",),
    "the books": ("blob",),
}


@pytest.fixture(autouse=True)
def _developers_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    develop(monkeypatch)


@contextmanager
def on_an_emulator() -> Iterator[str]:
    """Let the app find a storage of its own, which nobody else fills."""
    with (
        running_storage() as storage,
        pytest.MonkeyPatch.context() as patch,
        use(None),
    ):
        patch.setenv("AzureWebJobsStorage", storage)
        patch.setenv("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1:9")
        for timer in ("SWEEP", "COST_AUDIT", "NOTICE"):
            patch.setenv(f"{timer}_SCHEDULE", "0 0 0 1 1 *")
        yield storage


@pytest.fixture
def storage() -> Iterator[str]:
    with on_an_emulator() as storage:
        yield storage


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    """Leave so much behind that every list has several pages; return where."""
    with on_an_emulator() as storage:
        ports = get_app().ports
        jobs = [
            job(
                version_id(version=f"1.0.{number}"),
                phase=Phase.FAILED if number % 2 else Phase.SUCCEEDED,
            )
            for number in range(MANY)
        ]
        for one in jobs:
            ports.store.insert(one)
        fill(storage, jobs, letters=MANY, messages=1)
        with StorageAccount(connection_string=storage).tables() as tables:
            TableDeadLetters(Table(tables, "deadletters")).put(letter(0))
        ports.history.append(KEY, [look(number) for number in range(1_200)])
        for number in range(LIMIT + 10):
            action = Action(kind=ActionKind.RESUME, by="a test", why=str(number))
            get_app().operations.journal.carry_out(action, lambda: None, lambda _: (True, "done"))
        yield storage


def fill(storage: str, jobs: Iterable[ReplicationJob], *, letters: int, messages: int) -> None:
    """Leave jobs, letters and messages behind, in the lists and queues, as an app would."""
    app = get_app()
    listing = replace(app.listing, store=MemoryListing())
    for one in jobs:
        listing.note(one)
    laid = ListedLetters(store=MemoryDeadLetters(), listing=MemoryListing())
    for number in range(letters):
        laid.put(letter(number))
    with StorageAccount(connection_string=storage).tables() as tables:
        for store, partition in ((listing.store, "listing"), (laid.listing, "letters")):
            assert isinstance(store, MemoryListing)
            store.write_to(TableListing(Table(tables, "listing"), partition=partition))
    for queue in QueueName:
        for number in range(messages):
            app.ports.queues.put_back(queue, f"message {number}", delay_s=0)


def jobs_of_all_phases(count: int) -> list[ReplicationJob]:
    phases = tuple(Phase)
    return [
        listed_job(
            number,
            phase=phases[number % len(phases)],
            completed=number % 4,
            stuck=number % 3 == 0,
        )
        for number in range(count)
    ]


def letter(number: int) -> DeadLetter:
    return DeadLetter(
        id=f"{number:032x}",
        source="job",
        code=tuple(FailureCode)[number % len(FailureCode)].value,
        cause="a test",
        at=NOON,
        attempts=1,
        correlation_id="c",
        image_version_id=str(version_id(version=f"1.0.{number}")),
        raw="raw",
        regions=("westus2",),
    )


def look(number: int) -> HistoryEntry:
    at = NOON + timedelta(minutes=number)
    return HistoryEntry(
        id=entry_id(at, number),
        at=at,
        event="track",
        reason=f"under way: westus2 {number % 100} %",
    )


def counted(storage: str, ask_once: Callable[[], Answer]) -> tuple[Sent, Answer]:
    """Ask a process that has just started, after its tables and queues came into being."""
    ask_once()
    with use(None), Wire(storage).counting() as sent:
        answer = ask_once()
    assert answer.status == 200, answer.text
    return sent, answer


def seen(storage: str, ask_once: Callable[[], Answer]) -> tuple[Sent, Answer]:
    sent, answer = counted(storage, ask_once)
    # Prices, which an instance keeps for an hour, and sizes, which it keeps for ten minutes.
    assert sent.requests.pop("blob cost-ledger", 0) <= 2
    return sent, answer


@pytest.mark.parametrize("address", PAGES)
def test_a_page_costs_what_the_document_says(filled: str, address: str) -> None:
    title = PAGES[address]
    sent, _ = seen(filled, lambda: ask(address))
    text = (DOCS / "dashboard.md").read_text()
    documented = dict(re.findall(r"^\| ([A-Z][^|]+?) \| (\d+) \|", text, flags=re.MULTILINE))
    total = sent.requests.total()
    if title.startswith("Dead letters"):
        total -= len(FailureCode)  # "and one for each cause"
    if title == "Dead letters, of a region":
        total += 1  # no letter here is about so many regions that it has a range of its own
    if title == "Overview":
        total += 5  # the records of so many that are stuck, of which there are none here
    assert total == int(documented[title]), sent.requests
    most = MOST_ROWS.get(title, {})
    for about, rows in sent.rows.items():
        if about != "table controls":
            assert rows <= most.get(about, LIMIT + 1), about


@pytest.mark.parametrize(("function", "route", "params", "name"), CALLS)
def test_a_call_of_the_api_costs_what_the_document_says(
    filled: str, function: Any, route: dict[str, str], params: dict[str, str], name: str
) -> None:
    sent, answer = seen(filled, lambda: call(function, route=route, params=params))
    (row,) = (one for one in table_rows(DOCS / "api.md") if one[0] == f"`GET /api/v1/{name}`")
    expected = int(row[2].split(",")[0])
    if "for each item" in row[2]:
        expected += len(answer.json["items"])
    assert sent.requests.total() == expected, sent.requests
    for about, rows in sent.rows.items():
        assert rows <= (500 if about == "table history" and "{key}" in name else LIMIT + 1), about


def test_a_list_of_the_api_is_paged_through_to_its_end(filled: str) -> None:
    assert filled
    for params in ({}, {"phase": "failed"}, {"sort": "name"}, {"gallery": "labgallery"}):
        keys: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = call(replications.replications, params={**params, **cursor, "limit": "100"}).json
            keys += [one["key"] for one in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(keys) == len(set(keys)) == (MANY // 2 if "phase" in params else MANY), params


def test_a_scrape_costs_what_the_document_says_however_much_there_is(storage: str) -> None:
    fill(storage, jobs_of_all_phases(2), letters=2, messages=1)
    few, _ = counted(storage, lambda: call(metrics.metrics))
    fill(storage, jobs_of_all_phases(300), letters=300, messages=40)
    sent, answer = counted(storage, lambda: call(metrics.metrics))
    many, text = sent.requests, answer.text
    assert many == few.requests
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
    fill(storage, (), letters=0, messages=40)
    sent, _ = counted(storage, lambda: call(queues.queues))
    found = sent.requests
    shared = found.pop("table controls")
    by_queue = Counter[str]()
    for about, count in found.items():
        by_queue[about.removeprefix("queue ").removesuffix("-poison")] += count
    assert by_queue == {queue.value: 3 for queue in QueueName}
    assert shared == 1
