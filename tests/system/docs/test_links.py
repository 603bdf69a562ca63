"""What the documents point at exists."""

import re
from pathlib import Path

import pytest

from tests.support.documents import DOCS, PROJECT, anchors, documents, headings, links, prose

ADR_SECTIONS = ["Context", "Decision", "Alternatives", "Consequences", "Non-goals"]
ADRS = sorted((DOCS / "adr").glob("*.md"))

# Paths in `code` that name a file or folder of the project.
_PATH = re.compile(
    r"`((?:cli|costs|docs|handlers|localcloud|replication|scripts|tests)/[\w./-]*"
    r"|[\w.-]+\.(?:toml|lock|yaml|md|txt)|host\.json|function_app\.py|Makefile)`"
)


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
    named = {match[1] for match in _PATH.finditer(prose(path))}
    assert [name for name in sorted(named) if not (PROJECT / name).exists()] == []


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
