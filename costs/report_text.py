"""A report as one text: JSON, CSV, FOCUS or HTML."""

import json

from costs.books import Costs
from costs.report_csv import report_csv
from costs.report_query import ReportQuery
from costs.report_view import report_view
from costs.reporting import make_report, open_ledger

MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "focus": "text/csv",
    "html": "text/html",
}


def report_text(costs: Costs, query: ReportQuery, name: str, *, ask_azure: bool = True) -> str:
    """Return the report in one of the forms of MEDIA_TYPES."""
    if name == "focus":
        from costs.focus import focus_csv  # noqa: PLC0415 - each form loads its own libraries

        with open_ledger(costs, query) as (facts, _):
            return focus_csv(facts.connection, query)
    if name == "csv":
        # The groups alone, for which Azure need not be asked.
        return report_csv(make_report(costs, query, ask_azure=False))
    report = make_report(costs, query, ask_azure=ask_azure)
    if name == "html":
        from costs.html_report import html_report  # noqa: PLC0415 - likewise

        return html_report(report)
    return json.dumps(report_view(report), indent=2) + "\n"
