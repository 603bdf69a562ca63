"""Reports: made of the ledger, and of what Azure shows today."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from costs.ledger.ledger import Ledger
from costs.ports import ImageConsumers
from costs.pricing.estimate import CostEstimate
from costs.pricing.estimator import Estimates
from costs.pricing.price_book import PriceBooks
from costs.pricing.prices import MissingPrice, Price
from costs.report.ledger_facts import Facts, open_facts
from costs.report.orphans import Comparer, Orphan
from costs.report.query import Change, ReportQuery
from costs.report.report import Azure, CostReport, Reporter, price_age
from costs.report.usage import Usage, look_up_usage
from costs.report.what_if import Prices, WhatIf, newest_versions, what_if
from replication.domain.errors import MalformedError
from replication.domain.policy import ReplicationPolicy

# Enough for a few thousand lists; what takes longer is told as not compared.
AZURE_TIME_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Answers what replicas cost, and what they would cost otherwise."""

    ledger: Ledger
    price_books: PriceBooks
    estimates: Estimates
    comparer: Comparer
    consumers: ImageConsumers
    policy: ReplicationPolicy
    clock: Callable[[], datetime]

    def make(
        self, query: ReportQuery, *, ask_azure: bool = True, azure_time_s: float = AZURE_TIME_S
    ) -> CostReport:
        """Return the report; raises what storage raises, and MalformedError for a broken file."""

        def look(facts: Facts) -> Azure:
            today = self._today()
            if not ask_azure:
                return Azure.not_asked("Azure was not asked")
            if query.to_day != today:
                return Azure.not_asked(
                    f"the report ends on {query.to_day}, and Azure tells of today alone"
                )
            until = self.clock() + timedelta(seconds=azure_time_s)
            return Azure(
                usage=look_up_usage(self.consumers),
                comparison=self.comparer.compare(facts.books(today), until=until),
            )

        reporter = Reporter(
            policy=self.policy,
            estimate=self._estimate,
            clock=self.clock,
            price_notes=self._price_notes(),
        )
        with self.open(query) as (facts, days):
            return reporter.report(facts, days, look)

    def what_if(self, change: Change, day: date, *, ask_azure: bool = True) -> WhatIf:
        """Compute the ledger of a day with a change; raises what storage raises."""

        def storage_price(region: str, storage_type: str, currency: str) -> Price | MissingPrice:
            return self.price_books.current(currency).storage(region, storage_type, on=day)

        def transfer_price(source: str, target: str, currency: str) -> Price | MissingPrice:
            return self.price_books.current(currency).transfer(source, target, on=day)

        usage = Usage(unknown="Azure was not asked")
        if ask_azure and change.keep_last is not None:
            usage = look_up_usage(self.consumers)
        with self.open(ReportQuery(from_day=day, to_day=day)) as (facts, _):
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
    def open(self, query: ReportQuery) -> Iterator[tuple[Facts, frozenset[date]]]:
        """Open the days of a query; yields what answers from them, and which days there are."""
        with self.ledger.open(query.from_day, query.to_day) as (connection, days):
            yield open_facts(connection, query), days

    def _today(self) -> date:
        return self.clock().astimezone(UTC).date()

    def _estimate(self, orphan: Orphan) -> CostEstimate:
        return self.estimates.of(
            orphan.version_id,
            orphan.replicas,
            home_region=orphan.home_region,
            provisioned_gb=orphan.provisioned_gb,
        )

    def _price_notes(self) -> tuple[str, ...]:
        currency = self.policy.currency
        try:
            book = self.price_books.current(currency)
        except MalformedError as error:
            return (f"the age of the prices in {currency} is not known: {error}",)
        return price_age(currency, book.read_on, self._today())
