"""What the documents point at exists."""

import re
from pathlib import Path

import pytest

from tests.support.documents import (
    DOCS,
    PROJECT,
    anchors,
    documents,
    headings,
    links,
    prose,
    table_rows,
)

ADR_SECTIONS = ["Context", "Decision", "Alternatives", "Consequences", "Non-goals"]
ADRS = sorted((DOCS / "adr").glob("*.md"))

# Paths in `code` that name a file or folder of the project.
_PATH = re.compile(
    r"`((?:api|bench|bootstrap|cli|costs|dashboard|docs|handlers|localcloud|ops|replication|scripts"
    r"|tests|tools)/[\w./-]*"
    r"|[\w.-]+\.(?:toml|lock|yaml|md|txt)|host\.json|local\.settings\.sample\.json"
    r"|function_app\.py|Makefile)`"
)

# Written by `make bench`.
_MADE = {"bench/results/latest.json"}


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


@pytest.mark.parametrize("path", documents(), ids=_name)
def test_every_internal_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    broken = []
    for link in links(path):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        inside = target.is_relative_to(PROJECT)
        if (
            not inside
            or not target.exists()
            or (fragment and (target.suffix != ".md" or fragment not in anchors(target)))
        ):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", documents(), ids=_name)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    # A part in capitals stands for whatever the reader has there.
    named = {
        name
        for name in _PATH.findall(prose(path))
        if not any(part.isupper() and "." not in part for part in name.split("/"))
    }
    assert [name for name in sorted(named - _MADE) if not (PROJECT / name).exists()] == []


def test_each_thing_to_add_names_files_and_a_test() -> None:
    rows = [row for row in table_rows(PROJECT / "CONTRIBUTING.md") if len(row) == 3]
    assert len(rows) >= 12
    for thing, files, tests in rows:
        assert _PATH.findall(files), thing
        assert any(name.startswith("tests/") for name in _PATH.findall(tests)), thing


def test_the_decision_records_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in ADRS]
    assert numbers == list(range(1, len(ADRS) + 1))


@pytest.mark.parametrize("path", ADRS, ids=_name)
def test_a_decision_record_has_its_number_and_all_sections(path: Path) -> None:
    title, *sections = headings(path)
    assert title.startswith(f"{path.name[:4]}: ")
    assert sections == ADR_SECTIONS


def test_the_architecture_lists_every_decision_record() -> None:
    listed = [link for link in links(DOCS / "architecture.md") if link.startswith("adr/")]
    assert sorted(set(listed)) == [f"adr/{path.name}" for path in ADRS]
