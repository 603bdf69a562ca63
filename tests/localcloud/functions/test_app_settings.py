import json
from pathlib import Path

import pytest

from localcloud.functions.app_settings import (
    is_development,
    is_disabled,
    prepare_environment,
    resolve,
)
from localcloud.functions.errors import HostStartError, RefusedFunctionError


def test_local_settings_fill_in_what_the_environment_lacks(tmp_path: Path) -> None:
    values = {"ONE": "file", "TWO": "file"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}))
    environment = {"ONE": "environment"}
    prepare_environment(tmp_path, environment)
    assert environment["ONE"] == "environment"
    assert environment["TWO"] == "file"
    assert environment["AzureWebJobsScriptRoot"] == str(tmp_path)
    assert environment["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert is_development(environment)


def test_an_environment_that_is_set_stays(tmp_path: Path) -> None:
    environment = {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}
    prepare_environment(tmp_path, environment)
    assert not is_development(environment)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", '"Values" must map'),
        ('{"Values": {"A": 1}}', '"Values" must map'),
        ('{"IsEncrypted": true, "Values": {}}', "is encrypted"),
    ],
)
def test_local_settings_that_cannot_be_read_are_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(HostStartError, match=sentence):
        prepare_environment(tmp_path, {})


def test_placeholders_take_the_settings_values() -> None:
    assert resolve("a-%B%-%C%", {"B": "1", "C": "2"}, where="here") == "a-1-2"
    assert resolve("plain", {}, where="here") == "plain"


@pytest.mark.parametrize("settings", [{}, {"B": ""}])
def test_a_placeholder_without_a_value_is_named(settings: dict[str, str]) -> None:
    with pytest.raises(RefusedFunctionError, match="here uses %B%, but the setting B is not set"):
        resolve("%B%", settings, where="here")


def test_a_function_is_disabled_by_either_name() -> None:
    assert is_disabled("f", {"AzureWebJobs.f.Disabled": "True"})
    assert is_disabled("f", {"azurewebjobs_F_disabled": "1"})
    # The host knows no such name, and no such word.
    assert not is_disabled("f", {"AzureWebJobs__f__Disabled": "true"})
    assert not is_disabled("f", {"AzureWebJobs.f.Disabled": "yes"})
    assert not is_disabled("f", {"AzureWebJobs.g.Disabled": "true"})
    assert not is_disabled("f", {"AzureWebJobs.f.Disabled": "false"})
