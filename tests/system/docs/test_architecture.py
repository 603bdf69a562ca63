"""The architecture's document uses the words of the code."""

import re

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
