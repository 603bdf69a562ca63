"""`costs export`: the file, what is told of it, and what is refused."""

import csv
import tempfile
from datetime import date
from pathlib import Path

import pytest

from bootstrap.app import App
from tests.support.costs.focus_rules import violations
from tests.support.costs.ledgers import ledger_row, world_with_books
from tests.support.shell import Shell

FIRST, SECOND = date(2026, 11, 20), date(2026, 11, 21)
ROWS = [
    ledger_row(day=FIRST, region="eastus"),
    ledger_row(day=FIRST, region="westus"),
    ledger_row(day=SECOND, region="westus"),
    ledger_row(day=SECOND, region="mars", monthly=None),
    ledger_row(day=SECOND, region="norwayeast", currency="EUR"),
]
DAYS = ("--from", "2026-11-20", "--to", "2026-11-21")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    books = tmp_path / "books"
    books.mkdir()
    world, _ = world_with_books(books, ROWS)
    return Shell(open_app=lambda: world.app, folder=tmp_path, env={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def test_an_export_tells_what_was_read_written_and_set_aside(shell: Shell, folder: Path) -> None:
    path = folder / "costs.csv"
    answer = shell("costs", "export", str(path), *DAYS)
    assert (answer.code, answer.err) == (0, "")
    head = (
        f"{path}: FOCUS 1.2, 2026-11-20 to 2026-11-21, a row a day; 0.10 EUR and 0.30 USD, "
        "estimated by this app, not billed."
    )
    assert answer.out.splitlines() == [
        head,
        "5 rows of the ledger read, 4 used, 1 set aside; 4 rows written.",
        "1 set aside: no price: no price in USD for mars",
    ]
    assert violations(path) == ()


def test_an_export_as_json_has_the_same_figures(shell: Shell, folder: Path) -> None:
    path = folder / "costs.parquet"
    answer = shell("costs", "export", str(path), *DAYS, "--granularity", "month", "--json")
    assert answer.json == {
        "file": str(path),
        "focus_version": "1.2",
        "granularity": "month",
        "from": "2026-11-20",
        "to": "2026-11-21",
        "currency": None,
        "rows_written": 3,
        "rows": {
            "read": 5,
            "used": 4,
            "set_aside": [{"reason": "no price: no price in USD for mars", "rows": 1}],
        },
        "provisional_rows": 0,
        "notes": [],
        "billed_cost": [
            {"currency": "EUR", "amount": "0.100000000000"},
            {"currency": "USD", "amount": "0.300000000000"},
        ],
    }
    assert violations(path) == ()


def test_one_currency_alone_is_exported_when_asked_for(shell: Shell, folder: Path) -> None:
    path = folder / "COSTS.CSV"
    answer = shell("costs", "export", str(path), *DAYS, "--currency", "eur")
    assert "4 set aside: in USD, not in EUR" in answer.out
    with path.open(encoding="utf-8", newline="") as file:
        assert [row["BillingCurrency"] for row in csv.DictReader(file)] == ["EUR"]


def test_a_file_that_is_there_is_replaced_whole_and_nothing_is_left_beside_it(
    shell: Shell, folder: Path
) -> None:
    path = folder / "costs.csv"
    path.write_text("old" * 100_000, encoding="utf-8")
    assert shell("costs", "export", str(path), *DAYS).code == 0
    assert [one.name for one in folder.iterdir()] == ["costs.csv"]
    assert violations(path) == ()


@pytest.mark.parametrize("name", ["costs.xlsx", "costs", "costs.csv.gz", "csv"])
def test_another_ending_is_refused_before_anything_is_opened(folder: Path, name: str) -> None:
    def refuse() -> App:
        raise AssertionError("this command opened the app")

    path = folder / name
    answer = Shell(open_app=refuse, folder=folder, env={})("costs", "export", str(path))
    assert (answer.code, answer.err) == (
        2,
        f"Error: {str(path)!r} ends in neither .csv nor .parquet, which tells what to write\n",
    )
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(shell: Shell, folder: Path) -> None:
    path = folder / "missing" / "costs.csv"
    answer = shell("costs", "export", str(path), *DAYS)
    assert (answer.code, answer.err) == (
        1,
        f"Error: {str(path)!r} cannot be written (No such file or directory)\n",
    )


def test_a_folder_of_that_name_is_not_replaced(shell: Shell, folder: Path) -> None:
    path = folder / "costs.csv"
    path.mkdir()
    answer = shell("costs", "export", str(path), *DAYS)
    assert (answer.code, answer.err) == (
        1,
        f"Error: {str(path)!r} cannot be written (it is a folder)\n",
    )


@pytest.mark.parametrize("name", ["costs.csv", "costs.parquet"])
def test_a_full_disk_is_told_in_the_systems_own_words(
    shell: Shell, folder: Path, name: str
) -> None:
    path = folder / name
    path.symlink_to("/dev/full")
    answer = shell("costs", "export", str(path), *DAYS)
    assert (answer.code, answer.err) == (
        1,
        f"Error: {str(path)!r} cannot be written (No space left on device)\n",
    )
    assert [one.name for one in folder.iterdir()] == [name]


def test_days_that_cannot_be_meant_leave_the_old_file_alone(shell: Shell, folder: Path) -> None:
    path = folder / "costs.csv"
    path.write_text("old", encoding="utf-8")
    answer = shell("costs", "export", str(path), "--from", "yesterday")
    assert answer.code == 2
    assert "from is 'yesterday'" in answer.err
    assert path.read_text(encoding="utf-8") == "old"


def test_books_that_cannot_be_read_leave_the_old_file_alone(
    shell: Shell, folder: Path, tmp_path: Path
) -> None:
    path = folder / "costs.csv"
    path.write_text("old", encoding="utf-8")
    assert shell("costs", "export", str(path), *DAYS).code == 0
    written = path.read_bytes()
    for copy in (tmp_path / "gallery-replicator-ledger").glob("*.parquet"):
        copy.write_bytes(bytes(copy.stat().st_size))
    answer = shell("costs", "export", str(path), *DAYS)
    assert answer.code == 1
    assert "the ledger's files cannot be read" in answer.err
    assert path.read_bytes() == written
    assert [one.name for one in folder.iterdir()] == ["costs.csv"]


@pytest.mark.parametrize("name", ["costs.csv", "costs.parquet"])
def test_our_own_export_is_refused_as_a_bill(shell: Shell, folder: Path, name: str) -> None:
    path = folder / name
    assert shell("costs", "export", str(path), *DAYS, "--currency", "USD").code == 0
    answer = shell("costs", "reconcile", str(path))
    assert (answer.code, answer.out) == (1, "")
    assert "the ledger as costs export wrote it (it has the column x_GbBasis)" in answer.err
    assert "not a bill. Give an export of Cost Management" in answer.err
