"""What is made of records besides answers: published events, and the rows of the ledger."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from costs.ledger.rows import DayPrices, ledger_rows, unreadable_row
from costs.pricing.price_book import decode_book
from costs.pricing.sizes import KnownSizes, decode_sizes
from replication.azure.outcome_topic import EventGridTopic
from replication.domain.regions import Region
from replication.guards.circuits import Circuit
from replication.guards.region_health import region_held_back, region_released
from replication.ports import OutcomeEvent, UnreadableRow
from replication.reconcile.outcome_events import outcome_events
from tests.golden.codecs import read_control, read_job
from tests.golden.data import Raw
from tests.golden.facts import facts


class _Client(EventGridPublisherClient):
    def __init__(self, sent: list[EventGridEvent]) -> None:
        self._sent = sent

    def send(self, events: Any, **_options: Any) -> None:
        self._sent += events


def events(case: Raw) -> list[Raw]:
    """Return the events of a case as they are handed to the vendor's client."""
    sent: list[EventGridEvent] = []
    EventGridTopic(_Client(sent)).publish(_outcomes(case))
    names = ("id", "subject", "event_type", "event_time", "data", "data_version")
    return [{name: facts(getattr(one, name)) for name in names} for one in sent]


def _outcomes(case: Raw) -> Sequence[OutcomeEvent]:
    job = read_job(case["job"])
    if case["what"] == "job":
        return outcome_events(read_job(case["before"]), job)
    circuit, at = read_control(case["circuit"]), datetime.fromisoformat(case["at"])
    assert isinstance(circuit, Circuit)
    if case["what"] == "released":
        return [region_released(job, circuit, at=at)]
    return [region_held_back(job, circuit, reason=case["reason"], at=at)]


def day_prices(recorded: Raw) -> DayPrices:
    """Return the prices and sizes that the ledger's cases were made with."""
    return DayPrices(
        book=decode_book(recorded["price_book"].encode()),
        sizes=KnownSizes(decode_sizes(recorded["sizes"].encode())),
        extra_regions=frozenset({Region("uksouth")}),
    )


def ledger(case: Raw, prices: DayPrices) -> Any:
    """Return the facts of the ledger rows of a case."""
    day, provisional = date.fromisoformat(case["day"]), case["provisional"]
    if "unreadable" in case:
        record = UnreadableRow(**case["unreadable"])
        rows = unreadable_row(record, day, prices.book.currency, provisional=provisional)
    else:
        rows = ledger_rows(read_job(case["job"]), day, prices, provisional=provisional)
    return facts(list(rows))
