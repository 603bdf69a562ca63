"""`policy check` tells every mistake with its line."""

from pathlib import Path

import replication
from cli.session import Session
from tests.support.shell import Shell


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_valid_file_is_done_and_shows_its_fingerprint(
    closed_shell: Shell, tmp_path: Path
) -> None:
    path = write(tmp_path, "galleries:\n  attach: ['lab*']\n")
    answer = closed_shell("policy", "check", str(path))
    assert answer.code == 0
    assert answer.out.startswith(f"{path}: valid (fingerprint ")


def test_each_mistake_is_printed_with_its_line(closed_shell: Shell, tmp_path: Path) -> None:
    path = write(tmp_path, "galeries: {}\nnew_regions:\n  replica_count: 0\n")
    answer = closed_shell("policy", "check", str(path))
    lines = answer.out.splitlines()
    assert answer.code == 1
    assert sorted(line.removeprefix(f"{path}: ").split(":")[0] for line in lines) == [
        "line 1",
        "line 3",
    ]
    assert "did you mean 'galleries'?" in answer.out


def test_the_mistakes_as_json(closed_shell: Shell, tmp_path: Path) -> None:
    path = write(tmp_path, "new_regions:\n  replica_count: 0\n")
    answer = closed_shell("policy", "check", str(path), "--json")
    assert answer.code == 1
    assert [one.split(":")[0] for one in answer.json.pop("problems")] == ["line 2"]
    assert answer.json | {"problems": []} == {
        "file": str(path),
        "valid": False,
        "problems": [],
        "warnings": [],
        "fingerprint": None,
    }


def test_a_region_in_no_catalog_is_a_warning_that_names_the_nearest(
    closed_shell: Shell, tmp_path: Path
) -> None:
    path = write(tmp_path, "regions:\n  extra: [westeurop, westus]\n  denied: ['[red]']\n")
    answer = closed_shell("policy", "check", str(path), "--json")
    assert answer.code == 0
    assert answer.json["valid"] is True
    first, second = answer.json["warnings"]
    assert first.startswith("regions.extra: 'westeurop' is in no catalog")
    assert first.endswith("the nearest is 'westeurope'")
    assert second.startswith("regions.denied: '[red]' is in no catalog")
    assert "regions.denied: '[red]'" in closed_shell("policy", "check", str(path)).out


def test_region_names_of_another_cloud_are_not_held_against_the_snapshot(
    closed_shell: Shell, tmp_path: Path
) -> None:
    path = write(tmp_path, "regions:\n  extra: [usgovvirginia]\n")
    closed_shell.env["AZURE_CLOUD"] = "AzureUSGovernment"
    answer = closed_shell("policy", "check", str(path), "--json")
    assert answer.code == 0
    assert [one.split(":")[0] for one in answer.json["warnings"]] == [
        "the region names were not checked"
    ]


def test_a_file_that_is_not_there_is_not_found(closed_shell: Shell, tmp_path: Path) -> None:
    answer = closed_shell("policy", "check", str(tmp_path / "none.yaml"))
    assert answer.code == 3
    assert "cannot be read (No such file or directory)" in answer.out


def test_without_a_file_the_one_of_the_settings_is_checked(
    closed_shell: Shell, tmp_path: Path
) -> None:
    path = write(tmp_path, "version: 1\n")
    closed_shell.env["REPLICATION_POLICY"] = str(path)
    assert closed_shell("policy", "check", "--json").json["file"] == str(path)


def test_a_relative_path_in_the_settings_starts_at_the_app_as_it_does_for_the_app(
    tmp_path: Path,
) -> None:
    root = Path(replication.__file__).resolve().parent.parent
    session = Session(env={"REPLICATION_POLICY": "lab.yaml"}, folder=tmp_path)
    assert session.policy_path() == root / "lab.yaml"
    assert Session(env={}, folder=tmp_path).policy_path() == root / "replication-policy.yaml"
