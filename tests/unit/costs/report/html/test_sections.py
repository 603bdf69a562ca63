"""The parts of the HTML report: every figure in its place, plain about what is not known."""

import re
from dataclasses import replace

import pytest

from costs.report.facts import Group, GroupList
from costs.report.html.report import html_report
from costs.report.maths import BudgetUse
from costs.report.query import Dimension
from costs.report.report import GhostList, OrphanList, VersionList
from tests.support.costs.html_facts import budget, fact, gallery, lab, spent
from tests.support.costs.html_outline import Outline, part
from tests.support.costs.html_reports import (
    full_report,
    two_currencies,
)


def test_growth_and_forecast_are_told_with_their_basis() -> None:
    text = part(full_report(), "months")
    assert "2026-10 1,536.33 65.68 1,602.01 49.56 +10.9 % 30 of 31" in text
    assert "2026-09 1,340.10 88.20 1,428.30 44.67 \N{EN DASH} 30 of 30" in text
    assert "2026-11, USD 1,309.30 1,923.10 1,841.41 2,044.61 10 more days at the storage" in text


def test_a_month_that_cannot_be_compared_in_percent_tells_its_change() -> None:
    report = full_report()
    months = (*report.months[:1], replace(report.months[1], change_percent=None))
    assert "49.56 +4.89 30 of 31" in part(replace(report, months=months), "months")


def test_too_few_days_for_a_trend_are_told() -> None:
    report = full_report()
    forecast = replace(report.forecasts[0], trend_next_month=None)
    assert "1,841.41 too few days" in part(replace(report, forecasts=(forecast,)), "months")


def test_budgets_are_told_with_their_state() -> None:
    text = part(full_report(), "budgets")
    assert "Each gallery biology-gallery 600.00 611.42 101.9 % 894.12 over" in text
    assert "Each gallery pilot-gallery 600.00 91.53 15.3 % 130.53 within 24 rows without" in text
    assert "1 over 1 will be over, 3 of 5 within" in part(full_report(), "look")


@pytest.mark.parametrize(
    ("budgets", "expected"),
    [
        ((budget("a", "10", "1", "2"),), "Budgets all within 1 of 1 within"),
        ((budget("a", "10", "1", "20"),), "Budgets 1 will be over 0 of 1 within"),
    ],
)
def test_the_state_of_all_budgets_is_told_first(
    budgets: tuple[BudgetUse, ...], expected: str
) -> None:
    assert expected in part(replace(full_report(), budgets=budgets), "look")


def test_a_budget_of_nothing_is_in_the_table_alone() -> None:
    report = replace(full_report(), budgets=(budget("none", "0", "1", "2"),))
    html = html_report(report)
    assert "budget-chart" not in html
    assert "none 0.00 1.00 \N{EN DASH} 2.00 over" in part(report, "budgets")


def test_without_budgets_the_reason_is_told() -> None:
    report = replace(full_report(), budgets=(), budget_note="the policy sets no budgets")
    assert "No budget to compare with: the policy sets no budgets." in part(report, "budgets")
    assert "Budgets" not in part(report, "look")


def test_more_budgets_than_are_drawn_are_told() -> None:
    many = tuple(budget("each", "10", "1", "2", gallery=f"g{number}") for number in range(30))
    assert "Drawn are the 20 that are the fullest." in part(
        replace(full_report(), budgets=many), "budgets"
    )


def test_an_amount_below_a_cent_and_one_without_a_price_are_not_nothing() -> None:
    text = part(full_report(), "groups")
    assert "sandbox-gallery < 0.01 0.00 < 0.01 0.0 %" in text
    assert "new-gallery 24 rows without a price no price no price no price" in text


def test_currencies_have_tables_and_charts_of_their_own_and_no_common_sum() -> None:
    report = two_currencies()
    html = html_report(report)
    assert [html.count(f'id="months-{one}"') for one in ("eur", "usd")] == [1, 1]
    text = Outline(html).text
    assert "Costs by gallery, in EUR" in text
    assert "Costs by gallery, in USD" in text
    assert "310.20 EUR" in text
    assert "4,649.81" not in text
    assert "7 versions, 21.00 EUR and 588.35 USD a month." in part(report, "superseded")
    for chart in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert not ("EUR" in chart and "USD" in chart)


def test_what_is_left_out_of_a_list_is_summed_up_and_said() -> None:
    text = part(full_report(), "labs")
    assert "all others together < 0.01 0.00 < 0.01" in text
    assert "4 more groups are summed up as “all others together”" in text
    assert "2 more are in the sum and not in the list" in part(full_report(), "superseded")


def test_groups_that_are_all_left_out_still_have_their_sum() -> None:
    money = spent("5.00", unpriced=2)
    groups = GroupList(items=(), left_out=1, left_out_money={"USD": money})
    text = part(replace(full_report(), groups=groups), "groups")
    assert "all others together 2 rows without a price 5.00 0.00 5.00" in text
    assert "1 more group is summed up" in text


def test_each_dimension_is_a_column() -> None:
    query = replace(full_report().query, group_by=(Dimension.GALLERY, Dimension.STORAGE_TYPE))
    keys = {**gallery("g", spent("1")).keys, "storage_type": "Premium_LRS"}
    groups = GroupList(items=(Group(keys=keys, money=spent("1.00")),))
    text = part(replace(full_report(), query=query, groups=groups), "groups")
    assert "By gallery, storage type" in text
    assert "Gallery Storage type Storage Transfer Total, USD Share g Premium_LRS 1.00" in text


def test_galleries_of_one_name_are_told_by_their_place() -> None:
    one, other = gallery("g", spent("2")), gallery("g", spent("1"))
    other = replace(other, keys={**other.keys, "resource_group": "another-rg"})
    text = part(replace(full_report(), groups=GroupList(items=(one, other))), "groups")
    assert "555555555555/labs-rg" in text
    assert "555555555555/another-rg" in text


def test_what_azure_did_not_tell_is_not_known_and_not_none() -> None:
    report = replace(
        full_report(),
        unused=VersionList(unknown="Azure was not asked"),
        orphans=OrphanList(unknown="Azure was not asked"),
        ghosts=GhostList(unknown="Azure was not asked"),
    )
    for anchor in ("unused", "orphans", "ghosts"):
        assert "Not known. Azure was not asked." in part(report, anchor)
    assert part(report, "look").count("not known") == 3


def test_what_is_in_order_is_told_as_none() -> None:
    report = replace(full_report(), unused=VersionList(), orphans=OrphanList(), ghosts=GhostList())
    assert "Used by nobody none none is known to be unused" in part(report, "look")
    assert part(report, "look").count("some could not be compared") == 2
    whole = part(replace(report, azure_notes=()), "look")
    assert "Orphans none all in Azure are on our books" in whole
    assert "Ghosts none all on our books are in Azure" in whole
    assert "0 versions." in part(report, "unused")
    assert "0 versions." in part(report, "orphans")


def test_orphans_are_told_with_the_bounds_and_the_basis_of_their_estimates() -> None:
    text = part(full_report(), "orphans")
    assert "physics-gallery/optics/2.1.0 westus 31.75 USD 18.40 to 57.15 low [1]" in text
    assert "physics-gallery/lasers/0.1.0 centralus, eastus2 no estimate none [2]" in text
    assert text.count("Snapshot formula: occupied GB") == 1
    assert "1 version has no estimate and is not in that sum." in text


def test_ghosts_are_told_with_what_is_charged_for_them() -> None:
    report = full_report()
    assert "pilot-gallery/welcome/1.0.0 southcentralus, westus2 < 0.01 USD" in part(
        report, "ghosts"
    )
    gone = replace(report.ghosts.items[0], monthly={})
    ghosts = GhostList(items=(gone,), count=1)
    assert "not in the ledger" in part(replace(report, ghosts=ghosts), "ghosts")
    assert "4 versions." in part(report, "ghosts")


def test_versions_in_several_places_are_told_by_them() -> None:
    elsewhere = fact("x", "1.0.0", "1").image_version_id.replace("labs-rg", "other-rg")
    items = (fact("x", "1.0.0", "1"), replace(fact("x", "1.0.0", "1"), image_version_id=elsewhere))
    text = part(replace(full_report(), unused=VersionList(items=items, count=2)), "unused")
    assert "555555555555/other-rg" in text
    assert "; all in" not in text
    assert "; all in 11111111" in part(full_report(), "unused")


def test_the_page_ends_with_the_account_of_every_row() -> None:
    text = part(full_report(), "account")
    assert "used 18,240 set aside, no price: no price in USD" in text
    assert text.index("read 18,264") > text.index("set aside, ")
    assert "228 rows are provisional: 2026-11-20 is not on the books yet." in text


def test_every_note_is_in_the_account_however_many_stand_at_the_top() -> None:
    report = full_report()
    notes = tuple(f"note number {number}" for number in range(7))
    report = replace(report, rows=replace(report.rows, notes=notes))
    account = part(report, "account")
    assert all(f"Note number {number}." in account for number in range(7))
    assert html_report(report).count("Note number 0.") == 2


def test_labs_that_nobody_named_are_told() -> None:
    report = replace(full_report(), labs=GroupList(items=(lab(None, spent("1")),)))
    assert "No version names its lab" in part(report, "labs")


def test_a_ledger_of_unpriced_rows_has_no_chart_and_no_zero() -> None:
    nothing = spent(None, None, unpriced=300)
    report = replace(
        full_report(),
        totals={"USD": nothing},
        months=(),
        forecasts=(),
        top=(),
        groups=GroupList(items=(gallery("g", nothing),)),
    )
    assert "Total no price Storage no price" in part(report, "total")
    assert "No version has a price." in part(report, "top")
    assert 'class="months"' not in html_report(report)


def test_shares_stay_within_their_place() -> None:
    report = full_report()
    groups = GroupList(items=(gallery("refund", spent("-5")), gallery("more", spent("99999"))))
    html = html_report(replace(report, groups=groups))
    assert re.findall(r"--part: ([\d.]+)", html)[:2] == ["0.000", "1.000"]
