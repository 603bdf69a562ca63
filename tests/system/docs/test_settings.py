"""The documents name exactly the settings that the code reads."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from replication.config.settings import Settings, SettingsError
from tests.support.documents import DOCS, PROJECT, table_rows
from tests.support.http.served import functions

# Read by the Functions host: for itself, and for the triggers that name them.
HOST_SETTINGS = {"FUNCTIONS_WORKER_RUNTIME"} | {
    name
    for function in functions()
    for name in re.findall(r"%(\w+)%", str(function.get_trigger().get_dict_repr()))
}
STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
ROWS = {row[0].strip("`"): row for row in table_rows(DOCS / "settings.md")}
SAMPLE: dict[str, str] = json.loads(
    (PROJECT / "local.settings.sample.json").read_text(encoding="utf-8")
)["Values"]


class Recorder(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings are asked for by name")

    def __len__(self) -> int:
        raise AssertionError("settings are asked for by name")


def _asked_for(values: Mapping[str, str]) -> set[str]:
    env = Recorder(values)
    with suppress(SettingsError):
        Settings.from_env(env, app_root=PROJECT)
    return env.asked


def _read(**values: str) -> Settings:
    return Settings.from_env({**STORAGE, **values}, app_root=Path("/app"))


def test_the_document_names_exactly_the_settings_that_are_read() -> None:
    read = _asked_for(STORAGE) | _asked_for({})
    assert sorted(ROWS) == sorted(read | HOST_SETTINGS)


def test_the_sample_names_exactly_the_settings_that_are_read_beside_a_connection_string() -> None:
    assert sorted(SAMPLE) == sorted(_asked_for(STORAGE) | HOST_SETTINGS)


def test_the_sample_can_be_used_as_it_is() -> None:
    sample = Settings.from_env(SAMPLE, app_root=PROJECT)
    assert sample.resource_manager_url == "http://127.0.0.1:7070"
    assert sample.policy_path.is_file()
    assert sample.limits == _read().limits


@pytest.mark.parametrize("name", sorted(set(ROWS) - HOST_SETTINGS))
def test_a_default_in_the_document_is_the_one_in_the_code(name: str) -> None:
    default = ROWS[name][1].strip("`")
    in_words = ("none", "none, needed", "from the name", "the cloud's")
    written = {} if default in in_words else {name: default}
    assert _read(**written) == _read()


@pytest.mark.parametrize("name", sorted(set(ROWS) - HOST_SETTINGS))
def test_a_number_has_a_default_and_a_unit_of_its_name(name: str) -> None:
    _, default, unit, meaning = ROWS[name]
    assert meaning.endswith(".")
    if name.endswith("_S"):
        assert (default.isdecimal(), unit) == (True, "seconds")
    if name.endswith("_H"):
        assert (default.isdecimal(), unit) == (True, "hours")
    if name.endswith("_ATTEMPTS"):
        assert default.isdecimal()
