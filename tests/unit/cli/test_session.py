"""local.settings.json fills what the environment lacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from bootstrap.app import App
from cli.session import LOCAL_SETTINGS
from replication.config.settings import SettingsError
from tests.support.fakes import World
from tests.support.shell import Shell


def write(folder: Path, document: Any) -> None:
    (folder / LOCAL_SETTINGS).write_text(json.dumps(document), encoding="utf-8-sig")


def test_values_of_the_file_fill_in_and_those_of_the_environment_stay(
    world: World, shell: Shell
) -> None:
    write(shell.folder, {"IsEncrypted": False, "Values": {"AZURE_CLOUD": "A", "LEASE": "file"}})
    shell.env["LEASE"] = "environment"
    seen: list[dict[str, str]] = []

    def open_app() -> App:
        seen.append(dict(shell.env))
        return world.app

    shell.open_app = open_app
    assert shell("queues").code == 0
    assert seen == [{"AZURE_CLOUD": "A", "LEASE": "environment"}]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], 'holds no object "Values"'),
        ({"Values": []}, 'holds no object "Values"'),
        ({"IsEncrypted": True, "Values": {}}, "is encrypted; decrypt it with"),
        ({"Values": {"LEASE_DURATION_S": 5}}, "the value of 'LEASE_DURATION_S' must be a text"),
        ({"Values": {"A=B": "x"}}, "'A=B'"),
    ],
)
def test_a_file_that_cannot_be_used_has_failed_and_says_why(
    closed_shell: Shell, document: Any, said: str
) -> None:
    write(closed_shell.folder, document)
    answer = closed_shell("queues", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert said in answer.err


def test_a_file_that_is_not_json_has_failed(closed_shell: Shell) -> None:
    (closed_shell.folder / LOCAL_SETTINGS).write_text("{", encoding="utf-8")
    answer = closed_shell("queues")
    assert answer.code == 1
    assert "is not JSON" in answer.err


def test_a_file_that_cannot_be_read_has_failed(closed_shell: Shell) -> None:
    (closed_shell.folder / LOCAL_SETTINGS).mkdir()
    answer = closed_shell("queues")
    assert answer.code == 1
    assert "cannot be read" in answer.err


def test_missing_settings_have_failed_with_a_line_for_each(closed_shell: Shell) -> None:
    def open_app() -> App:
        raise SettingsError("A is missing\nB is 'x'")

    closed_shell.open_app = open_app
    answer = closed_shell("status")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "Error: A is missing\nError: B is 'x'\n"
