"""Every threat of the document names a test that exists."""

import re
from pathlib import Path

import pytest

from tests.support.documents import DOCS, PROJECT, table_rows

ROWS = [row for row in table_rows(DOCS / "security.md") if row[0] != "Threat"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_a_threat_names_what_holds_it_and_a_test_that_exists(row: list[str]) -> None:
    threat, held_by, tested_by = row
    named = re.findall(r"`(tests/[\w/.]+\.py)`", tested_by)
    assert threat
    assert held_by
    assert named
    for path in named:
        assert "def test_" in Path(PROJECT / path).read_text(encoding="utf-8")


def test_each_boundary_has_its_threats() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8").lower()
    for boundary in ("webhook of event grid", "queue of events", "the api", "the storage"):
        assert boundary in text
    assert len(ROWS) >= 20
