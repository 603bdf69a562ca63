"""Any command line ends with an exit code of the contract and a sentence, never a traceback."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.main import cli
from cli.session import LOCAL_SETTINGS, Session
from tests.support.builders import SUBSCRIPTION, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.horrors import ANY_TEXT, BODIES, TEXTS, VALUES
from tests.support.rows import UNREADABLE
from tests.support.speed import examples

BROKEN = version_id(image="broken")
ID = str(version_id())
# A command line holds no NUL and no more than 128 KiB an argument.
ARGUMENTS = tuple(text for text in TEXTS if "\0" not in text)
ANY_ARGUMENT = ANY_TEXT.filter(lambda text: "\0" not in text)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("plan", "@"),
    ("plan", "--json", "--", "@"),
    ("replicate", "--", "@"),
    ("status", "--", "@"),
    ("status", "--phase", "@"),
    ("status", "--gallery", "@"),
    ("status", "--geography", "@"),
    ("status", "--limit", "@"),
    ("status", "--json", "--gallery", "@"),
    ("regions", "--", "@"),
    ("regions", "--json", "--", "@"),
    ("regions", "--subscription", "@"),
    ("policy", "check", "--", "@"),
    ("policy", "check", "--json", "--", "@"),
    ("policy", "@"),
    ("queues", "@"),
    ("sweep", "@"),
    ("@",),
    ("--@",),
    ("plan", "--@"),
)


@pytest.fixture(scope="module")
def world() -> World:
    world = build_world()
    for version in (BROKEN, version_id()):
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    return world


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def run(world: World, folder: Path, *args: str) -> tuple[int, str]:
    """Run a command and check that it ended as the contract says."""
    session = Session(open_app=lambda: world.app, env={}, folder=folder)
    result = CliRunner(charset="utf-8").invoke(cli, list(args), obj=session)
    said = result.stderr
    assert result.exit_code in (0, 1, 2, 3, 4), args
    assert result.exception is None or isinstance(result.exception, SystemExit), args
    assert "Traceback" not in said
    assert "please report it" not in said, said[:500]
    if result.exit_code and not result.stdout:
        assert said.strip()
    if "--json" in args and not result.exit_code:
        json.loads(result.stdout)
    return result.exit_code, said


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_horror_as_an_argument_ends_with_an_exit_code(
    world: World, folder: Path, command: tuple[str, ...]
) -> None:
    for text in ARGUMENTS:
        run(world, folder, *(part.replace("@", text) for part in command))


@given(command=st.sampled_from(COMMANDS), text=ANY_ARGUMENT)
@settings(max_examples=examples(80))
def test_any_argument_ends_with_an_exit_code(
    world: World, folder: Path, command: tuple[str, ...], text: str
) -> None:
    run(world, folder, *(part.replace("@", text) for part in command))


@given(words=st.lists(ANY_ARGUMENT | st.sampled_from(["plan", "status", "--json", ID]), max_size=4))
@settings(max_examples=examples(60))
def test_any_words_end_with_an_exit_code(world: World, folder: Path, words: list[str]) -> None:
    run(world, folder, *words)


@pytest.mark.parametrize("option", ["--gallery", "--geography"])
@pytest.mark.parametrize("text", ["x" * 257, "\udcff", "a\nb"])
def test_a_name_that_no_table_could_be_asked_for_is_wrong_usage(
    world: World, folder: Path, option: str, text: str
) -> None:
    code, said = run(world, folder, "status", option, text)
    assert code == 2
    assert said.startswith(f"Error: {option} is ")


@pytest.mark.parametrize("text", UNREADABLE[::3])
def test_a_record_that_cannot_be_read_is_told_and_hides_no_other(folder: Path, text: str) -> None:
    world = build_world()
    for version in (BROKEN, version_id()):
        world.gallery.add(version, version_body())
        world.app.intake.receive(written_event(version), {})
    world.store.rows[BROKEN.key] = (text, 77)
    code, said = run(world, folder, "status", BROKEN.key)
    assert code == 1
    assert "the record" in said
    assert run(world, folder, "status", "--json")[0] == 0
    assert run(world, folder, "status", "--json", ID)[0] == 0
    assert run(world, folder, "replicate", str(BROKEN))[0] == 1
    assert run(world, folder, "sweep")[0] == 1
    assert world.store.rows[BROKEN.key] == (text, 77)


def settle(folder: Path, content: bytes) -> None:
    (folder / LOCAL_SETTINGS).write_bytes(content)


@pytest.mark.parametrize("content", BODIES, ids=range(len(BODIES)))
def test_a_file_of_local_settings_that_is_none_is_named(
    world: World, tmp_path: Path, content: bytes
) -> None:
    settle(tmp_path, content)
    code, said = run(world, tmp_path, "queues")
    if code:
        assert (code, LOCAL_SETTINGS in said) == (1, True)


@pytest.mark.slow
def test_every_horror_in_local_settings_is_set_or_named(world: World, tmp_path: Path) -> None:
    documents: list[Any] = [{"Values": value} for value in VALUES]
    documents += [{"Values": {"AZURE_CLOUD": value}} for value in VALUES]
    documents += [{"Values": {text: "x"}} for text in TEXTS]
    documents += [{"IsEncrypted": value, "Values": {}} for value in VALUES]
    for document in documents:
        settle(tmp_path, json.dumps(document).encode())
        code, said = run(world, tmp_path, "queues")
        assert (code, LOCAL_SETTINGS in said) in ((0, False), (1, True))
        assert len(said) < 1500


@pytest.mark.parametrize("text", ["\ud800", "a\0b"])
def test_a_local_setting_that_no_environment_holds_is_named(
    world: World, tmp_path: Path, text: str
) -> None:
    for values in ({"AZURE_CLOUD": text}, {text: "x"}):
        settle(tmp_path, json.dumps({"Values": values}).encode())
        code, said = run(world, tmp_path, "queues")
        assert (code, LOCAL_SETTINGS in said) == (1, True)


def test_the_subscription_of_an_id_is_no_wider_than_an_id(world: World, folder: Path) -> None:
    assert run(world, folder, "plan", ID.replace(SUBSCRIPTION, "x" * 60_000))[0] == 2
    assert run(world, folder, "plan", ID.replace("maths", "\u0131"))[0] in (2, 3)
