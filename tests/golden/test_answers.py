"""What a released version answered, published and booked is answered so from its rows again."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from costs.ledger.files import read_rows
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, INSTANCE
from tests.golden.data import FOLDER, Raw, lines
from tests.golden.facts import facts
from tests.golden.produced import day_prices, events, ledger
from tests.golden.worlds import ask, recorded_world

_WORLDS = ("many", "costs", "acts")


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, INSTANCE):
        monkeypatch.delenv(name, raising=False)
    # The ledger copies its files into the folder for temporary files.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("name", _WORLDS)
def test_every_call_is_answered_as_it_was(name: str) -> None:
    (recorded,) = (one for one in lines("answers") if one["name"] == name)
    world = recorded_world(recorded)
    for asked in recorded["calls"]:
        status, text = ask(world, asked)
        answer = _without_discards(exactly(text)) if _names_a_released_job(asked) else exactly(text)
        assert (status, answer) == (asked["status"], exactly(asked["answer"])), asked


# Since then a released job goes on naming its letter, so that a crash cannot leave that open; so
# whoever discards the letter is named in the job's timeline, which was not so.
_RELEASED = "4c8315599f6cd48dae4ede4e536869a9"


def _names_a_released_job(asked: Raw) -> bool:
    return asked["call"] == "replication" and str(asked["route"]["key"]) == _RELEASED


def _without_discards(answer: Any) -> Any:
    return answer | {"history": [one for one in answer["history"] if one["event"] != "discard"]}


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
