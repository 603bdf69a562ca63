"""The audit report as a page: whole, escaped, sound as HTML, and made of a ledger."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from costs.report.facts import GroupList
from costs.report.html.report import html_report
from costs.report.html.view import MOST_ROWS
from costs.report.query import Form, ReportQuery
from costs.report.report import CostReport, VersionList
from tests.support.costs.html_facts import fact, gallery, spent
from tests.support.costs.html_outline import Outline, part, shown
from tests.support.costs.html_reports import (
    HOSTILE,
    LAST_DAY,
    empty_report,
    full_report,
    hostile_report,
    two_currencies,
)
from tests.support.costs.ledgers import ledger_row, world_with_books

ALL = [full_report, two_currencies, hostile_report, empty_report]


@pytest.mark.parametrize("make", ALL)
def test_a_page_is_sound_and_needs_nothing_beside_it(make: Callable[[], CostReport]) -> None:
    html = html_report(make())
    page = Outline(html)
    assert html.startswith("<!DOCTYPE html>\n")
    assert html.endswith("</html>\n")
    assert page.all("html") == [{"lang": "en"}]
    policies = [one for one in page.all("meta") if "http-equiv" in one]
    assert [one["content"] for one in policies] == [
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    ]
    names = {name for name, _ in page.tags}
    assert names.isdisjoint({"script", "img", "iframe", "object", "embed", "form", "base"})
    references = [
        one.get("href") or one.get("src") for _, one in page.tags if {"href", "src"} & set(one)
    ]
    assert [one for one in references if one and not one.startswith(("#", "data:,"))] == []
    assert not re.search(r"url\(|@import|@font-face", html)
    assert not any(name.startswith("on") for _, one in page.tags for name in one)


@pytest.mark.parametrize("make", ALL)
def test_headings_are_in_order_and_ids_are_unique(make: Callable[[], CostReport]) -> None:
    page = Outline(html_report(make()))
    levels = [int(name[1]) for name, _ in page.tags if re.fullmatch(r"h\d", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [one["id"] for _, one in page.tags if "id" in one]
    assert len(ids) == len(set(ids))
    labels = " ".join(one.get("aria-labelledby") or "" for _, one in page.tags).split()
    assert set(labels) <= set(ids)


@pytest.mark.parametrize("make", ALL)
def test_every_table_has_a_caption_and_every_heading_cell_its_scope(
    make: Callable[[], CostReport],
) -> None:
    page = Outline(html_report(make()))
    assert len(page.all("caption")) == len(page.all("table")) >= 1
    assert {one.get("scope") for one in page.all("th")} == {"col", "row"}


def test_an_auditor_finds_what_was_asked_first() -> None:
    text = shown(full_report())
    order = [
        "4,339.61 USD",
        "24 rows have no price and are in no sum",
        "What to look at",
        "Month by month",
        "Budget against actual",
        "Costs by gallery",
        "The dearest image versions",
        "Costs by lab",
        "Versions that nobody uses",
        "Superseded versions",
        "In Azure and not on our books",
        "On our books and not in Azure",
        "Rows of the ledger",
    ]
    places = [text.index(one) for one in order]
    assert places == sorted(places)


def test_an_empty_ledger_says_what_to_do() -> None:
    text = shown(empty_report())
    assert "The ledger has no day of this period" in text
    assert "gallery-replicator costs audit" in text
    assert "The ledger has no day from 2026-09-01 to 2026-11-20." in text
    assert "Not known. Azure was not asked." in text
    assert "<nav" not in html_report(empty_report())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            ReportQuery(from_day=date(2026, 9, 1), to_day=LAST_DAY, currency="JPY"),
            "no row of them is in JPY. Leave out --currency",
        ),
        (
            ReportQuery(from_day=date(2026, 9, 1), to_day=LAST_DAY),
            "no replica stood on any of them",
        ),
    ],
)
def test_a_ledger_without_such_rows_is_told_from_one_without_days(
    query: ReportQuery, expected: str
) -> None:
    assert expected in shown(replace(empty_report(), last_day=LAST_DAY, query=query))


def test_a_ledger_that_ends_early_says_so() -> None:
    early = replace(full_report(), last_day=date(2026, 11, 18))
    assert "The ledger ends on 2026-11-18." in shown(early)
    assert "The ledger ends" not in shown(full_report())


def test_everything_that_others_named_is_escaped() -> None:
    html = html_report(hostile_report())
    assert HOSTILE not in html
    assert "<script" not in html.lower()
    assert "</style></svg>" not in html
    assert shown(hostile_report()).count(HOSTILE) >= 14


@pytest.mark.slow
def test_a_page_is_no_longer_than_one_can_open_and_sums_up_the_rest() -> None:
    many = MOST_ROWS + 5
    report = full_report()
    rows = GroupList(
        items=tuple(gallery(f"gallery-{number}", spent("1.00")) for number in range(many)),
        left_out=2,
        left_out_money={"USD": spent("10.00", unpriced=3)},
    )
    facts = tuple(fact("x", f"{number}.0.0", "1") for number in range(many))
    versions = VersionList(items=facts, count=many, monthly={"USD": Decimal(many)})
    report = replace(report, groups=rows, unused=versions)
    groups, unused = part(report, "groups"), part(report, "unused")
    assert groups.count("gallery-") == MOST_ROWS
    assert "all others together 3 rows without a price 15.00 0.00 15.00" in groups
    assert "7 more groups are summed up" in groups
    assert "1,005 versions, 1,005.00 USD a month." in unused
    assert "5 more are in the sum and not in the list" in unused


def test_a_report_is_made_of_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    rows = [
        ledger_row(monthly="30", egress="2", lab=HOSTILE),
        ledger_row(monthly="30", currency="EUR", version="2.0.0"),
        ledger_row(monthly=None, region="mars"),
    ]
    world, _ = world_with_books(tmp_path, rows)
    query = ReportQuery(from_day=date(2026, 11, 1), to_day=LAST_DAY)
    html = world.app.costs.text(query, Form.HTML, ask_azure=False)
    text = Outline(html).text
    assert "Total 3.00 USD Storage 1.00 USD Transfer 2.00 USD" in text
    assert "Total 1.00 EUR" in text
    assert f"{HOSTILE} 1.00 2.00 3.00" in text
    assert HOSTILE not in html
    assert "set aside, no price: no price in USD for mars 1 read 3" in text
