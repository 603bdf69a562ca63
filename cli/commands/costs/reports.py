"""Report of `costs`: made here from the ledger, or by a deployed app."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from cli.client.address import LEAVE_OUT
from cli.session import Session
from cli.terminal.errors import UsageProblem
from costs.report.query import Form, ReportQuery, TooLongError, read_report_query
from replication.domain.errors import MalformedError

if TYPE_CHECKING:
    from cli.client.http import Api
    from costs.service import Costs

type Document = dict[str, Any]

MOST_ENTRIES = 10_000


class ReportFormat(StrEnum):
    """In what form a report is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    FOCUS = "focus"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsked:
    """What a report is to be about, in the words of the options."""

    from_text: str | None
    to_text: str | None
    group_by: tuple[str, ...]
    currency: str | None
    limit: int
    ask_azure: bool


class Reports(Protocol):
    """Makes reports; raises UsageProblem for what cannot be asked."""

    def view(self, asked: ReportAsked) -> Document:
        """Return the report in the shape of the API."""
        ...

    def text(self, asked: ReportAsked, form: ReportFormat) -> str:
        """Return the report as a file of a form holds it."""
        ...


def reports_of(session: Session) -> Reports:
    """Return where reports come from."""
    if session.remote is None:
        return _LedgerReports(session=session)
    return _AppReports(api=session.closing.enter_context(session.open_api(session.remote)))


def open_query(
    session: Session,
    *,
    from_text: str | None,
    to_text: str | None,
    group_by: tuple[str, ...] = (),
    currency: str | None,
    limit: int = MOST_ENTRIES,
) -> tuple["Costs", ReportQuery]:
    """Return the cost services, and the query that the words mean; raises UsageProblem."""
    app = session.app()
    try:
        query = read_report_query(
            today=app.ports.clock().astimezone(UTC).date(),
            from_text=from_text,
            to_text=to_text,
            group_by=group_by,
            currency=currency,
            limit=limit,
        )
    except MalformedError as error:
        raise UsageProblem(_option_of(error)) from error
    return app.costs, query


def _option_of(error: Exception) -> str:
    """Return a sentence about a parameter as one about the option that it came from."""
    return f"--{error}".replace("--group_by", "--group-by", 1)


@contextmanager
def _as_option() -> Iterator[None]:
    try:
        yield
    except UsageProblem as error:
        raise UsageProblem(_option_of(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _LedgerReports:
    session: Session

    def view(self, asked: ReportAsked) -> Document:
        costs, query = self._query(asked)
        return costs.report(query, ask_azure=asked.ask_azure)

    def text(self, asked: ReportAsked, form: ReportFormat) -> str:
        costs, query = self._query(asked)
        try:
            return costs.text(query, Form(form.value), ask_azure=asked.ask_azure)
        except TooLongError as error:
            raise UsageProblem(_option_of(error)) from error

    def _query(self, asked: ReportAsked) -> tuple["Costs", ReportQuery]:
        return open_query(
            self.session,
            from_text=asked.from_text,
            to_text=asked.to_text,
            group_by=asked.group_by,
            currency=asked.currency,
            limit=asked.limit,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _AppReports:
    api: "Api"

    def view(self, asked: ReportAsked) -> Document:
        from api.schemas.costs import CostReport  # noqa: PLC0415 - pydantic takes 100 ms

        with _as_option():
            return self.api.get("costs", CostReport, _params(asked)).document()

    def text(self, asked: ReportAsked, form: ReportFormat) -> str:
        if form == ReportFormat.HTML:
            raise UsageProblem(f"an app makes no --format html; {LEAVE_OUT} to make it here")
        if form == ReportFormat.JSON:
            return json.dumps(self.view(asked), indent=2) + "\n"
        with _as_option():
            return self.api.get_text("costs", {**_params(asked), "format": form.value})


def _params(asked: ReportAsked) -> dict[str, str]:
    given = {
        "from": asked.from_text,
        "to": asked.to_text,
        "group_by": ",".join(asked.group_by) or None,
        "currency": asked.currency,
        "limit": str(asked.limit),
        "azure": "yes" if asked.ask_azure else "no",
    }
    return {name: value for name, value in given.items() if value is not None}
