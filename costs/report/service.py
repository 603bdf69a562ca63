"""Make an audit report of an app's ledger and of what its Azure shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, timedelta

import duckdb

from costs.books import Costs
from costs.ledger.engine import ledger_connection
from costs.pricing.estimate import CostEstimate
from costs.pricing.prices import MissingPrice, Price
from costs.report.ledger_facts import Facts, open_facts
from costs.report.orphans import Comparer, Orphan
from costs.report.query import ReportQuery
from costs.report.report import Azure, CostReport, Reporter, price_age
from costs.report.usage import Usage, look_up_usage
from costs.report.what_if import Change, Prices, WhatIf, newest_versions, what_if
from replication.domain.errors import MalformedError

# Enough for a few thousand lists; what takes longer is told as not compared.
AZURE_TIME_S = 90.0


def make_report(
    costs: Costs, query: ReportQuery, *, ask_azure: bool = True, azure_time_s: float = AZURE_TIME_S
) -> CostReport:
    """Return the report; raises what storage raises, and MalformedError for a broken file."""
    app = costs.app
    estimates = replace(app.ports.estimates, clock=app.ports.clock, currency=app.policy.currency)

    def estimate(orphan: Orphan) -> CostEstimate:
        return estimates.of(
            orphan.version_id,
            orphan.replicas,
            home_region=orphan.home_region,
            provisioned_gb=orphan.provisioned_gb,
        )

    def look(facts: Facts) -> Azure:
        today = app.ports.clock().astimezone(UTC).date()
        if not ask_azure:
            return Azure.not_asked("Azure was not asked")
        if query.to_day != today:
            return Azure.not_asked(
                f"the report ends on {query.to_day}, and Azure tells of today alone"
            )
        return _look(costs, facts, today, azure_time_s)

    reporter = Reporter(
        policy=app.policy,
        estimate=estimate,
        clock=app.ports.clock,
        price_notes=_price_notes(costs),
    )
    with open_ledger(costs, query) as (facts, days):
        return reporter.report(facts, days, look)


def ask_what_if(costs: Costs, change: Change, day: date, *, ask_azure: bool = True) -> WhatIf:
    """Compute the ledger of a day with a change; raises what storage raises."""

    def storage_price(region: str, storage_type: str, currency: str) -> Price | MissingPrice:
        return costs.price_books.current(currency).storage(region, storage_type, on=day)

    def transfer_price(source: str, target: str, currency: str) -> Price | MissingPrice:
        return costs.price_books.current(currency).transfer(source, target, on=day)

    usage = Usage(unknown="Azure was not asked")
    if ask_azure and change.keep_last is not None:
        usage = look_up_usage(costs.app.ports.machines)
    with open_ledger(costs, ReportQuery(from_day=day, to_day=day)) as (facts, _):
        newest: dict[str, frozenset[str]] = {}
        if change.keep_last is not None:
            ids = (str(version_id) for version_id, _ in facts.books(day).regions.values())
            newest = newest_versions(ids, change.keep_last)
        return what_if(
            facts.replicas_on(day),
            change,
            newest=newest,
            prices=Prices(storage=storage_price, transfer=transfer_price),
            usage=usage,
        )


@contextmanager
def open_ledger(costs: Costs, query: ReportQuery) -> Iterator[tuple[Facts, frozenset[date]]]:
    """Open the days of a query; yields what answers from them, and which days there are."""
    with costs.ledger.files(query.from_day, query.to_day) as files:
        try:
            with ledger_connection(files.paths) as connection:
                yield (
                    open_facts(connection, query),
                    frozenset((*files.written_days, *files.provisional_days)),
                )
        except duckdb.Error as error:
            raise MalformedError(f"the ledger's files cannot be read: {error}") from error


def _price_notes(costs: Costs) -> tuple[str, ...]:
    currency = costs.app.policy.currency
    try:
        book = costs.price_books.current(currency)
    except MalformedError as error:
        return (f"the age of the prices in {currency} is not known: {error}",)
    return price_age(currency, book.read_on, costs.app.ports.clock().astimezone(UTC).date())


def _look(costs: Costs, facts: Facts, today: date, azure_time_s: float) -> Azure:
    ports = costs.app.ports
    until = ports.clock() + timedelta(seconds=azure_time_s)
    comparer = Comparer(
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        policy=costs.app.policy,
        clock=ports.clock,
    )
    return Azure(
        usage=look_up_usage(ports.machines),
        comparison=comparer.compare(facts.books(today), until=until),
    )
