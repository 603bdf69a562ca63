"""The cost audit: its ledger, its reports, and the comparison with a bill."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from costs.focus.columns import Granularity
from costs.focus.export import FocusSummary, focus_csv, write_focus
from costs.ledger.ledger import Ledger
from costs.ports import RetailList
from costs.pricing.price_book import PriceBooks
from costs.pricing.retail import Refreshed, refresh_prices
from costs.reconciliation.service import BillAudit
from costs.report.cache import ReportCache
from costs.report.csv import report_csv
from costs.report.query import Form, ReportQuery, TooLongError
from costs.report.service import AZURE_TIME_S, Reports
from costs.report.view import View, report_view


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an app can say about money.

    A FOCUS file of the most rows, as one text, has some tens of MB.
    """

    ledger: Ledger
    price_books: PriceBooks
    retail: RetailList
    reports: Reports
    bills: BillAudit
    shown: ReportCache
    most_focus_rows: int = 50_000

    def report(
        self, query: ReportQuery, *, ask_azure: bool = True, azure_time_s: float = AZURE_TIME_S
    ) -> View:
        """Return the report in the shape of the API."""
        return report_view(self.reports.make(query, ask_azure=ask_azure, azure_time_s=azure_time_s))

    def text(self, query: ReportQuery, form: Form, *, ask_azure: bool = True) -> str:
        """Return the report in a form; raises TooLongError."""
        match form:
            case Form.FOCUS:
                return self._focus(query)
            case Form.CSV:
                # The groups alone, for which Azure need not be asked.
                return report_csv(self.reports.make(query, ask_azure=False))
            case Form.HTML:
                from costs.report.html.report import html_report  # noqa: PLC0415 - it loads Jinja and pygal

                return html_report(self.reports.make(query, ask_azure=ask_azure))
            case Form.JSON:
                return json.dumps(self.report(query, ask_azure=ask_azure), indent=2) + "\n"
            case _:
                assert_never(form)

    def export(
        self, query: ReportQuery, path: Path, *, parquet: bool, granularity: Granularity
    ) -> FocusSummary:
        """Write the ledger's days as FOCUS; raises OSError where the file cannot be written."""
        with self.ledger.open(query.from_day, query.to_day) as (connection, _):
            return write_focus(connection, query, path, parquet=parquet, granularity=granularity)

    def refresh_prices(self, currency: str) -> Refreshed:
        """Read the public price list into the price book."""
        return refresh_prices(
            self.retail, self.price_books, currency=currency, clock=self.reports.clock
        )

    def _focus(self, query: ReportQuery) -> str:
        with self.reports.open(query) as (facts, _):
            rows, most = sum(one.money.rows for one in facts.own_days), self.most_focus_rows
            if rows > most:
                raise TooLongError(
                    f"format focus has a line for each of {rows} rows, and {most} are "
                    "the most: ask for fewer days, or write a file with gallery-replicator costs "
                    "export"
                )
            return focus_csv(facts.connection, query)
