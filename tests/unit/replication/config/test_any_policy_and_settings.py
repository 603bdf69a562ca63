"""Any policy file and any environment is read, or refused with what is wrong named."""

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.config.policy_file import (
    MAX_BYTES,
    MAX_PROBLEMS,
    PolicyFileError,
    load_policy,
    parse_policy,
)
from replication.config.settings import Settings, SettingsError
from replication.domain.policy import ReplicationPolicy
from tests.support.builders import version_id
from tests.support.horrors import (
    ANY_TEXT,
    BODIES,
    LARGE_CHARACTERS,
    TEXTS,
    VALUES,
    every_mutation,
    mutations,
)
from tests.support.speed import examples
from tests.support.strategies import outcome

POLICY = {
    "version": 1,
    "galleries": {"attach": ["lab*"], "detach": ["labtest"]},
    "regions": {"extra": ["Sweden Central"], "denied": ["westus3"]},
    "new_regions": {"replica_count": 2, "storage_account_type": "Standard_ZRS"},
    "repair": {"remove_and_add_back": False, "restore_removed_regions": True},
}
SAMPLE = Path(__file__).parents[4] / "local.settings.sample.json"
STORAGE = [f"AzureWebJobsStorage__{part}" for part in ("accountName", "clientId")]
STORAGE += [f"AzureWebJobsStorage__{part}ServiceUri" for part in ("queue", "table")]
# Every setting of the app stands in the sample.
NAMES = tuple(sorted({*STORAGE, *json.loads(SAMPLE.read_text("utf-8"))["Values"]}))


def read(content: bytes) -> ReplicationPolicy | PolicyFileError:
    """Read a policy as an administrator would meet it: refused in short, or usable."""
    found = outcome(lambda: parse_policy(content, name="p.yaml"), PolicyFileError)
    if isinstance(found, PolicyFileError):
        assert 0 < len(found.problems) <= MAX_PROBLEMS + 1
        assert all(0 < len(one) < 1000 for one in found.problems)
        return found
    assert isinstance(found, ReplicationPolicy)
    assert len(found.fingerprint) == 16
    found.why_out_of_scope(version_id())
    return found


def as_yaml(document: Any) -> bytes:
    try:
        text: str = yaml.safe_dump(document, allow_unicode=True)
    except (yaml.YAMLError, RecursionError, ValueError):
        text = repr(document)
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("content", BODIES, ids=range(len(BODIES)))
def test_bytes_of_every_kind_are_a_policy_or_refused(content: bytes) -> None:
    read(content)


@pytest.mark.slow
def test_every_horror_at_every_place_of_a_policy_is_read_or_refused() -> None:
    small = [one for one in VALUES if len(repr(one)) < LARGE_CHARACTERS]
    refused = sum(
        isinstance(read(as_yaml(document)), PolicyFileError)
        for _, document in every_mutation(POLICY, small)
    )
    assert refused > 500


@pytest.mark.slow
def test_large_values_are_refused_in_short() -> None:
    places = itertools.cycle(POLICY)
    for value in VALUES:
        if len(repr(value)) >= LARGE_CHARACTERS:
            assert isinstance(read(as_yaml({next(places): value})), PolicyFileError)


@given(document=mutations(POLICY))
@settings(max_examples=examples(100))
def test_a_policy_with_anything_wrong_is_read_or_refused(document: Any) -> None:
    read(as_yaml(document))


@pytest.mark.parametrize("value", ["true", "True", "yes", "1.0", "!!float 1", "!!bool true"])
def test_a_version_that_only_equals_one_is_refused(value: str) -> None:
    found = read(f"version: {value}\n".encode())
    assert isinstance(found, PolicyFileError)
    (said,) = found.problems
    assert said.startswith("line 1: version: ")
    assert said.endswith("not the number 1")


def test_a_policy_of_a_newer_version_is_refused() -> None:
    found = read(b"version: 2\nlater: {}\n")
    assert isinstance(found, PolicyFileError)
    assert found.problems[0] == "line 1: version: Input should be 1"


@pytest.mark.parametrize("tag", ["map", "seq", "set", "omap", "pairs", "binary", "merge", "value"])
def test_a_text_that_calls_itself_something_larger_is_refused(tag: str) -> None:
    for key in ("galleries", "regions", "version"):
        found = read(f"{key}: !!{tag} x\n".encode())
        assert isinstance(found, PolicyFileError)
        assert found.problems[0].startswith("line 1: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"k{number}: 1\n" for number in range(20_000)),
        "regions: {extra: [" + "5, " * 20_000 + "]}",
        "x" * 250_000 + ": 1",
        "version: " + "1:" * 10_000 + "1",
        "version: '" + "x" * 250_000 + "'",
        "galleries: {attach: [" + ", ".join(["'*a*a*a*a*a*a*b'"] * 10_000) + "]}",
        "#" * 250_000,
        "\n" * 250_000,
        "- " * 20_000,
        "? " * 20_000,
        "[" * 100_000,
        "&a " * 10_000,
        "!!str " * 10_000,
        "%TAG ! x\n" * 5_000,
        "---\n" * 10_000,
        "|\n " + "x\n " * 60_000,
    ],
    ids=range(16),
)
def test_a_large_file_of_mistakes_is_read_or_refused_soon(text: str) -> None:
    assert len(text) <= MAX_BYTES
    started = time.process_time()
    read(text.encode())
    assert time.process_time() - started < 60  # a hang, not a slow machine


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, "", ".", "/dev/null/x"])
def test_a_path_that_is_none_is_named_with_the_setting(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyFileError, match=r"cannot be read .*REPLICATION_POLICY"):
        load_policy(tmp_path / name)


def configure(env: dict[str, str]) -> Settings | SettingsError:
    found = outcome(lambda: Settings.from_env(env, app_root=Path("/app")), SettingsError)
    if isinstance(found, SettingsError):
        lines = str(found).split("\n")
        assert all(line.startswith(NAMES) for line in lines)
        assert all(len(line) < 1000 for line in lines)
        assert all(line.isprintable() for line in lines)
        return found
    assert isinstance(found, Settings)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_horror_in_every_setting_is_read_or_named(name: str) -> None:
    plain = {} if name.startswith("AzureWebJobsStorage_") else {"AzureWebJobsStorage": "a=b"}
    for text in TEXTS:
        found = configure({**plain, name: text})
        if isinstance(found, SettingsError) and plain and name != "AzureWebJobsStorage":
            assert name in str(found)


@given(env=st.dictionaries(st.sampled_from(NAMES) | ANY_TEXT, ANY_TEXT, max_size=8))
@settings(max_examples=examples(150))
def test_any_environment_is_read_or_refused_by_name(env: dict[str, str]) -> None:
    configure(env)


@pytest.mark.parametrize("name", ["AZURE_RESOURCE_MANAGER_URL", "OUTCOME_TOPIC_ENDPOINT"])
@pytest.mark.parametrize(
    "url",
    [
        "https://exa\nmple.org",
        "https://example.org/\0",
        "https://example.org:99999",
        "https://example.org:port",
        "https://exam ple.org",
        "https://\ud800.org",
        "https://" + "x" * 5000,
        "http://127.0.0.1:x",
        "http://localhost\t",
    ],
)
def test_a_url_that_no_client_could_use_is_named(name: str, url: str) -> None:
    text = url + "/path"
    found = configure({"AzureWebJobsStorage": "a=b", name: text})
    assert isinstance(found, SettingsError)
    assert str(found).startswith(f"{name} is ")


def test_an_account_name_that_is_none_is_named() -> None:
    for name in ("a/b", "a.b#", "UPPER", "x", "\ud800", "x" * 25, "a\nb"):
        found = configure({"AzureWebJobsStorage__accountName": name})
        assert isinstance(found, SettingsError), name
        assert "AzureWebJobsStorage__accountName is " in str(found)


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_policy_path_that_is_none_is_named(path: str) -> None:
    found = configure({"AzureWebJobsStorage": "a=b", "REPLICATION_POLICY": path})
    assert isinstance(found, SettingsError)
    assert str(found).startswith("REPLICATION_POLICY is ")
