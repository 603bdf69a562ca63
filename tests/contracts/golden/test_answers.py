"""What a released version answered, published and booked is answered so from its rows again."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from costs.ledger.files import read_rows
from replication.ports import QueueName
from tests.contracts.golden.data import FOLDER, Raw, lines
from tests.contracts.golden.facts import facts
from tests.contracts.golden.produced import day_prices, events, ledger
from tests.contracts.golden.worlds import ask, recorded_world
from tests.support.http.serving import develop

_WORLDS = ("many", "costs", "acts")


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    develop(monkeypatch)
    # The ledger copies its files into the folder for temporary files.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("name", _WORLDS)
def test_every_call_is_answered_as_it_was(name: str) -> None:
    (recorded,) = (one for one in lines("answers") if one["name"] == name)
    world = recorded_world(recorded)
    for asked in recorded["calls"]:
        status, text = ask(world, asked)
        text = without_later_queue(text)
        assert (status, exactly(text)) == (asked["status"], exactly(asked["answer"])), asked


def without_later_queue(text: str) -> str:
    """Leave out the queue that came after that commit; it stands last."""
    text = text.replace(f", {QueueName.EVENTS}", "")
    items = json.loads(text).get("items") if text.startswith("{") else None
    if items and items[-1].get("name") == QueueName.EVENTS:
        return json.dumps({"items": items[:-1]})
    return text


def exactly(text: str) -> Any:
    """Read JSON with each number as it was written, for 1.0 is not 1; other text stays as it is."""
    try:
        return json.loads(text, parse_float=lambda digits: f"number {digits}")
    except ValueError:
        return text


def test_every_sort_of_answer_was_recorded() -> None:
    calls = [call for one in lines("answers") for call in one["calls"]]
    assert len(calls) > 200
    assert {200, 202, 400, 404, 409} <= {call["status"] for call in calls}
    assert len({call["call"] for call in calls}) == len(_CALLS)
    assert {call["call"] for call in calls} == _CALLS


_CALLS = {
    *("health", "replications", "replication", "queues", "actions", "costs", "plan"),
    *("dead_letters", "dead_letter", "replay", "discard", "replay_many", "discard_many"),
    *("replicate", "cancel", "release", "pause", "resume"),
}


def test_the_same_events_are_published() -> None:
    recorded = list(lines("events"))
    assert [one["what"] for one in recorded if events(one) != one["answer"]] == []
    kinds = {event["event_type"].rpartition(".")[2] for one in recorded for event in one["answer"]}
    assert kinds == {
        "ReplicaCompleted",
        "ReplicationCompleted",
        "ReplicationFailed",
        "RegionHeldBack",
        "RegionReleased",
    }


def test_the_same_rows_are_booked() -> None:
    first, *recorded = lines("ledger")
    prices = day_prices(first)
    assert [one["day"] for one in recorded if ledger(one, prices) != one["answer"]] == []
    assert sum(len(one["answer"]) for one in recorded) > 300


@pytest.mark.parametrize("recorded", list(lines("ledger_files")), ids=lambda one: str(one["file"]))
def test_a_ledger_file_is_read_row_by_row(recorded: Raw) -> None:
    assert facts(list(read_rows(FOLDER / recorded["file"]))) == recorded["rows"]
