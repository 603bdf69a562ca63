"""A made-up audit report with something in every part of it, for the tests of its page."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from costs.pricing.estimate import unknown_cost
from costs.report.facts import Group, GroupList
from costs.report.maths import Forecast, MonthGrowth
from costs.report.orphans import Ghost
from costs.report.query import ReportQuery
from costs.report.report import (
    CostReport,
    GhostList,
    OrphanList,
    PricedGhost,
    RowCount,
    VersionList,
)
from tests.support.builders import version_id
from tests.support.costs.html_facts import (
    budget,
    fact,
    gallery,
    known_estimate,
    lab,
    month,
    orphan,
    spent,
    version,
)

HOSTILE = "<script>alert(1)</script>"
LAST_DAY = date(2026, 11, 20)


def full_report() -> CostReport:
    """Return a term of three months: galleries, labs, budgets, and all that may be wrong."""
    return CostReport(
        query=ReportQuery(from_day=date(2026, 9, 1), to_day=LAST_DAY),
        made_at=datetime(2026, 11, 20, 14, 5, tzinfo=UTC),
        last_day=LAST_DAY,
        totals={"USD": spent("4127.5331", "212.08", days=18_240, unpriced=24)},
        groups=_galleries(),
        months=_months(),
        forecasts=(
            Forecast(
                currency="USD",
                month="2026-11",
                so_far=Decimal("1309.30"),
                month_total=Decimal("1923.10"),
                next_month=Decimal("1841.41"),
                trend_next_month=Decimal("2044.61"),
                basis="10 more days at the storage of 2026-11-20, no further transfer; 2 replica "
                "regions without a price are left out",
            ),
        ),
        top=_dearest(),
        labs=_labs(),
        budgets=(
            budget("All galleries", "2400", "1309.30", "1923.10"),
            budget("Each gallery", "600", "611.42", "894.12", gallery="biology-gallery"),
            budget("Each gallery", "600", "404.55", "613.05", gallery="computing-gallery"),
            budget("Each gallery", "600", "201.80", "285.40", gallery="physics-gallery"),
            budget("Each gallery", "600", "91.53", "130.53", gallery="pilot-gallery", unpriced=24),
        ),
        budget_note="",
        unused=_unused(),
        superseded=_superseded(),
        orphans=OrphanList(
            items=(
                orphan("optics", "2.1.0", known_estimate("18.40", "31.75", "57.15"), "westus"),
                orphan("optics", "2.2.0", known_estimate("9.20", "12.70", "22.86"), "westus3"),
                orphan(
                    "lasers",
                    "0.1.0",
                    unknown_cost(
                        "the size of the version is not known before its creation has ended",
                        currency="USD",
                    ),
                    "centralus",
                    "eastus2",
                ),
            ),
            count=3,
            monthly={"USD": Decimal("44.45")},
            unpriced=1,
        ),
        ghosts=GhostList(
            items=(
                PricedGhost(
                    ghost=Ghost(
                        version_id=version_id(gallery="pilot-gallery", image="welcome"),
                        regions=("southcentralus", "westus2"),
                        reason="the version is not in Azure; a sweep takes it off the books",
                    ),
                    monthly={"USD": Decimal("0.004")},
                ),
            ),
            count=1,
            monthly={"USD": Decimal("0.004")},
        ),
        azure_notes=(
            "subscription 99999999-2222-3333-4444-555555555555: it could not be listed; 4 versions",
        ),
        rows=RowCount(
            read=18_264,
            used=18_240,
            set_aside=(("no price: no price in USD for storage in mexicocentral", 24),),
            notes=("228 rows are provisional: 2026-11-20 is not on the books yet",),
        ),
    )


def two_currencies() -> CostReport:
    """Return a report of dollars and euros."""
    report = full_report()
    euros = spent("310.20", None, currency="EUR", days=1_200)
    forecast = report.forecasts[0]
    return replace(
        report,
        totals={"EUR": euros, **report.totals},
        groups=replace(
            report.groups, items=(gallery("zurich-gallery", euros), *report.groups.items)
        ),
        months=(
            month("2026-11", "310.20", None, per_day="15.51", ledger_days=20, currency="EUR"),
            *report.months,
        ),
        forecasts=(
            replace(
                forecast,
                currency="EUR",
                so_far=Decimal("310.20"),
                month_total=Decimal("465.30"),
                next_month=Decimal("465.30"),
                trend_next_month=None,
            ),
            *report.forecasts,
        ),
        top=(version("zurich-gallery/statistics/1.0.0", euros), *report.top),
        superseded=replace(
            report.superseded,
            items=(fact("statistics", "0.9.0", "21.00", currency="EUR"), *report.superseded.items),
            monthly={"EUR": Decimal(21), **report.superseded.monthly},
        ),
    )


def hostile_report() -> CostReport:
    """Return a report in which everything that others name is called like a script."""
    report = full_report()
    money = spent("10.00")
    name = f"{HOSTILE}\"'&</style></svg>"
    ghost = report.ghosts.items[0]
    return replace(
        report,
        groups=GroupList(items=(gallery(name, money),)),
        top=(Group(keys={**version("a/b/1.0.0", money).keys, "definition": name}, money=money),),
        labs=GroupList(items=(lab(name, money),)),
        budgets=(replace(report.budgets[0], budget=name, gallery=name),),
        unused=VersionList(
            items=(replace(fact("x", "1.0.0", "1"), image_version_id=name, lab=name),),
            count=1,
            note=name,
        ),
        superseded=VersionList(unknown=name),
        orphans=replace(
            report.orphans,
            items=(
                replace(
                    report.orphans.items[0],
                    estimate=replace(known_estimate("1", "2", "3"), basis=name),
                ),
            ),
        ),
        ghosts=replace(
            report.ghosts,
            items=(replace(ghost, ghost=replace(ghost.ghost, regions=(name,), reason=name)),),
        ),
        azure_notes=(name,),
        rows=RowCount(read=2, used=1, set_aside=((name, 1),), notes=(name,)),
    )


def empty_report() -> CostReport:
    """Return the report of a ledger that has nothing."""
    return CostReport(
        query=ReportQuery(from_day=date(2026, 9, 1), to_day=LAST_DAY),
        made_at=datetime(2026, 11, 20, 14, 5, tzinfo=UTC),
        last_day=None,
        totals={},
        groups=GroupList(items=()),
        months=(),
        forecasts=(),
        top=(),
        labs=GroupList(items=()),
        budgets=(),
        budget_note="the ledger has none of these days",
        unused=VersionList(unknown="Azure was not asked"),
        superseded=VersionList(),
        orphans=OrphanList(unknown="Azure was not asked"),
        ghosts=GhostList(unknown="Azure was not asked"),
        azure_notes=(),
        rows=RowCount(
            read=0,
            used=0,
            set_aside=(),
            notes=("the ledger has no day from 2026-09-01 to 2026-11-20",),
        ),
    )


def _galleries() -> GroupList:
    return GroupList(
        items=(
            gallery("biology-gallery", spent("1910.23", "96.40")),
            gallery("computing-gallery", spent("1322.75", "71.03")),
            gallery("physics-gallery", spent("601.19", "30.15")),
            gallery("pilot-gallery", spent("293.36", "14.50", unpriced=24)),
            gallery("sandbox-gallery", spent("0.0031", "0")),
            gallery("new-gallery", spent(None, None, unpriced=24)),
        )
    )


def _months() -> tuple[MonthGrowth, ...]:
    return (
        month("2026-09", "1340.10", "88.20", per_day="44.67"),
        month("2026-10", "1536.33", "65.68", per_day="49.56", change="4.89", percent="10.9"),
        month(
            "2026-11",
            "1251.10",
            "58.20",
            per_day="62.56",
            change="13.00",
            percent="26.2",
            ledger_days=20,
        ),
    )


def _dearest() -> tuple[Group, ...]:
    return (
        version("biology-gallery/genomics/3.4.0", spent("612.44", "31.20")),
        version("biology-gallery/genomics/3.3.0", spent("588.09", "0")),
        version("computing-gallery/kernel-lab/1.12.0", spent("441.30", "28.75")),
        version("computing-gallery/kernel-lab/1.11.0", spent("437.87", "0")),
        version("biology-gallery/microscopy/2.0.1", spent("402.10", "40.02")),
        version("physics-gallery/optics/2.0.0", spent("311.04", "18.60")),
        version("computing-gallery/networks/5.0.0", spent("240.91", "22.15")),
    )


def _labs() -> GroupList:
    return GroupList(
        items=(
            lab("genomics", spent("1290.18", "58.20")),
            lab("operating systems", spent("879.17", "28.75")),
            lab("microscopy", spent("620.04", "38.20")),
            lab("optics", spent("601.19", "30.15")),
            lab("networks", spent("443.58", "42.28")),
            lab(None, spent("293.37", "14.50", unpriced=24)),
        ),
        left_out=4,
        left_out_money={"USD": spent("0.0031", "0")},
    )


def _unused() -> VersionList:
    return VersionList(
        items=(
            fact("genomics", "3.2.0", "118.60"),
            fact(
                "kernel-lab",
                "1.10.0",
                "96.12",
                place="computing-gallery",
                of_lab="operating systems",
            ),
            fact("microscopy", "1.9.0", "74.88", of_lab="microscopy", regions=8),
            fact("welcome", "1.0.0", None, place="pilot-gallery", of_lab=None, regions=2),
        ),
        count=4,
        monthly={"USD": Decimal("289.60")},
        note="no machine, scale set or lab that this identity sees (214 looked at) names them; 3 "
        "more may be in use: something names their definition and no version",
    )


def _superseded() -> VersionList:
    return VersionList(
        items=(
            fact("genomics", "3.3.0", "121.35"),
            fact("genomics", "3.2.0", "118.60"),
            fact(
                "kernel-lab",
                "1.11.0",
                "97.40",
                place="computing-gallery",
                of_lab="operating systems",
            ),
            fact(
                "kernel-lab",
                "1.10.0",
                "96.12",
                place="computing-gallery",
                of_lab="operating systems",
            ),
            fact("microscopy", "1.9.0", "74.88", of_lab="microscopy", regions=8),
        ),
        count=7,
        monthly={"USD": Decimal("588.35")},
    )
