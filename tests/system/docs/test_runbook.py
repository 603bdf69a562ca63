"""The runbook says of every failure code what the code says, and names only what there is."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import cli
from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES
from replication.guards import region_health
from replication.notices.rules import ABOUT_QUEUES, TIMER_ABSENT
from tests.support.documents import DOCS, anchors, table_rows

RUNBOOK = DOCS / "runbook.md"
TEXT = RUNBOOK.read_text(encoding="utf-8")
INTRODUCTION, *PARTS = re.split(r"^## ", TEXT, flags=re.MULTILINE)
SECTIONS = {part.splitlines()[0]: part.partition("\n")[2].strip() for part in PARTS}
SETTINGS = {row[0].strip("`") for row in table_rows(DOCS / "settings.md")}
POLICY = (DOCS / "policy.md").read_text(encoding="utf-8")
POINTS = ["Kind", "Budget", "Look", "Do", "Send again"]

_SPAN = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
# Written so for whatever the reader has to put there.
_STAND_INS = {"ID", "CODE", "REGION"}


def spans(text: str) -> list[str]:
    return [" ".join(one.split()) for one in _SPAN.findall(text)]


def points(code: str) -> dict[str, str]:
    """Return the list of a section: what stands after the words before the colon."""
    _, *items = re.split(r"^- ", SECTIONS[code], flags=re.MULTILINE)
    pairs = (" ".join(item.split()).partition(": ") for item in items)
    return {name: said for name, _, said in pairs}


def commands(text: str) -> Iterator[list[str]]:
    for span in spans(text):
        words = span.split()
        if words[0] == "gallery-replicator":
            yield words[1:]


def test_every_code_has_a_section_and_so_have_the_troubles_of_queues() -> None:
    others = (*ABOUT_QUEUES, TIMER_ABSENT)
    assert list(SECTIONS) == sorted([*(code.value for code in FailureCode), *others])


@pytest.mark.parametrize("code", FailureCode)
def test_the_address_that_a_failure_gives_leads_to_its_section(code: FailureCode) -> None:
    path, _, anchor = FAILURES[code].runbook.partition("#")
    assert path == "docs/runbook.md"
    assert anchor in anchors(RUNBOOK)


@pytest.mark.parametrize("code", FailureCode)
def test_a_section_begins_with_the_sentence_that_operators_see(code: FailureCode) -> None:
    sentence = " ".join(SECTIONS[code].partition("\n\n")[0].split())
    assert sentence == FAILURES[code].sentence


@pytest.mark.parametrize("code", FailureCode)
def test_a_section_says_whether_it_passes_by_itself_and_within_which_budget(
    code: FailureCode,
) -> None:
    said = points(code)
    assert list(said) == POINTS
    assert said["Kind"] == ("transient." if FAILURES[code].transient else "permanent.")
    assert said["Budget"].replace("`", "") == f"{FAILURES[code].tries.value}."


@pytest.mark.parametrize("code", FailureCode)
def test_a_section_names_commands_to_look_and_to_go_on(code: FailureCode) -> None:
    said = points(code)
    look = {words[0] for words in commands(said["Look"])}
    assert look & {"status", "dead-letters"}
    again = [words[:2] for words in commands(said["Send again"])]
    assert any(words == ["dead-letters", "replay"] or words[0] == "replicate" for words in again)


def test_every_setting_that_is_named_exists() -> None:
    named = {word for span in spans(TEXT) for word in _SETTING.findall(span)}
    assert named
    assert named <= SETTINGS


def test_every_key_of_the_policy_that_is_named_exists() -> None:
    named = {one for one in spans(TEXT) if re.fullmatch(r"[a-z_]+\.[a-z_]+", one)}
    named = {one for one in named if one.split(".")[0] in POLICY and "circuit" not in one}
    assert {"regions.denied", "repair.remove_and_add_back"} <= named
    assert [one for one in sorted(named) if f"`{one}`" not in POLICY] == []


def test_every_log_line_that_is_named_exists() -> None:
    source = inspect.getsource(region_health)
    named = {one for one in spans(TEXT) if one.startswith("circuit.")}
    assert named == {"circuit.opened", "circuit.closed"}
    assert all(f'"{one}"' in source for one in named)


@pytest.mark.parametrize("words", list(commands(TEXT)), ids=" ".join)
def test_every_command_that_is_named_exists_with_its_options(words: list[str]) -> None:
    command: Any = typer.main.get_command(cli)
    rest = list(words)
    # A group that does something by itself may be named alone.
    while hasattr(command, "commands") and (rest or not command.invoke_without_command):
        assert rest[0] in command.commands
        command = command.commands[rest.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options
    codes = {code.value for code in FailureCode}
    values = {word for word in rest if not word.startswith("--")}
    assert values <= _STAND_INS | codes


def test_a_code_in_a_command_is_the_one_that_its_section_is_about() -> None:
    for code, section in SECTIONS.items():
        for words in commands(section):
            if "--code" in words:
                assert words[words.index("--code") + 1] == code
