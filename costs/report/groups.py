# ruff: noqa: S608 - the texts put together are this module's own; values are parameters
"""The groups of a report: the ledger summed up, holding no more groups than are shown.

Groups of a month or a day are summed up span by span, in order of time; once there is no room for
more, the groups of a span are only counted.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from costs.report.facts import DayFact, Group, GroupList, Money, add_up
from costs.report.query import Dimension, month_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SUMS = (
    "sum(storage_cost) AS storage, sum(egress_cost) AS egress, sum(replicas) AS replica_days, "
    "count(*) AS row_count, count(storage_cost) AS priced, count(unpriced) AS incomplete"
)
_SUM_NAMES = "storage, egress, replica_days, row_count, priced, incomplete"
_SUM_AGAIN = ", ".join(f"sum({name}) AS {name}" for name in _SUM_NAMES.split(", "))
_SUM_COLUMNS = _SUM_NAMES.count(",") + 1
_TIMES = (Dimension.MONTH, Dimension.DAY)
# Decided by the version alone, so that its sums answer.
_OF_VERSION = frozenset(
    {Dimension.SUBSCRIPTION, Dimension.GALLERY, Dimension.DEFINITION, Dimension.VERSION}
)
_GALLERY = ("subscription", "resource_group", "gallery")
_KEYS: Mapping[Dimension, tuple[str, ...]] = {
    Dimension.GALLERY: _GALLERY,
    Dimension.DEFINITION: (*_GALLERY, "definition"),
    Dimension.VERSION: (*_GALLERY, "definition", "version"),
}
# Which column of the ledger a key is, where it has another name.
_COLUMNS = {
    "subscription": "subscription_id",
    "storage_type": "storage_account_type",
    "rule": '"rule"',
}
# What the names of a record that cannot be read are in the ledger.
_UNKNOWN = "unknown"
# Where a key stands in an image version's id, split at the slashes.
_PARTS = {"subscription": 3, "resource_group": 5, "gallery": 9, "definition": 11, "version": 13}
_ID_PARTS = "string_split(id, '/') AS parts"
# The columns in which letter case tells nothing apart.
_NAMED = ("image_version_id", "subscription_id", "resource_group", "gallery", "definition")
_MOST_DAYS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days that are summed up at once, and the currencies that their rows are in.

    `month` is empty for days of any month.
    """

    month: str
    first: date
    last: date
    currencies: tuple[str, ...]
    days: tuple[DayFact, ...]


def key_names(dimensions: Iterable[Dimension]) -> tuple[str, ...]:
    """Return the names of the keys that a group by these dimensions has."""
    return tuple(dict.fromkeys(key for one in dimensions for key in _KEYS.get(one, (one.value,))))


def spans_of(days: Iterable[DayFact], *, by_month: bool) -> tuple[Span, ...]:
    """Return all days as one span, or each month as one; none where there are no rows."""
    found: dict[str, list[DayFact]] = defaultdict(list)
    for one in days:
        found[month_text(one.day) if by_month else ""].append(one)
    return tuple(_span(own, month=month) for month, own in sorted(found.items()))


def sums_need_months(dimensions: Sequence[Dimension]) -> bool:
    """Tell whether `version_sums` answers for these dimensions only if it keeps months apart."""
    keys = _Keys(dimensions)
    return keys.by_month and keys.is_of_version and not keys.is_time


def sum_versions(connection: "DuckDBPyConnection", spans: Sequence[Span]) -> None:
    """Make the table `version_sums`: what each version costs in each span and currency."""
    columns = "id VARCHAR, currency VARCHAR, storage DECIMAL(38,12), egress DECIMAL(38,12), "
    counts = "replica_days HUGEINT, row_count HUGEINT, priced HUGEINT, incomplete HUGEINT, "
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE version_sums ({columns}{counts}month VARCHAR)"
    )
    for span in spans:
        text, values = _scan(["image_version_id AS id"], span)
        connection.execute(
            f"INSERT INTO version_sums SELECT *, $month FROM ({text})",
            values | {"month": span.month},
        )


def group(
    connection: "DuckDBPyConnection",
    dimensions: Sequence[Dimension],
    days: Sequence[DayFact],
    *,
    limit: int,
    summed: bool = False,
    summed_by_month: bool = False,
) -> GroupList:
    """Sum days up: in order of time where that is a dimension, then by currency, the dearest first.

    No more than `limit` groups are returned, the others summed up. `summed` says that the table
    `version_sums` is made of these days, `summed_by_month` that it keeps months apart.
    """
    keys = _Keys(dimensions)
    found = _Found(limit=limit)
    if keys.is_time:
        found.add(_by_time(keys, days))
        return found.all()
    from_sums = summed and keys.is_of_version and (summed_by_month or not keys.by_month)
    for span in keys.spans(days):
        if found.is_full and not from_sums:
            found.skip(_count(connection, keys, span), span)
            continue
        text, values = (_from_sums if from_sums else _from_ledger)(keys, span)
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE grouped AS SELECT {keys.spelled(span)}, currency, "
            f"{_SUM_AGAIN}, coalesce(sum(storage), 0) + coalesce(sum(egress), 0) AS total "
            f"FROM ({text}) GROUP BY ALL",
            values,
        )
        found.take(connection, keys)
    connection.execute("DROP TABLE IF EXISTS grouped")
    return found.all()


def money_of(currency: str, sums: Sequence[Any]) -> Money:
    """Return the columns of SUMS as money."""
    storage, egress, replica_days, rows, priced, incomplete = sums[:_SUM_COLUMNS]
    return Money(
        currency=currency,
        storage=storage,
        # No transfer costs nothing, but what has no price may have been one.
        egress=Decimal(0) if egress is None and not incomplete else egress,
        replica_days=int(replica_days or 0),
        rows=int(rows),
        unpriced_rows=int(rows - priced),
        incomplete_rows=int(incomplete),
    )


class _Keys:
    """How groups are told apart: their names, and what these are in the ledger.

    Names are spelled out after the sums are made: there are far fewer of them than rows.
    """

    def __init__(self, dimensions: Sequence[Dimension]) -> None:
        self.names = key_names(dimensions)
        self.by_day = Dimension.DAY in dimensions
        self.by_month = Dimension.MONTH in dimensions and not self.by_day
        self.is_time = set(dimensions) <= set(_TIMES)
        self.is_of_version = set(dimensions) <= {*_OF_VERSION, Dimension.MONTH}
        self.by_id = self.is_of_version or Dimension.VERSION in dimensions
        # The ledger has one row for each, so that there is nothing to count.
        self.is_row = {Dimension.VERSION, Dimension.REGION, Dimension.DAY} <= set(dimensions)
        times = [f"k{self.names.index(one)}" for one in _TIMES if one in self.names]
        self.order = ", ".join([*times, "currency", "total DESC", *self.columns])

    @property
    def columns(self) -> list[str]:
        """The names of the keys in the table `grouped`."""
        return [f"k{number}" for number in range(len(self.names))]

    @property
    def raw(self) -> list[str]:
        """The columns of the ledger that decide the keys."""
        columns = {
            name: f"{_COLUMNS.get(name, name)} AS r_{name}"
            for name in self.names
            if name != Dimension.MONTH and not (self.by_id and name in _PARTS)
        }
        return [*(["image_version_id AS id"] if self.by_id else []), *columns.values()]

    def spans(self, days: Iterable[DayFact]) -> tuple[Span, ...]:
        """Return the days in spans, of which no group lies in two."""
        return _growing(days) if self.by_day else spans_of(days, by_month=self.by_month)

    def spelled(self, span: Span) -> str:
        """Return the keys of a span, as they are shown."""
        return ", ".join(
            f"{self._spelled(name, span)} AS {column}"
            for name, column in zip(self.names, self.columns, strict=True)
        )

    def _spelled(self, name: str, span: Span) -> str:
        if name == Dimension.MONTH:
            return "strftime(r_day, '%Y-%m')" if self.by_day else f"'{span.month}'"
        if name == Dimension.DAY:
            return "strftime(r_day, '%Y-%m-%d')"
        if name not in _PARTS:
            return f"r_{name}"
        # ARM ids tell no letter case apart, and every record keeps the letters it first saw. A
        # record that cannot be read has no names.
        if self.by_id:
            return f"lower(parts[{_PARTS[name]}])"
        return f"CASE WHEN r_subscription <> '{_UNKNOWN}' THEN lower(r_{name}) END"


def _span(days: Sequence[DayFact], *, month: str = "") -> Span:
    return Span(
        month=month,
        first=days[0].day,
        last=days[-1].day,
        currencies=tuple(sorted({one.money.currency for one in days})),
        days=tuple(days),
    )


def _growing(facts: Iterable[DayFact]) -> tuple[Span, ...]:
    """Return spans of one day, of two, of four: groups of days may be full after the first."""
    by_day: dict[date, list[DayFact]] = defaultdict(list)
    for one in facts:
        by_day[one.day].append(one)
    days, spans, length = list(by_day.values()), [], 1
    while days:
        spans.append(_span([one for own in days[:length] for one in own]))
        days, length = days[length:], min(2 * length, _MOST_DAYS)
    return tuple(spans)


def _by_time(keys: _Keys, days: Iterable[DayFact]) -> list[Group]:
    """Sum days up by nothing but their time."""
    found: dict[tuple[str, ...], list[Money]] = defaultdict(list)
    for one in days:
        texts = {"month": month_text(one.day), "day": one.day.isoformat()}
        found[tuple(texts[name] for name in keys.names)].append(one.money)
    return [
        Group(keys=dict(zip(keys.names, texts, strict=True)), money=money)
        for texts, amounts in found.items()
        for money in add_up(amounts).values()
    ]


def _scan(columns: Sequence[str], span: Span) -> tuple[str, dict[str, object]]:
    """Return the query that sums a span up by columns of the ledger."""
    by = ", ".join(one.partition(" AS ")[0] for one in columns)
    return _of_each_currency(
        f"SELECT {', '.join(columns)}, {{currency}} AS currency, {SUMS}", f"GROUP BY {by}", span
    )


def _of_each_currency(select: str, rest: str, span: Span) -> tuple[str, dict[str, object]]:
    """Return a query over a span that asks for each currency by itself.

    It has one key less to group by, and a single key of few values is what DuckDB is fastest at.
    """
    values: dict[str, object] = {"first": span.first, "last": span.last}
    values |= {f"c{number}": currency for number, currency in enumerate(span.currencies)}
    text = " UNION ALL ".join(
        f"{select.format(currency=f'$c{number}')} FROM ledger "
        f"WHERE day BETWEEN $first AND $last AND currency = $c{number} {rest}"
        for number in range(len(span.currencies))
    )
    return text, values


def _from_ledger(keys: _Keys, span: Span) -> tuple[str, dict[str, object]]:
    text, values = _scan(keys.raw, span)
    return (f"SELECT *, {_ID_PARTS} FROM ({text})" if keys.by_id else text), values


def _from_sums(keys: _Keys, span: Span) -> tuple[str, dict[str, object]]:
    text = (
        f"SELECT *, {_ID_PARTS} FROM version_sums "
        "WHERE list_contains($currencies::VARCHAR[], currency)"
    )
    values: dict[str, object] = {"currencies": list(span.currencies)}
    if keys.by_month:
        return f"{text} AND month = $month", values | {"month": span.month}
    return text, values


def _count(connection: "DuckDBPyConnection", keys: _Keys, span: Span) -> int:
    """Return how many groups a span has."""
    if keys.is_row:
        return sum(one.money.rows for one in span.days)
    by = [one.partition(" AS ")[0] for one in keys.raw]
    by = [f"lower({one})" if one in _NAMED else one for one in by]
    text, values = _of_each_currency(f"SELECT DISTINCT {', '.join(by)}, {{currency}}", "", span)
    (count,) = connection.execute(f"SELECT count(*) FROM ({text})", values).fetchall()[0]
    return int(count)


@dataclass(slots=True, kw_only=True)
class _Found:
    """The groups that are shown, and what the others come to."""

    limit: int
    items: list[Group] = field(default_factory=list)
    left_out: int = 0
    left_out_money: list[Money] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more."""
        return len(self.items) >= self.limit

    def add(self, groups: Sequence[Group]) -> None:
        """Take as many as there is room for."""
        room = self.limit - len(self.items)
        self.items += groups[:room]
        self.left_out += len(groups[room:])
        self.left_out_money += (one.money for one in groups[room:])

    def skip(self, count: int, span: Span) -> None:
        """Leave a whole span out."""
        self.left_out += count
        self.left_out_money += (one.money for one in span.days)

    def take(self, connection: "DuckDBPyConnection", keys: _Keys) -> None:
        """Take what there is room for from the table `grouped`, and sum up the rest."""
        room, width = self.limit - len(self.items), len(keys.names)
        rows = connection.execute(
            f"SELECT {', '.join(keys.columns)}, currency, {_SUM_NAMES} FROM grouped "
            f"ORDER BY {keys.order} LIMIT {room}"
        ).fetchall()
        self.items += (
            Group(
                keys=dict(zip(keys.names, row[:width], strict=True)),
                money=money_of(row[width], row[width + 1 :]),
            )
            for row in rows
        )
        if len(rows) < room:
            return
        for count, currency, *sums in connection.execute(
            f"SELECT count(*), currency, {_SUM_AGAIN} FROM "
            f"(SELECT *, row_number() OVER (ORDER BY {keys.order}) AS place FROM grouped) "
            f"WHERE place > {room} GROUP BY currency"
        ).fetchall():
            self.left_out += count
            self.left_out_money.append(money_of(currency, sums))

    def all(self) -> GroupList:
        """Return what was found."""
        return GroupList(
            items=tuple(self.items),
            left_out=self.left_out,
            left_out_money=add_up(self.left_out_money),
        )
