"""A report as one text: JSON, CSV, FOCUS or HTML."""

import json

from costs.books import Costs
from costs.report.csv import report_csv
from costs.report.query import ReportQuery
from costs.report.service import make_report, open_ledger
from costs.report.view import report_view
from replication.domain.errors import MalformedError

# As one text they are some tens of MB.
MAX_FOCUS_ROWS = 50_000
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "focus": "text/csv",
    "html": "text/html",
}


class TooLongError(MalformedError):
    """A question whose answer is too long to be one text."""


def report_text(costs: Costs, query: ReportQuery, name: str, *, ask_azure: bool = True) -> str:
    """Return the report in one of the forms of MEDIA_TYPES; raises TooLongError."""
    if name == "focus":
        from costs.focus.export import focus_csv  # noqa: PLC0415 - each form loads its own libraries

        with open_ledger(costs, query) as (facts, _):
            rows = sum(one.money.rows for one in facts.own_days)
            if rows > MAX_FOCUS_ROWS:
                raise TooLongError(
                    f"format focus has a line for each of {rows} rows, and {MAX_FOCUS_ROWS} are "
                    "the most: ask for fewer days, or write a file with gallery-replicator costs "
                    "export"
                )
            return focus_csv(facts.connection, query)
    if name == "csv":
        # The groups alone, for which Azure need not be asked.
        return report_csv(make_report(costs, query, ask_azure=False))
    report = make_report(costs, query, ask_azure=ask_azure)
    if name == "html":
        from costs.report.html.report import html_report  # noqa: PLC0415 - likewise

        return html_report(report)
    return json.dumps(report_view(report), indent=2) + "\n"
