"""The architecture's document uses the words of the code, and its rooms are those of the house."""

import re
import tomllib
from collections.abc import Iterator

import pytest

from replication.domain.job import Phase, ReplicaState
from replication.ports import QueueName
from tests.support.documents import DOCS, PROJECT, prose
from tests.support.http.served import functions

TEXT = prose(DOCS / "architecture.md")
WHOLE = (DOCS / "architecture.md").read_text(encoding="utf-8")


def _chapter(title: str) -> str:
    return TEXT.split(f"## {title}\n")[1].split("\n## ")[0]


def test_all_phases_and_states_are_named_and_no_others() -> None:
    named = set(re.findall(r"`(\w+)`", _chapter("Phases and states")))
    assert named == {*(phase.value for phase in Phase), *(state.value for state in ReplicaState)}


def test_each_of_the_seven_rules_says_where_in_the_code_it_lives() -> None:
    rules = re.split(r"^\d\. ", _chapter("The seven rules"), flags=re.MULTILINE)[1:]
    assert len(rules) == 7
    for rule in rules:
        named = re.findall(r"`(replication/[\w/]+\.py)`", rule)
        assert named, rule
        # A name in code is one that the files of its rule define.
        words = set(re.findall(r"`(\w+)`", rule))
        code = "".join((PROJECT / name).read_text(encoding="utf-8") for name in named)
        assert {word for word in words if not re.search(rf"\b{word}\b", code)} == set()


def test_every_function_that_is_no_page_of_the_api_stands_in_the_document() -> None:
    names = [str(one.get_function_name()) for one in functions()]
    missing = [name for name in names if not re.search(rf"\b{name}\b", WHOLE)]
    assert [name for name in missing if not name.startswith("api_")] == []


def test_every_queue_stands_in_the_document() -> None:
    assert [queue.value for queue in QueueName if queue.value not in WHOLE] == []


CONTRACTS = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]
# The table of the rooms, and the folder that they are in.
HOUSE = [("The house", "."), ("The product", "replication"), ("The audit", "costs")]


def rooms(table: str) -> list[list[str]]:
    """Return the rooms of a table, row by row; of a room in a room, the outer one."""
    below = _chapter("Rooms").split(f"**{table}**")[1]
    head = below.index("\n|---")
    cells = [line.split("|")[1] for line in below[head:].split("\n\n")[0].splitlines()[2:]]
    return [re.findall(r"`(\w+)(?:\.py|/)`", cell) for cell in cells]


def packages(folder: str) -> Iterator[str]:
    yield from sorted(path.parent.name for path in (PROJECT / folder).glob("*/__init__.py"))


@pytest.mark.parametrize(("table", "folder"), HOUSE)
def test_every_package_stands_among_the_rooms(table: str, folder: str) -> None:
    beside = _chapter("Rooms").split("Outside of the product:")[1] if folder == "." else ""
    named = {name for row in rooms(table) for name in row} | set(re.findall(r"`(\w+)/`", beside))
    assert [name for name in packages(folder) if name not in named] == []


@pytest.mark.parametrize("table", [table for table, _ in HOUSE])
def test_the_rooms_stand_in_the_order_of_their_layers(table: str) -> None:
    (contract,) = (one for one in CONTRACTS if one["name"] == table)
    layers = [layer.split(" | ") for layer in contract["layers"]]
    listed = [name for row in rooms(table) for name in row if name != "function_app"]
    assert sorted(listed) == sorted(name for layer in layers for name in layer)
    floors = [next(n for n, layer in enumerate(layers) if name in layer) for name in listed]
    assert floors == sorted(floors)
