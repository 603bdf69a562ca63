"""`costs reconcile`: a bill against books, from the files to the answer."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costs.pricing.sizes import OccupiedSizes
from costs.reconciliation.lines import Verdict
from replication.domain.errors import MalformedError
from tests.support.builders import version_id
from tests.support.costs.bills import (
    FOCUS_1_2,
    OCTOBER,
    bill_row,
    book_rows,
    books_world,
    month_rows,
    write_books,
    write_csv,
    write_parquet,
)
from tests.support.fakes import World
from tests.support.shell import Shell


@pytest.fixture
def world() -> World:
    return books_world()


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(open_app=lambda: world.app, folder=tmp_path, env={})


BOOKS = [
    *book_rows(),
    *book_rows(region="eastus"),
    *book_rows(region="centralus", version="1.1.0"),
]
ROWS = [
    *month_rows(30),
    *month_rows(12, region="East US"),
    *month_rows(5, resource=str(version_id(gallery="unknown"))),
    bill_row(unit="1 TB/Month"),
    bill_row(resource="/subscriptions/1/vm", meter="D2s v5"),
]


def sizes_of(world: World) -> list[tuple[str, str, Decimal]]:
    blobs = world.app.ports.costs.blobs
    assert blobs is not None
    return [(one.version, one.month, one.gb) for one in OccupiedSizes(blobs).all()]


def test_the_answer_names_every_line_with_its_cause(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", BOOKS)
    path = write_csv(tmp_path / "bill.csv", ROWS)
    answer = shell("costs", "reconcile", str(path), "--json")
    assert (answer.code, answer.err) == (0, "")
    found = answer.json
    verdicts = {
        (one["resource"].split("/")[8], one["region"]): one["verdict"] for one in found["lines"]
    }
    assert verdicts == {
        ("labgallery", "westus"): "matched",
        ("labgallery", "eastus"): "under",
        ("labgallery", "centralus"): "missing",
        ("unknown", "westus"): "unexplained",
    }
    under = next(one for one in found["lines"] if one["verdict"] == "under")
    assert (under["bill"], under["ledger"], under["difference"]) == ("1.20", "3.00", "-1.80")
    assert (under["bill_gb"], under["ledger_gb"], under["replica_days"]) == ("12.00", "30.00", 31)
    assert under["causes"][1] == (
        "the size was an estimate (low confidence): the bill says 12 GB occupied a replica "
        "instead of 30"
    )
    assert found["totals"] == [
        {
            "currency": "USD",
            "bill": "4.70",
            "ledger": "9.00",
            "difference": "-4.30",
            "unpriced_lines": 0,
            "lines": {"matched": 1, "over": 0, "under": 1, "unexplained": 1, "missing": 1},
        }
    ]
    assert found["files"] == [{"name": "bill.csv", "layout": "ActualCost (EA)", "rows": 95}]
    assert found["months"] == [{"month": "2026-10", "from": "2026-10-01", "to": "2026-10-31"}]
    assert found["rows"] == {
        "read": 95,
        "used": 93,
        "out_of_scope": [{"reason": "other resources", "rows": 1, "amounts": []}],
        "set_aside": [
            {
                "reason": "unknown unit '1 TB/Month'; known are GB/Month and GB, with or without "
                "a number before",
                "rows": 1,
                "amounts": [{"currency": "USD", "amount": "0.032258"}],
            }
        ],
    }


def test_the_tables_say_the_same_and_end_with_the_account(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", BOOKS)
    answer = shell("costs", "reconcile", str(write_csv(tmp_path / "bill.csv", ROWS)))
    assert (answer.code, answer.err) == (0, "")
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines[0] == "Bill bill.csv (ActualCost (EA), 95 rows)"
    assert lines[1] == "Months 2026-10 (1 to 31), in UTC"
    assert "USD 4.70 9.00 -4.30 1 0 1 1 1" in lines
    assert "1 line matched, 3 did not" in lines
    under = next(line for line in lines if line.startswith("under storage"))
    assert (
        "labgallery/maths/1.0.0 eastus 2026-10 USD 1.20 3.00 -1.80 1 row about it set aside"
        in under
    )
    assert "95 read, 93 used, 1 out of scope, 1 set aside" in lines
    assert "out of scope: 1 other resources" in lines
    assert any(line.startswith("set aside: 1 unknown unit '1 TB/Month'") for line in lines)


@pytest.mark.slow
def test_long_lists_are_cut(world: World, shell: Shell, tmp_path: Path) -> None:
    write_books(world, tmp_path / "books", BOOKS)
    path = write_csv(tmp_path / "bill.csv", ROWS)
    answer = shell("costs", "reconcile", str(path), "--limit", "1", "--no-keep-sizes")
    assert "and 2 more; --json has all of them" in answer.out


@pytest.mark.slow
def test_the_sizes_are_kept_for_the_next_estimates(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", book_rows())
    path = str(write_csv(tmp_path / "bill.csv", month_rows(12)))
    told = shell("costs", "reconcile", path, "--no-keep-sizes").out
    assert "learned: 1, not safe to learn from: 0; nothing was kept, as told" in told
    assert sizes_of(world) == []
    kept = shell("costs", "reconcile", path).out
    assert "learned: 1, not safe to learn from: 0; new, and kept for the next estimates: 1" in kept
    assert sizes_of(world) == [("1.0.0", "2026-10", Decimal("12.000000"))]
    again = shell("costs", "reconcile", path, "--json").json
    assert again["sizes_kept"] == 0
    assert [(one["gb"], one["counted_gb"], one["safe"]) for one in again["learned"]] == [
        ("12.00", "30.00", True)
    ]


@pytest.mark.slow
def test_a_size_that_is_not_safe_is_shown_and_not_kept(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", book_rows())
    refund = bill_row(cost="-0.5", quantity="-5")
    path = write_csv(tmp_path / "bill.csv", [*month_rows(12), refund])
    out = shell("costs", "reconcile", str(path)).out
    assert "learned: 0, not safe to learn from: 1; new, and kept for the next estimates: 0" in out
    assert "no: there are refunds or corrections" in out
    assert sizes_of(world) == []


@pytest.mark.slow
def test_an_average_of_versions_says_so(world: World, shell: Shell, tmp_path: Path) -> None:
    write_books(world, tmp_path / "books", [*book_rows(), *book_rows(version="1.1.0")])
    definition = str(version_id()).split("/versions/", maxsplit=1)[0]
    path = write_csv(tmp_path / "bill.csv", month_rows(60, resource=definition))
    out = shell("costs", "reconcile", str(path)).out
    assert "yes, an average of 2 versions" in out
    assert "1 line matched, 0 did not" in out


@pytest.mark.slow
def test_every_form_of_the_same_bill_gives_the_same_answer(world: World, tmp_path: Path) -> None:
    costs = write_books(world, tmp_path / "books", BOOKS)
    forms = [
        write_csv(tmp_path / "a.csv", ROWS),
        write_csv(tmp_path / "b.csv", ROWS, layout=FOCUS_1_2, delimiter=";"),
        write_parquet(tmp_path / "c.parquet", ROWS),
    ]
    first, *others = (costs.bills.reconcile([one], keep_sizes=False).lines for one in forms)
    assert first
    for other in others:
        assert [(one.key, one.verdict) for one in other] == [
            (one.key, one.verdict) for one in first
        ]


@pytest.mark.slow
def test_a_month_that_is_not_over_is_compared_as_far_as_the_bill_goes(
    world: World, tmp_path: Path
) -> None:
    days = [date(2026, 11, number) for number in range(1, 21)]
    costs = write_books(
        world, tmp_path / "books", book_rows([*days, date(2026, 11, 21), date(2026, 11, 22)])
    )
    rows = [bill_row(day=day, quantity="1", cost="0.1") for day in days]
    found = costs.bills.reconcile([write_csv(tmp_path / "bill.csv", rows)])
    (line,) = found.lines
    assert (line.verdict, line.ledger_rows) == (Verdict.MATCHED, 20)
    assert found.notes == (
        ("of 2026-11 the bill has 2026-11-01 to 2026-11-20; the ledger is compared in these days"),
    )
    assert found.learned[0].why_not == "the bill does not have the whole month yet"


@pytest.mark.slow
def test_days_that_the_ledger_does_not_have_are_told(world: World, tmp_path: Path) -> None:
    costs = write_books(world, tmp_path / "books", book_rows(OCTOBER[10:]))
    found = costs.bills.reconcile([write_csv(tmp_path / "bill.csv", month_rows(30))])
    assert "the ledger begins on 2026-10-11" in found.notes
    assert found.lines[0].verdict is Verdict.OVER


@pytest.mark.slow
def test_a_record_that_cannot_be_read_is_told(world: World, tmp_path: Path) -> None:
    broken: dict[str, Any] = {
        "image_version_id": "unreadable record k",
        "version_key": "k",
        "region": "unknown",
    }
    costs = write_books(
        world, tmp_path / "books", [*book_rows(), *(one | broken for one in book_rows(OCTOBER[:1]))]
    )
    found = costs.bills.reconcile([write_csv(tmp_path / "bill.csv", month_rows(30))])
    assert "1 row of the ledger for records that cannot be read" in found.notes
    assert [one.verdict for one in found.lines] == [Verdict.MATCHED]


@pytest.mark.slow
def test_transfers_are_compared_by_the_region_they_come_from(world: World, tmp_path: Path) -> None:
    first = {"listed_on": OCTOBER[0], "egress": "0.60", "egress_unit_price": Decimal("0.02")}
    books = [
        *book_rows(OCTOBER[:1], **first),
        *book_rows(OCTOBER[:1], region="westus2", **first),
        *book_rows(OCTOBER[1:]),
        *book_rows(OCTOBER[1:], region="westus2"),
    ]
    costs = write_books(world, tmp_path / "books", books)
    rows = [
        *month_rows(30),
        *month_rows(30, region="westus2"),
        bill_row(
            meter="Standard Inter-Region Data Transfer",
            unit="1 GB",
            quantity="60",
            cost="1.2",
            region="eastus",
        ),
    ]
    found = costs.bills.reconcile([write_csv(tmp_path / "bill.csv", rows)])
    assert {(one.key.kind.value, one.key.region, one.verdict.value) for one in found.lines} == {
        ("storage", "westus", "matched"),
        ("storage", "westus2", "matched"),
        ("transfer", "eastus", "matched"),
    }


@pytest.mark.slow
def test_replicas_without_a_price_are_counted_as_such(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", book_rows(monthly=None))
    path = str(write_csv(tmp_path / "bill.csv", month_rows(30)))
    assert "0.00, 1 line unpriced" in shell("costs", "reconcile", path).out
    (line,) = shell("costs", "reconcile", path, "--json").json["lines"]
    assert (line["verdict"], line["ledger"]) == ("unexplained", None)
    assert line["causes"] == ["the ledger has it without a price: no price in USD for westus"]


@pytest.mark.slow
def test_two_currencies_have_sums_of_their_own(world: World, tmp_path: Path) -> None:
    costs = write_books(world, tmp_path / "books", book_rows())
    path = write_csv(tmp_path / "bill.csv", [*month_rows(30), *month_rows(1, currency="EUR")])
    found = costs.bills.reconcile([path])
    assert [(one.currency, f"{one.bill:.2f}", one.ledger) for one in found.totals] == [
        ("EUR", "0.10", 0),
        ("USD", "3.00", found.totals[1].ledger),
    ]


@pytest.mark.slow
def test_a_bill_without_galleries_and_empty_books_have_no_lines(
    shell: Shell, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "bill.csv", [bill_row(resource="/x", meter="D2s v5")])
    out = shell("costs", "reconcile", str(path)).out
    assert "Neither the bill nor the ledger has a replica." in out
    assert "1 read, 0 used, 1 out of scope, 0 set aside" in out


@pytest.mark.slow
def test_a_month_can_be_named_and_a_wrong_one_is_refused(
    world: World, shell: Shell, tmp_path: Path
) -> None:
    write_books(world, tmp_path / "books", book_rows())
    path = str(write_csv(tmp_path / "bill.csv", month_rows(30)))
    assert shell("costs", "reconcile", path, "--month", "2026-10").code == 0
    wrong = shell("costs", "reconcile", path, "--month", "October")
    assert (wrong.code, wrong.err) == (
        2,
        "Error: --month is 'October'; it is a month such as 2026-10\n",
    )
    other = shell("costs", "reconcile", path, "--month", "2026-09")
    assert (other.code, other.err) == (
        1,
        "Error: the bill has no usage in 2026-09; it has 2026-10\n",
    )


@pytest.mark.slow
def test_a_broken_ledger_file_is_named(world: World, tmp_path: Path) -> None:
    costs = write_books(world, tmp_path / "books", book_rows())
    blobs: Any = world.app.ports.costs.blobs
    name, (_, tag) = next(iter(blobs.blobs.items()))
    blobs.blobs[name] = (b"no Parquet", f"{tag}-broken")
    with pytest.raises(MalformedError, match="the ledger's files cannot be read"):
        costs.bills.reconcile([write_csv(tmp_path / "bill.csv", month_rows(30))])
