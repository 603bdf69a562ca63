"""The whole report over a ledger: every row accounted for, and no more told than is known."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from costs.ports import Machine
from costs.pricing.estimate import Amount, CostEstimate, RegionalReplicas, unknown_cost
from costs.report.csv import report_csv, safe_cell
from costs.report.facts import amount
from costs.report.ledger_facts import Facts
from costs.report.orphans import Comparison, Ghost, Orphan
from costs.report.query import Dimension, ReportQuery
from costs.report.report import Azure, CostReport, Reporter, missing_days, shown_days
from costs.report.usage import Usage, usage_of
from costs.report.view import report_view
from replication.domain.policy import Budget, ReplicationPolicy
from tests.support.builders import version_id
from tests.support.costs.ledgers import DAY, facts_of, ledger_row

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOVEMBER = ReportQuery(from_day=date(2026, 11, 1), to_day=DAY)
YESTERDAY = DAY - timedelta(days=1)
NOT_ASKED = Azure.not_asked("Azure was not asked")


def estimate(orphan: Orphan) -> CostEstimate:
    """Tell one dollar a region, and nothing of a version without a size."""
    if orphan.provisioned_gb is None:
        return unknown_cost("no size", currency="USD")
    dollars = Decimal(len(orphan.replicas))
    known = unknown_cost("one dollar a region", currency="USD")
    return replace(known, monthly_range=Amount(low=dollars, likely=dollars, high=dollars))


def report_of(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    query: ReportQuery = NOVEMBER,
    policy: ReplicationPolicy | None = None,
    look: Callable[[Facts], Azure] = lambda _: NOT_ASKED,
    days: set[date] | None = None,
) -> CostReport:
    reporter = Reporter(policy=policy or ReplicationPolicy(), estimate=estimate, clock=lambda: NOW)
    with facts_of(folder, rows, query) as facts:
        return reporter.report(facts, days or {row["day"] for row in rows}, look)


ROWS = [
    ledger_row(monthly="30", egress="2", lab="biology"),
    ledger_row(monthly="60", region="eastus", lab="biology"),
    ledger_row(monthly="90", version="2.0.0", region="eastus", lab="maths"),
    ledger_row(monthly="30", image="physics", currency="EUR"),
    ledger_row(monthly=None, image="physics", region="mars"),
    ledger_row(day=YESTERDAY, monthly="60", region="eastus"),
]


def test_each_currency_is_told_by_itself_everywhere(tmp_path: Path) -> None:
    report = report_of(tmp_path, ROWS)
    assert {name: amount(one.total) for name, one in report.totals.items()} == {
        "EUR": "1.00",
        "USD": "10.00",
    }
    assert [(one.currency, amount(one.total)) for one in report.months] == [
        ("EUR", "1.00"),
        ("USD", "10.00"),
    ]
    assert [one.currency for one in report.forecasts] == ["EUR", "USD"]
    assert [one.money.currency for one in report.top] == ["EUR", "USD", "USD"]
    by_lab = [
        (one.keys["lab"], one.money.currency, amount(one.money.total)) for one in report.labs.items
    ]
    assert by_lab == [
        (None, "EUR", "1.00"),
        ("biology", "USD", "5.00"),
        ("maths", "USD", "3.00"),
        (None, "USD", "2.00"),
    ]


def test_a_month_is_by_the_days_of_the_ledger_and_not_of_a_currency(tmp_path: Path) -> None:
    euros = next(one for one in report_of(tmp_path, ROWS).months if one.currency == "EUR")
    assert (amount(euros.storage_per_day), euros.ledger_days) == ("0.50", 2)


def test_every_row_is_used_or_set_aside_with_why(tmp_path: Path) -> None:
    rows = report_of(tmp_path, ROWS).rows
    assert (rows.read, rows.used) == (6, 5)
    assert rows.set_aside == (("no price: no price in USD for mars", 1),)
    only = report_of(tmp_path, ROWS, query=replace_query(currency="EUR")).rows
    assert (only.read, only.used, only.set_aside) == (6, 1, (("in USD, not in EUR", 5),))


def replace_query(**changes: Any) -> ReportQuery:
    return ReportQuery(**({"from_day": NOVEMBER.from_day, "to_day": NOVEMBER.to_day} | changes))


def test_many_reasons_are_summed_up_after_the_first_twenty(tmp_path: Path) -> None:
    rows = [ledger_row(monthly=None, region=f"mars{number:02}") for number in range(25)]
    account = report_of(tmp_path, rows).rows
    assert account.set_aside[-1] == ("no price, for 5 more reasons", 5)
    assert (len(account.set_aside), account.used) == (21, 0)


def test_rows_of_a_running_day_and_rows_without_their_transfer_are_told(tmp_path: Path) -> None:
    rows = [
        ledger_row(provisional=True),
        ledger_row(day=YESTERDAY, unpriced="no price for the transfer"),
    ]
    account = report_of(tmp_path, rows).rows
    assert account.used == 2
    assert account.notes[-2:] == (
        "1 rows are provisional, computed from the record: 2026-11-20 is not on the books yet",
        "1 rows are used without their transfer: no price for the transfer",
    )


def test_an_empty_ledger_makes_an_empty_report(tmp_path: Path) -> None:
    budget = ReplicationPolicy(budgets=(Budget(name="all", monthly=Decimal(1)),))
    report = report_of(tmp_path, [], policy=budget)
    assert (report.last_day, report.totals, report.groups.items) == (None, {}, ())
    assert (report.months, report.forecasts, report.top) == ((), (), ())
    assert report.budget_note == "the ledger has none of these days"
    assert report.rows.notes == ("the ledger has no day from 2026-11-01 to 2026-11-20",)
    assert report.ghosts.unknown == "Azure was not asked"
    assert report_view(report)["last_day"] is None
    assert (
        report_csv(report)
        .splitlines()[0]
        .startswith("section,subscription,resource_group,gallery,currency,")
    )


def test_a_ledger_of_one_day_has_no_trend_and_nothing_to_compare_with(tmp_path: Path) -> None:
    report = report_of(tmp_path, [ledger_row(day=date(2026, 11, 1), monthly="30")])
    (month,), (forecast,) = report.months, report.forecasts
    assert (month.change, month.ledger_days, month.days) == (None, 1, 30)
    assert (amount(forecast.month_total), forecast.trend_next_month) == ("30.00", None)


def test_holes_of_the_ledger_are_told_by_their_days() -> None:
    days = {date(2026, 11, 3), date(2026, 11, 4), date(2026, 11, 7), date(2026, 11, 9)}
    query = ReportQuery(from_day=date(2026, 11, 1), to_day=date(2026, 11, 10))
    begins, holes = missing_days(query, days)
    assert begins == "the ledger begins on 2026-11-03"
    assert holes.startswith(
        "the ledger has no file of 2026-11-05 to 2026-11-06, 2026-11-08, 2026-11-10; "
    )
    assert shown_days([]) == ""


def test_a_currency_that_never_occurs_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    report = report_of(tmp_path, ROWS, query=replace_query(currency="JPY"))
    assert (report.totals, report.groups.items, report.superseded.count) == ({}, (), 0)
    assert dict(report.rows.set_aside) == {"in EUR, not in JPY": 1, "in USD, not in JPY": 5}


def test_budgets_need_the_whole_month_and_their_own_currency(tmp_path: Path) -> None:
    policy = ReplicationPolicy(budgets=(Budget(name="all", monthly=Decimal(9)),))
    whole = report_of(tmp_path, ROWS, policy=policy)
    assert [(one.state, amount(one.actual)) for one in whole.budgets] == [("over", "10.00")]
    late = report_of(tmp_path, ROWS, policy=policy, query=replace_query(from_day=YESTERDAY))
    assert (late.budgets, late.budget_note) == (
        (),
        "budgets are by the month: ask from 2026-11-01 for that of 2026-11",
    )
    euros = report_of(tmp_path, ROWS, policy=policy, query=replace_query(currency="EUR"))
    assert (euros.budgets, euros.budget_note) == (
        (),
        "budgets are in USD, and the report is in EUR",
    )
    assert report_of(tmp_path, ROWS).budget_note == "the policy sets no budgets"


def test_a_record_that_cannot_be_read_is_in_no_budget_and_no_list(tmp_path: Path) -> None:
    broken = ledger_row(monthly=None, region="unknown") | {
        "image_version_id": "unreadable record k",
        "version_key": "k",
        "subscription_id": "unknown",
        "gallery": "unknown",
    }
    policy = ReplicationPolicy(
        budgets=(Budget(name="each", monthly=Decimal(9), each_gallery=True),)
    )
    used = usage_of([Machine(kind="vm", image="another")])
    report = report_of(
        tmp_path, [broken, ledger_row()], policy=policy, look=lambda _: Azure(usage=used)
    )
    assert [one.gallery for one in report.budgets] == ["labgallery"]
    assert [one.image_version_id for one in report.unused.items] == [str(version_id())]
    assert report.superseded.count == 0
    by_region = report_of(
        tmp_path,
        [broken],
        query=replace_query(group_by=(Dimension.GALLERY, Dimension.REGION)),
    )
    assert [dict(one.keys) for one in by_region.groups.items] == [
        {"subscription": None, "resource_group": None, "gallery": None, "region": "unknown"}
    ]


def test_versions_that_nobody_uses_are_told_with_what_they_cost(tmp_path: Path) -> None:
    definition = str(version_id()).rsplit("/versions/", 1)[0]
    usage = usage_of(
        [Machine(kind="vm", image=f"{definition}/versions/2.0.0"), Machine(kind="vm", image="")]
    )
    report = report_of(tmp_path, ROWS, look=lambda _: Azure(usage=usage))
    assert [(one.image_version_id, one.currency) for one in report.unused.items] == [
        (str(version_id(image="physics")), "EUR"),
        (str(version_id()), "USD"),
        (str(version_id(image="physics")), "USD"),
    ]
    assert {name: amount(one) for name, one in report.unused.monthly.items()} == {
        "EUR": "30.00",
        "USD": "90.00",
    }
    assert report.unused.note.startswith("no machine, scale set or lab that this identity sees (2")


def test_a_definition_in_use_makes_its_versions_neither_used_nor_unused(tmp_path: Path) -> None:
    definition = str(version_id()).rsplit("/versions/", 1)[0]
    usage = usage_of([Machine(kind="scale set", image=definition)])
    report = report_of(tmp_path, ROWS, look=lambda _: Azure(usage=usage))
    assert {one.image_version_id for one in report.unused.items} == {
        str(version_id(image="physics"))
    }
    assert "; 2 more may be in use" in report.unused.note


def test_superseded_versions_are_told_with_what_they_cost(tmp_path: Path) -> None:
    (old,) = report_of(tmp_path, ROWS).superseded.items
    assert (old.image_version_id, amount(old.monthly)) == (str(version_id()), "90.00")


def orphan(version: str, gb: int | None) -> Orphan:
    replicas = tuple(
        RegionalReplicas(region=name, replica_count=1, storage_account_type="Standard_LRS")
        for name in ("westus", "westus2")
    )
    return Orphan(
        version_id=version_id(version=version),
        home_region="eastus",
        provisioned_gb=gb,
        replicas=replicas,
        reason="nobody told",
    )


def test_orphans_are_estimated_and_ghosts_told_with_what_they_are_charged(tmp_path: Path) -> None:
    comparison = Comparison(
        orphans=(orphan("7.0.0", 30), orphan("8.0.0", None)),
        ghosts=(
            Ghost(version_id=version_id(), regions=("westus", "nowhere"), reason="gone"),
            Ghost(version_id=version_id(image="physics"), regions=("mars",), reason="gone"),
        ),
        gaps=("a gap",),
    )
    look = Azure(usage=Usage(unknown="not asked"), comparison=comparison)
    report = report_of(tmp_path, ROWS, look=lambda _: look)
    orphans, ghosts = report.orphans, report.ghosts
    assert (orphans.count, orphans.unpriced, amount(orphans.monthly["USD"])) == (2, 1, "2.00")
    charged = [{name: amount(value) for name, value in one.monthly.items()} for one in ghosts.items]
    assert charged == [{"USD": "30.00"}, {"USD": None}]
    assert {name: amount(value) for name, value in ghosts.monthly.items()} == {"USD": "30.00"}
    assert (report.azure_notes, report.unused.unknown) == (("a gap",), "not asked")
    shown = report_view(report)
    assert shown["orphans"]["note"] == "1 without an estimate are in no sum"
    assert shown["unused"] == {
        "known": False,
        "note": "not asked",
        "count": None,
        "monthly": None,
        "items": None,
    }


def test_lists_are_cut_where_told_and_what_is_left_out_is_summed_up(tmp_path: Path) -> None:
    rows = [
        ledger_row(monthly=None if number == 0 else "30", version=f"{number}.0.0", lab=f"{number}")
        for number in range(5)
    ]
    comparison = Comparison(
        orphans=tuple(orphan(f"{number}.0.1", 30) for number in range(3)),
        ghosts=tuple(
            Ghost(version_id=version_id(version=f"{number}.0.0"), regions=("westus",), reason="x")
            for number in range(3)
        ),
    )
    look = Azure(usage=usage_of([Machine(kind="vm", image="")]), comparison=comparison)
    report = report_of(
        tmp_path,
        rows,
        query=replace_query(limit=2, group_by=(Dimension.VERSION,)),
        look=lambda _: look,
    )
    lists = (report.unused, report.superseded, report.orphans, report.ghosts)
    assert [(len(one.items), one.count) for one in lists] == [(2, 5), (2, 4), (2, 3), (2, 3)]
    for groups in (report.groups, report.labs):
        left = groups.left_out_money["USD"]
        assert (len(groups.items), groups.left_out, amount(left.total)) == (2, 3, "2.00")
        assert (left.rows, left.unpriced_rows) == (3, 1)


def test_the_csv_is_safe_for_spreadsheets_and_ends_with_the_account(tmp_path: Path) -> None:
    rows = [ledger_row(lab="=1+1", monthly="30"), ledger_row(lab="@x", monthly=None)]
    query = replace_query(group_by=(Dimension.LAB,), limit=1)
    lines = report_csv(report_of(tmp_path, rows, query=query)).splitlines()
    assert lines[:4] == [
        "section,lab,currency,storage,egress,total,replica_days,rows,unpriced_rows,note",
        "group,'=1+1,USD,1.00,0.00,1.00,1,1,0,",
        "left_out,,USD,,,,1,1,1,1 more groups",
        "total,,USD,1.00,,1.00,2,2,1,",
    ]
    assert lines[4:7] == [
        "rows_read,,,,,,,2,,",
        "rows_used,,,,,,,1,,",
        "rows_set_aside,,,,,,,1,,no price: no price in USD for westus",
    ]
    assert [safe_cell(one) for one in (None, "", "-1", "+1", "\tx", "\rx", "a=b")] == [
        *("", "", "'-1", "'+1", "'\tx", "'\rx", "a=b"),
    ]
