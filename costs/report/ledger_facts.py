# ruff: noqa: S608 - the texts put together are this project's own; values are parameters
"""The facts of a report, asked of the ledger in as few passes as its columns allow.

One pass sums up days, which tell what there is; one sums up versions, which answers every question
about galleries, definitions and versions. What these do not decide (regions, tags) is a pass of
its own, if it is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from costs.report.facts import (
    DayFact,
    GroupList,
    RegionFact,
    ReplicaRow,
    UnpricedFact,
    VersionFact,
    monthly_rate,
    readable_id,
)
from costs.report.groups import SUMS, group, money_of, spans_of, sum_versions, sums_need_months
from costs.report.orphans import Books
from costs.report.query import Dimension, ReportQuery, days_in_month

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from replication.domain.image_version import ImageVersionId

_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Facts:
    """The ledger of a query; `days` are all of its days in every currency. Made by `open_facts`."""

    connection: "DuckDBPyConnection"
    query: ReportQuery
    days: tuple[DayFact, ...]
    by_month: bool = False

    @property
    def own_days(self) -> tuple[DayFact, ...]:
        """The days in the currency that was asked for."""
        wanted = self.query.currency
        return tuple(one for one in self.days if wanted in (None, one.money.currency))

    def unpriced(self) -> tuple[UnpricedFact, ...]:
        """Return why rows have no price, and how many."""
        if not any(one.money.unpriced_rows or one.money.incomplete_rows for one in self.own_days):
            return ()
        rows = self._all(
            "SELECT coalesce(unpriced, 'the row does not say why'), storage_cost IS NULL, count(*) "
            "FROM ledger WHERE day BETWEEN $from AND $to "
            "AND ($currency IS NULL OR currency = $currency) "
            "AND (unpriced IS NOT NULL OR storage_cost IS NULL) "
            "GROUP BY ALL ORDER BY count(*) DESC, 1, 2",
            {
                "from": self.query.from_day,
                "to": self.query.to_day,
                "currency": self.query.currency,
            },
        )
        return tuple(UnpricedFact(reason=row[0], storage=row[1], rows=row[2]) for row in rows)

    def groups(
        self,
        dimensions: Sequence[Dimension],
        *,
        limit: int | None = None,
        since: date | None = None,
        currency: str | None = None,
    ) -> GroupList:
        """Sum up by dimensions: in order of time where that is one of them, then the dearest.

        At most `limit` groups are returned, those of the query unless told, and the others summed
        up. `since` leaves earlier days out, `currency` all others.
        """
        days = [
            one
            for one in self.own_days
            if (since is None or one.day >= since) and currency in (None, one.money.currency)
        ]
        return group(
            self.connection,
            dimensions,
            days,
            limit=self.query.limit if limit is None else limit,
            summed=since is None,
            summed_by_month=self.by_month,
        )

    def versions_on(self, day: date) -> tuple[VersionFact, ...]:
        """Return every version that stood in the ledger on a day, the dearest first."""
        rows = self._all(
            "WITH standing AS (SELECT any_value(image_version_id) AS id, any_value(lab) AS lab, "
            "any_value(cost_center) AS cost_center, currency, sum(storage_cost) AS cost, "
            "sum(replicas) AS replicas, count(*) AS regions, sum(gb * replicas) AS gb, "
            "count(*) FILTER (storage_cost IS NULL) AS unpriced FROM ledger "
            "WHERE day = $day AND ($currency IS NULL OR currency = $currency) "
            "GROUP BY version_key, currency), "
            "period AS (SELECT lower(id) AS id, currency, "
            "coalesce(sum(storage), 0) + coalesce(sum(egress), 0) AS total, "
            "count(storage) + count(egress) > 0 AS known FROM version_sums GROUP BY ALL) "
            "SELECT standing.id, lab, cost_center, standing.currency, cost, replicas, regions, gb, "
            "unpriced, CASE WHEN known THEN total END FROM standing LEFT JOIN period "
            "ON lower(standing.id) = period.id AND standing.currency = period.currency "
            "ORDER BY standing.currency, cost DESC NULLS LAST, standing.id",
            {"day": day, "currency": self.query.currency},
        )
        length = days_in_month(day)
        return tuple(
            VersionFact(
                image_version_id=row[0],
                lab=row[1],
                cost_center=row[2],
                currency=row[3],
                monthly=monthly_rate(row[4], length),
                in_period=row[9],
                replicas=int(row[5]),
                regions=row[6],
                gb=row[7],
                unpriced_rows=row[8],
            )
            for row in rows
        )

    def books(self, day: date) -> Books:
        """Return the regions of every version on a day."""
        rows = self._all(
            "SELECT version_key, any_value(image_version_id), list(DISTINCT region) FROM ledger "
            "WHERE day = $day GROUP BY version_key",
            {"day": day},
        )
        regions: dict[str, tuple[ImageVersionId, frozenset[str]]] = {}
        for key, text, names in rows:
            version_id = readable_id(text)
            if version_id is not None:
                regions[key] = (version_id, frozenset(names))
        return Books(regions=regions, unreadable=len(rows) - len(regions))

    def regions_of(self, version_keys: Sequence[str], day: date) -> tuple[RegionFact, ...]:
        """Return every region of some versions on a day."""
        rows = self._all(
            "SELECT version_key, region, currency, storage_cost FROM ledger WHERE day = $day "
            "AND version_key IN (SELECT unnest($keys::VARCHAR[])) ORDER BY version_key, region",
            {"day": day, "keys": list(version_keys)},
        )
        length = days_in_month(day)
        return tuple(
            RegionFact(
                version_key=row[0],
                region=row[1],
                currency=row[2],
                monthly=monthly_rate(row[3], length),
            )
            for row in rows
        )

    def replicas_on(self, day: date) -> Iterator[ReplicaRow]:
        """Return every region of every version on a day with what its cost is made of."""
        found = self.connection.execute(
            "SELECT image_version_id, region, home_region, is_home, storage_account_type, "
            "replicas, gb, unit_price, currency, unpriced FROM ledger WHERE day = $day",
            {"day": day},
        )
        names = [column[0] for column in found.description or ()]
        while some := found.fetchmany(_ROWS_AT_ONCE):
            for values in some:
                yield ReplicaRow(**dict(zip(names, values, strict=True)))

    def _all(self, text: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        return self.connection.execute(text, dict(values)).fetchall()


def open_facts(connection: "DuckDBPyConnection", query: ReportQuery) -> Facts:
    """Sum the view `ledger` up by day and by version, and return what answers from that."""
    rows = connection.execute(
        f"SELECT day, currency, count(*) FILTER (provisional) AS provisional, {SUMS} "
        "FROM ledger WHERE day BETWEEN $from AND $to GROUP BY day, currency "
        "ORDER BY day, currency",
        {"from": query.from_day, "to": query.to_day},
    ).fetchall()
    days = tuple(
        DayFact(day=row[0], money=money_of(row[1], row[3:]), provisional_rows=row[2])
        for row in rows
    )
    own = [one for one in days if query.currency in (None, one.money.currency)]
    by_month = sums_need_months(query.group_by)
    sum_versions(connection, spans_of(own, by_month=by_month))
    return Facts(connection, query, days, by_month)
