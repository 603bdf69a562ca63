"""The audit report as one HTML file that needs nothing beside it: no script, no network, no font.

Names in it come from tags and from ARM, so everything is escaped, and the page forbids scripts.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from costs.report.facts import GroupList
from costs.report.html.azure import ghost_table, orphan_table
from costs.report.html.charts import MOST_BUDGETS, budget_chart
from costs.report.html.view import (
    budget_states,
    currency_parts,
    findings,
    group_tables,
    on_a_page,
    version_tables,
)
from costs.report.html.words import (
    by_currency,
    counted,
    in_currency,
    money,
    sentence,
    signed_money,
    word,
)
from costs.report.maths import TREND_DAYS, BudgetState
from costs.report.query import Dimension
from costs.report.report import CostReport

_STATES = {
    BudgetState.OVER: "bad",
    BudgetState.WILL_BE_OVER: "warn",
    BudgetState.WITHIN: "good",
}
_BY_LAB = (Dimension.LAB,)
_BY_VERSION = (Dimension.VERSION,)


def html_report(report: CostReport) -> str:
    """Return the report as a page."""
    report = on_a_page(report)
    labs = report.labs
    return (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            currencies=currency_parts(report),
            unpriced_rows=sum(one.unpriced_rows for one in report.totals.values()),
            findings=findings(report),
            budget_states=budget_states(report.budgets),
            budget_chart=budget_chart("budget-chart", report.budgets),
            most_budgets=MOST_BUDGETS,
            states=_STATES,
            trend_days=TREND_DAYS,
            dimension_words=", ".join(word(one) for one in report.query.group_by),
            group_tables=group_tables(report.groups, report.query.group_by, report.totals),
            top_tables=group_tables(GroupList(items=report.top), _BY_VERSION, report.totals),
            version_dimension=_BY_VERSION,
            lab_tables=group_tables(labs, _BY_LAB, report.totals),
            lab_dimension=_BY_LAB,
            has_labs=bool(labs.left_out) or any(one.keys["lab"] is not None for one in labs.items),
            version_lists=_version_lists(report),
            orphans=orphan_table(report.orphans),
            ghosts=ghost_table(report.ghosts),
        )
    )


def _version_lists(report: CostReport) -> list[tuple[Any, ...]]:
    return [
        (
            "unused",
            "Versions that nobody uses",
            "On the books of the last day.",
            report.unused,
            version_tables(report.unused),
        ),
        (
            "superseded",
            "Superseded versions",
            "On the books of the last day together with a newer version of their definition.",
            report.superseded,
            version_tables(report.superseded),
        ),
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("costs.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "by_currency": by_currency,
        "counted": counted,
        "drawing": _drawing,
        "in_currency": in_currency,
        "moment": _moment,
        "money": money,
        "part": _part,
        "sentence": sentence,
        "signed": _signed,
        "signed_money": signed_money,
        "word": word,
    }
    return environment


def _drawing(svg: str) -> Markup:
    """Let a chart through as it is: pygal has escaped every name in it."""
    return Markup(svg)  # noqa: S704 - made by an XML writer


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d at %H:%M} UTC"


def _part(percent: Decimal) -> str:
    """Return how much of its place a bar takes, between 0 and 1."""
    return f"{min(max(percent / 100, Decimal(0)), Decimal(1)):.3f}"


def _signed(percent: Decimal) -> str:
    return f"{percent:+}"
