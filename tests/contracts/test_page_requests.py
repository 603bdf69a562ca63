"""What pages and lists cost on a real storage, in requests and rows, as the documents say."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import handlers.http.dead_letters as letters_api
from bootstrap import get_app, use
from handlers.http import actions, health, queues, replications
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.listing import TableListing
from replication.azure.storage.tables import Table
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import FailureCode
from replication.domain.job import HistoryEntry, Phase, entry_id
from replication.operations.journal import Action, ActionKind
from replication.ports import DeadLetter, QueueName
from tests.support.builders import NOON, version_id
from tests.support.dashboard.pages import ask
from tests.support.documents import DOCS, table_rows
from tests.support.http.calling import Answer, call
from tests.support.jobs import job
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
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


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with running_storage() as connection_string:
        yield connection_string


@pytest.fixture(autouse=True)
def _on_the_emulator(monkeypatch: pytest.MonkeyPatch, storage: str) -> Iterator[None]:
    monkeypatch.setenv("AzureWebJobsStorage", storage)
    monkeypatch.setenv("AZURE_RESOURCE_MANAGER_URL", "http://127.0.0.1:9")
    with use(None):
        yield


@pytest.fixture(scope="module")
def filled(storage: str) -> str:
    """Leave so much behind that every list has several pages; return where."""
    account = StorageAccount(connection_string=storage)
    with pytest.MonkeyPatch.context() as patch, account.tables() as tables, use(None):
        patch.setenv("AzureWebJobsStorage", storage)
        app = get_app()
        listing = replace(app.listing, store=MemoryListing())
        for number in range(MANY):
            phase = Phase.FAILED if number % 2 else Phase.SUCCEEDED
            one = job(version_id(version=f"1.0.{number}"), phase=phase)
            app.ports.store.insert(one)
            listing.note(one)
        laid = ListedLetters(store=MemoryDeadLetters(), listing=MemoryListing())
        for number in range(MANY):
            laid.put(letter(number))
        TableDeadLetters(Table(tables, "deadletters")).put(letter(0))
        for store, partition in ((listing.store, "listing"), (laid.listing, "letters")):
            assert isinstance(store, MemoryListing)
            store.write_to(TableListing(Table(tables, "listing"), partition=partition))
        for queue in QueueName:
            app.ports.queues.put_back(queue, "a message", delay_s=0)
        app.ports.history.append(KEY, [look(number) for number in range(1_200)])
        for number in range(LIMIT + 10):
            action = Action(kind=ActionKind.RESUME, by="a test", why=str(number))
            app.operations.journal.carry_out(action, lambda: None, lambda _: (True, "done"))
    return storage


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


def seen(storage: str, ask_once: Any) -> tuple[Sent, Answer]:
    """Ask a process that has just started, after its tables and queues came into being."""
    ask_once()
    with use(None), Wire(storage).counting() as sent:
        answer: Answer = ask_once()
    assert answer.status == 200, answer.text
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
