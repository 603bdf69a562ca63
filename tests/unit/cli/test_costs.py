"""`costs`: the audit report as tables, JSON and files, and questions that cannot be meant."""

import csv
import io
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bootstrap.app import build_app
from cli.commands.costs.reports import ReportFormat
from costs.ports import CostPorts
from costs.report.query import Form
from replication.domain.policy import ReplicationPolicy
from tests.support.builders import SUBSCRIPTION
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.ledgers import ROWS, YESTERDAY, ledger_row, world_with_books
from tests.support.fakes import World
from tests.support.horrors import ANY_TEXT, TEXTS
from tests.support.shell import Shell
from tests.support.speed import examples


@pytest.fixture(autouse=True)
def own_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger's copies of one test from the next."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture
def books(tmp_path: Path) -> tuple[World, MemoryBlobs]:
    return world_with_books(tmp_path, ROWS)


@pytest.fixture
def world(books: tuple[World, MemoryBlobs]) -> World:
    return books[0]


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def section(text: str, title: str) -> list[str]:
    """Return the lines after a title, up to the next empty one."""
    _, _, rest = text.partition(f"\n{title}\n")
    return lines_of(rest.split("\n\n")[0])


def test_the_report_as_tables_tells_every_part_with_its_currency(shell: Shell) -> None:
    answer = shell("costs")
    assert (answer.code, answer.err) == (0, "")
    head = lines_of(answer.out)[:3]
    euros = "1.00 EUR (1.00 storage, 0.00 transfer)"
    dollars = "10.00 USD (8.00 storage, 2.00 transfer), without 1 rows that have no price"
    assert head == [
        "Costs 2026-09-01 to 2026-11-23, both included",
        f"In all {euros}; {dollars}",
        "Last day 2026-11-23",
    ]
    assert section(answer.out, "By gallery") == [
        "GALLERY CURRENCY STORAGE TRANSFER TOTAL SHARE UNPRICED ROWS",
        "europe EUR 1.00 0.00 1.00 100.0 %",
        "labgallery USD 8.00 2.00 10.00 100.0 % 1",
    ]
    assert section(answer.out, "Cost per lab")[1:] == [
        "(no lab) EUR 1.00 0.00 1.00 100.0 %",
        "biology USD 3.00 2.00 5.00 50.0 %",
        "(no lab) USD 5.00 - 5.00 50.0 %",
    ]
    assert section(answer.out, "Budgets") == ["the policy sets no budgets"]
    assert section(answer.out, "Top spenders")[1] == (
        "europe/maths/1.0.0 EUR 1.00 0.00 1.00 100.0 %"
    )
    account = section(answer.out, "Rows of the ledger")
    assert account[:2] == [
        "6 read, 5 used, 1 set aside",
        "set aside: 1 no price: no price in USD for mars",
    ]
    assert "the ledger begins on 2026-11-20" in account
    assert "the ledger has no file of 2026-11-21" in answer.out


def test_the_same_report_as_json(shell: Shell) -> None:
    answer = shell("costs", "--json", "--group-by", "lab,region", "--no-azure")
    report = answer.json
    assert answer.err == ""
    assert (report["from"], report["to"], report["last_day"]) == (
        "2026-09-01",
        "2026-11-23",
        "2026-11-23",
    )
    assert report["group_by"] == ["lab", "region"]
    assert [(one["currency"], one["total"]) for one in report["totals"]] == [
        ("EUR", "1.00"),
        ("USD", "10.00"),
    ]
    first = report["groups"]["items"][1]
    assert first == {
        "key": {"lab": None, "region": "eastus"},
        "currency": "USD",
        "storage": "5.00",
        "egress": "0.00",
        "total": "5.00",
        "replica_days": 2,
        "unpriced_rows": 0,
        "incomplete_rows": 0,
        "share_percent": "50.0",
    }
    assert report["unused"]["known"] is report["orphans"]["known"] is False
    assert report["orphans"]["note"] == "Azure was not asked"
    assert shell("costs", "--format", "json", "--group-by", "lab,region", "--no-azure").json == (
        report
    )


def test_the_groups_as_csv_with_the_account_at_the_end(shell: Shell) -> None:
    answer = shell("costs", "--format", "csv", "--group-by", "lab", "--currency", "usd")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [(row["section"], row["lab"], row["total"], row["rows"]) for row in rows[:5]] == [
        ("group", "biology", "5.00", "2"),
        ("group", "", "5.00", "3"),
        ("total", "", "10.00", "5"),
        ("rows_read", "", "", "6"),
        ("rows_used", "", "", "4"),
    ]
    aside = {row["note"]: row["rows"] for row in rows if row["section"] == "rows_set_aside"}
    assert aside == {"in EUR, not in USD": "1", "no price: no price in USD for mars": "1"}


def test_the_options_name_every_form_and_the_table() -> None:
    assert set(ReportFormat) == {ReportFormat.TABLE, *Form}


@pytest.mark.parametrize("form", Form)
def test_a_file_holds_what_would_be_printed(shell: Shell, tmp_path: Path, form: str) -> None:
    path = tmp_path / "report"
    answer = shell("costs", "--format", form, "--output", str(path), "--no-azure")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    written = path.read_bytes().decode()
    if form == "html":
        assert written.startswith("<!DOCTYPE html>")
    else:
        printed = shell("costs", "--format", form, "--no-azure").out
        # FOCUS promises no order of its rows.
        assert sorted(written.splitlines()) == sorted(printed.splitlines())


def test_a_list_is_as_long_as_told_and_says_what_it_leaves_out(shell: Shell) -> None:
    table = shell("costs", "--group-by", "version", "--limit", "1", "--no-azure")
    assert section(table.out, "By version")[1:] == [
        "europe/maths/1.0.0 EUR 1.00 0.00 1.00 100.0 %",
        "and 3 more",
    ]
    groups = shell("costs", "--group-by", "version", "--limit", "1", "--json").json["groups"]
    assert (len(groups["items"]), groups["left_out"]) == (1, 3)
    assert [(one["currency"], one["total"]) for one in groups["left_out_totals"]] == [
        ("USD", "10.00")
    ]


def test_galleries_of_one_name_are_shown_with_their_place(tmp_path: Path) -> None:
    elsewhere = ledger_row(day=YESTERDAY)
    elsewhere["image_version_id"] = elsewhere["image_version_id"].replace("labs-rg", "other")
    world, _ = world_with_books(
        tmp_path, [ledger_row(day=YESTERDAY), elsewhere | {"version_key": "k"}]
    )
    shell = Shell(open_app=lambda: world.app, folder=tmp_path, env={})
    first, second = section(shell("costs", "--no-azure").out, "By gallery")[1:]
    assert first.startswith(f"{SUBSCRIPTION}/labs-rg/labgallery USD 0.10")
    assert second.startswith(f"{SUBSCRIPTION}/other/labgallery USD 0.10")


def test_what_azure_has_and_the_books_have_not_is_told_and_the_other_way_round(
    world: World, shell: Shell
) -> None:
    today = {"day": date(2026, 11, 23)}
    report = shell("costs", "--json", "--from", today["day"].isoformat()).json
    assert (report["orphans"]["known"], report["orphans"]["count"]) == (True, 0)
    assert report["unused"]["note"].endswith("there is no Resource Graph to ask")
    past = shell("costs", "--json", "--to", f"{YESTERDAY}").json
    assert past["ghosts"]["note"] == (
        "the report ends on 2026-11-22, and Azure tells of today alone"
    )
    assert world.gallery.writes == []


def test_an_empty_ledger_is_an_answer(tmp_path: Path) -> None:
    world, _ = world_with_books(tmp_path, [])
    shell = Shell(open_app=lambda: world.app, folder=tmp_path, env={})
    answer = shell("costs")
    assert (answer.code, answer.err) == (0, "")
    assert "In all no rows in the ledger" in lines_of(answer.out)
    assert "0 read, 0 used, 0 set aside" in answer.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--from", "yesterday"), "--from is 'yesterday'; it is a day such as 2026-11-23"),
        (("--from", "2026-11-24"), "--from is 2026-11-24, and the ledger has no day after today"),
        (("--from", "2026-11", "--to", "2026-10"), "--from is 2026-11-01, which is after to"),
        (("--to", "2026-02-30"), "--to is '2026-02-30'"),
        (("--group-by", "galery"), "--group-by is 'galery'; it is one of subscription, gallery"),
        (("--group-by", "lab,month,rule,day,region"), "--group-by names 5; 4 are the most"),
        (("--currency", "dollars"), "--currency is 'dollars'; it is a code of three letters"),
        (("--output", "x"), "--output goes with --format csv, json, focus or html"),
        (("--format", "html"), "--format html goes with --output FILE"),
        (
            ("--from", "2026-10", "what-if", "--keep-last", "1"),
            "--from before what-if is an option of the report",
        ),
        (("--json", "audit"), "--json before audit is an option of the report"),
    ],
)
def test_a_question_that_cannot_be_meant_is_wrong_usage(
    shell: Shell, args: tuple[str, ...], said: str
) -> None:
    answer = shell("costs", *args)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"Error: {said}")


@pytest.mark.parametrize("args", [("--limit", "0"), ("--limit", "10001"), ("--format", "xml")])
def test_options_out_of_their_range_are_wrong_usage(shell: Shell, args: tuple[str, ...]) -> None:
    answer = shell("costs", *args)
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("name", ["no/such/folder/report.csv", ".", "x" * 5000])
def test_a_file_that_cannot_be_written_is_named(shell: Shell, tmp_path: Path, name: str) -> None:
    answer = shell("costs", "--format", "csv", "--output", f"{tmp_path}/{name}")
    assert (answer.code, answer.out) == (1, "")
    assert "cannot be written (" in answer.err
    assert len(answer.err) < 400


def test_a_full_disk_is_named(shell: Shell) -> None:
    answer = shell("costs", "--format", "csv", "--output", "/dev/full")
    assert (answer.code, answer.out) == (1, "")
    assert "'/dev/full' cannot be written (No space left on device)" in answer.err
    assert Path("/dev/full").is_char_device()


def test_a_file_of_before_is_replaced_whole_or_not_at_all(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "costs.csv"
    file.write_text("of last month")
    assert shell("costs", "--format", "csv", "--output", str(file)).code == 0
    assert "of last month" not in file.read_text()
    assert [one.name for one in tmp_path.iterdir() if "costs" in one.name] == ["costs.csv"]


def test_an_export_that_is_too_long_for_a_text_is_wrong_usage(world: World, shell: Shell) -> None:
    few = replace(world.app.costs, most_focus_rows=3)
    world.app = replace(world.app, open_costs=lambda: few)
    answer = shell("costs", "--format", "focus")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("Error: --format focus has a line for each of 6 rows")
    assert "gallery-replicator costs export" in answer.err


def test_a_broken_file_of_the_ledger_is_named(
    books: tuple[World, MemoryBlobs], shell: Shell
) -> None:
    _, blobs = books
    name = next(iter(blobs.blobs))
    blobs.blobs[name] = (b"no parquet", "another")
    answer = shell("costs")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("Error: the ledger's files cannot be read: ")


def test_without_an_address_of_blobs_it_is_said_what_to_set(world: World, shell: Shell) -> None:
    world.app = build_app(
        world.app.settings, ReplicationPolicy(), replace(world.app.ports, costs=CostPorts())
    )
    answer = shell("costs")
    assert answer.code == 1
    assert answer.err.startswith("Error: the cost audit keeps its books in blobs")


COMMANDS = (
    ("costs", "--no-azure", "--from", "@"),
    ("costs", "--no-azure", "--to", "@"),
    ("costs", "--no-azure", "--group-by", "@"),
    ("costs", "--no-azure", "--currency", "@"),
    ("costs", "--no-azure", "--limit", "@"),
    ("costs", "--format", "@"),
    ("costs", "@"),
    ("costs", "what-if", "--deny-region", "@"),
    ("costs", "what-if", "--storage-type", "@"),
    ("costs", "what-if", "--keep-last", "@"),
    ("costs", "what-if", "--replica-count", "@"),
    ("costs", "what-if", "@"),
)


def check(shell: Shell, command: tuple[str, ...], text: str) -> None:
    answer = shell(*(part.replace("@", text) for part in command))
    assert answer.code in (0, 2), answer.err
    assert "Traceback" not in answer.err
    assert "please report it" not in answer.err
    if answer.code:
        assert answer.err.strip()


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_horror_as_an_option_is_answered_or_refused(
    shell: Shell, command: tuple[str, ...]
) -> None:
    for text in TEXTS:
        check(shell, command, text)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(command=st.sampled_from(COMMANDS), text=ANY_TEXT | st.integers().map(str))
def test_any_option_is_answered_or_refused(
    shell: Shell, command: tuple[str, ...], text: str
) -> None:
    check(shell, command, text)


def test_names_from_azure_cannot_steer_the_terminal(tmp_path: Path) -> None:
    lab = "a\x1b[31m\r\nb"
    world, _ = world_with_books(tmp_path, [ledger_row(day=YESTERDAY, lab=lab)])
    shell = Shell(open_app=lambda: world.app, folder=tmp_path, env={})
    assert "\x1b" not in shell("costs", "--no-azure").out
    found = shell("costs", "--json", "--no-azure").json["labs"]["items"]
    assert [one["key"]["lab"] for one in found] == [lab]
