"""`costs` of a deployed app: the same report as from the ledger, and answers of no use refused."""

import tempfile
from pathlib import Path

import pytest

from tests.support.costs.ledgers import ROWS, world_with_books
from tests.support.fakes import World
from tests.support.http.serving import Canned, Site
from tests.support.shell import Shell


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return world_with_books(tmp_path, ROWS)[0]


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["--json"],
        ["--group-by", "region,lab", "--from", "2026-11", "--limit", "1"],
        ["--group-by", "tag", "--group-by", "month", "--no-azure", "--currency", "EUR"],
        ["--format", "csv"],
        ["--format", "focus"],
        ["--group-by", "colour"],
        ["--from", "yesterday"],
        ["--from", "2026-11-24", "--to", "2026-11-20"],
        ["--currency", "dollars"],
    ],
    ids=" ".join,
)
def test_a_report_is_the_same_either_way(shell: Shell, far: Shell, args: list[str]) -> None:
    assert far("costs", *args) == shell("costs", *args)


def test_a_report_is_written_into_a_file(shell: Shell, far: Shell, tmp_path: Path) -> None:
    for form in ("csv", "json", "focus"):
        near, deployed = tmp_path / f"near.{form}", tmp_path / f"far.{form}"
        assert shell("costs", "--format", form, "--output", str(near)).code == 0
        assert far("costs", "--format", form, "--output", str(deployed)).code == 0
        assert near.read_bytes() == deployed.read_bytes()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Canned(body=b"<html>sign in</html>", media_type="text/html"), "a page to sign in at"),
        (Canned(body=b"\xff\xfe", media_type="text/csv"), "something that is no text"),
        (Canned(status=404, body=b"", media_type="text/plain"), "has no such call"),
    ],
)
def test_what_is_no_table_is_refused(far: Shell, site: Site, answer: Canned, said: str) -> None:
    site.canned = [answer]
    told = far("costs", "--format", "csv")
    assert (told.code, told.out) == (1, "")
    assert said in told.err
