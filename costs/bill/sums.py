"""The sums of a bill, and the account of every row that is in none."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from costs.bill.model import Aside, BillLine, LineKey, counted
from costs.bill.text import Kind, Level, NumberStyle, Resource, number_style

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SHOWN_REASONS = 20
_SHOWN_NAMES = 5
_SHOWN_TEXT = 60
# A price is told from a cost that is not mostly rounding.
_LEAST_COST = "0.001"
_PRICE_PLACES = 10
_SAME_PRICE = "0.001"
_FIGURE = "DECIMAL(28,12)"
_QUANTITY = "DECIMAL(28,10)"

# A number with a point: thousands may be parted by commas, else a comma is no number.
_POINT = (
    f"coalesce(TRY_CAST({{0}} AS {_FIGURE}), CASE WHEN contains({{0}}, ',') AND "
    "regexp_full_match({0}, '[+-]?\\d{{1,3}}(,\\d{{3}})+(\\.\\d+)?') "
    f"THEN TRY_CAST(replace({{0}}, ',', '') AS {_FIGURE}) END)"
)
_COMMA = (
    "TRY_CAST(replace(CASE WHEN contains({0}, '.') AND "
    "regexp_full_match({0}, '[+-]?\\d{{1,3}}(\\.\\d{{3}})+(,\\d+)?') "
    f"THEN replace({{0}}, '.', '') ELSE {{0}} END, ',', '.') AS {_FIGURE})"
)
_EITHER = f"TRY_CAST({{0}} AS {_FIGURE})"

_OUT_OF_SCOPE = {
    "foreign": "other resources",
    "snapshot": "snapshots of disks, which belong to no gallery",
    "transfer": "transfer between regions, billed under other resources than galleries",
    "month": "galleries' rows of months that were not asked for",
}
_SET_ASIDE = {
    "nameless": "a snapshot meter without a resource, so that nobody can tell whose it is",
    "resource": "the resource is no gallery, definition or version: {}",
    "day": "the date cannot be read: {}",
    "currency": "unknown currency {}",
    "charge": "charges of the kind {}, which the ledger does not have",
    "meter": "unknown meter {} on a gallery's resource",
    "cost": "the cost is not a number: {}",
    "quantity": "the quantity is not a number: {}",
    "unit": "unknown unit {}; known are GB/Month and GB, with or without a number before",
    "copy": "rows that another of the files has as well, counted once",
}
# Of these every name is told, of the others one example.
_NAMED = ("currency", "charge", "meter", "unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The lines of a bill, and what became of its other rows."""

    lines: tuple[BillLine, ...]
    out_of_scope: tuple[Aside, ...]
    set_aside: tuple[Aside, ...]
    notes: tuple[str, ...]
    aside_by_place: Mapping[tuple[str, str], int]
    transfers_elsewhere: int


def sum_up(engine: "DuckDBPyConnection", names: Sequence[str], month: str | None) -> Sums:
    """Sum up what is staged, by the words in the tables word_…; `month` leaves others out."""
    style_notes = tuple(_read_styles(engine, names))
    _read_numbers(engine)
    _judge(engine, month)
    _count_once(engine)
    out = tuple(_out_of_scope(engine))
    return Sums(
        lines=tuple(_lines(engine)),
        out_of_scope=out,
        set_aside=tuple(_set_aside(engine)),
        notes=(*style_notes, *_notes(engine)),
        aside_by_place=_aside_by_place(engine),
        transfers_elsewhere=sum(one.rows for one in out if one.reason == _OUT_OF_SCOPE["transfer"]),
    )


def _read_styles(engine: "DuckDBPyConnection", names: Sequence[str]) -> Iterator[str]:
    """Find out per file how its numbers are written."""
    point = "(contains({0}, '.') AND position('.' IN {0}) > position(',' IN {0}))"
    comma = "contains({0}, ',')"
    sure = (
        "(contains({0}, ',') AND position('.' IN {0}) < position(',' IN {0}) "
        "AND NOT regexp_full_match({0}, '[+-]?[1-9]\\d{{0,2}}(,\\d{{3}})+'))"
    )
    either = [
        " OR ".join(test.format(column) for column in ("quantity", "cost"))
        for test in (point, comma, sure)
    ]
    rows = engine.execute(
        f"SELECT file, {', '.join(f'count(*) FILTER ({one})' for one in either)} "  # noqa: S608 - tests of our own
        "FROM staged WHERE scope = 'gallery' GROUP BY file ORDER BY file"
    ).fetchall()
    engine.execute("CREATE TABLE word_styles (file INTEGER, style VARCHAR)")
    for file, points, commas, surely in rows:
        style = number_style(points=points, commas=commas, surely_commas=surely)
        engine.execute("INSERT INTO word_styles VALUES (?, ?)", [file, style])
        if style is NumberStyle.COMMA:
            yield f"{names[file]} writes numbers with a decimal comma; read as such"
        elif style is None:
            yield (
                f"{names[file]}: a number such as 1,234 may be one or a thousand, and no other "
                "number tells; such rows are set aside. Export it with decimal points"
            )


def _read_numbers(engine: "DuckDBPyConnection") -> None:
    """Read every number once: a replica has the same ones day after day."""
    plain = "trim(text)"
    engine.execute(
        f"""
        CREATE TABLE word_numbers AS
        SELECT file, text, CASE style WHEN 'point' THEN {_POINT.format(plain)}
            WHEN 'comma' THEN {_COMMA.format(plain)} ELSE {_EITHER.format(plain)} END AS figure
        FROM (SELECT file, cost AS text FROM staged WHERE scope = 'gallery'
            UNION SELECT file, quantity FROM staged WHERE scope = 'gallery')
        LEFT JOIN word_styles USING (file)
        """  # noqa: S608 - words of our own
    )


def _judge(engine: "DuckDBPyConnection", month: str | None) -> None:
    """Put beside every row of a gallery what its words mean, and what becomes of it."""
    fates = (
        ("scope = 'nameless'", "nameless", "''"),
        ("resource IS NULL", "resource", "said_resource"),
        ("day IS NULL", "day", "said_day"),
        ("$month IS NOT NULL AND strftime(day, '%Y-%m') <> $month", "month", "''"),
        ("code IS NULL", "currency", "said_currency"),
        ("means = 'other'", "charge", "charge"),
        ("kind IS NULL", "meter", "meter"),
        ("figure_cost IS NULL", "cost", "said_cost"),
        (
            "figure_quantity IS NULL OR gb IS NULL OR gb_in_blocks IS NULL",
            "quantity",
            "said_quantity",
        ),
        ("per IS NULL AND NOT refund", "unit", "said_unit"),
    )
    cases = " ".join(f"WHEN {test} THEN '{fate}'" for test, fate, _ in fates)
    texts = " ".join(f"WHEN {test} THEN {text}" for test, _, text in fates)
    engine.execute(
        f"""
        CREATE TABLE judged AS
        WITH words AS (
            SELECT staged.file, n, scope, word_resources.resource, word_days.value AS day, code,
                word_regions.value AS region, word_regions.known AS region_known,
                word_meters.kind, staged.meter, means, charge, per, in_blocks, certain,
                costs.figure AS figure_cost,
                coalesce(quantities.figure, CASE WHEN means = 'refund'
                    AND trim(staged.quantity) = '' THEN 0 END) AS figure_quantity,
                staged.resource AS said_resource, staged.day AS said_day,
                staged.currency AS said_currency, staged.cost AS said_cost,
                staged.quantity AS said_quantity, staged.unit AS said_unit
            FROM staged
            JOIN word_files ON staged.file = word_files.number
            LEFT JOIN word_numbers AS costs
                ON staged.file = costs.file AND staged.cost = costs.text
            LEFT JOIN word_numbers AS quantities
                ON staged.file = quantities.file AND staged.quantity = quantities.text
            LEFT JOIN word_resources ON staged.resource = word_resources.text
            LEFT JOIN word_days ON staged.day = word_days.text
            LEFT JOIN word_regions ON staged.region = word_regions.text
            LEFT JOIN word_currencies ON staged.currency = word_currencies.text
            LEFT JOIN word_charges USING (charge, class)
            LEFT JOIN word_meters ON staged.meter = word_meters.text
            LEFT JOIN word_units
                ON staged.unit = word_units.text AND word_units.kind = word_meters.kind
            WHERE scope IN ('gallery', 'nameless')
        ), measured AS (
            SELECT *,
                coalesce(means = 'refund' OR figure_cost < 0 OR figure_quantity < 0, false)
                    AS refund,
                TRY_CAST(CASE WHEN in_blocks THEN figure_quantity * coalesce(per, 1)
                    ELSE figure_quantity END AS {_QUANTITY}) AS gb,
                TRY_CAST(CASE WHEN in_blocks OR NOT certain THEN figure_quantity * coalesce(per, 1)
                    ELSE figure_quantity END AS {_QUANTITY}) AS gb_in_blocks
            FROM words
        )
        SELECT file, n, resource, day, code, region, region_known, kind, meter, figure_cost,
            figure_quantity, refund, gb, gb_in_blocks,
            CASE {cases} ELSE 'used' END AS fate, CASE {texts} ELSE '' END AS said
        FROM measured
        """,  # noqa: S608 - words of our own
        {"month": month},
    )


def _count_once(engine: "DuckDBPyConnection") -> None:
    """Count a row that several files have as often as the one that has it most often.

    Within one file equal rows count each: an export may hold one for each replica.
    """
    same = (
        "kind, resource, region, region_known, meter, day, code, figure_cost, figure_quantity, "
        "gb, gb_in_blocks, refund"
    )
    engine.execute(
        f"CREATE TABLE used AS SELECT {same}, date_trunc('month', day) AS month, max(n) AS n, "  # noqa: S608 - names of our own
        f"sum(n) - max(n) AS copies, min(file) AS owner FROM (SELECT file, sum(n) AS n, {same} "
        "FROM judged WHERE fate = 'used' GROUP BY ALL) GROUP BY ALL"
    )


def _lines(engine: "DuckDBPyConnection") -> Iterator[BillLine]:
    times = "n::DECIMAL(9,0)"
    price = (
        f"CASE WHEN NOT refund AND figure_cost >= {_LEAST_COST} AND gb > 0 "
        "THEN figure_cost::DOUBLE / gb::DOUBLE END"
    )
    rows = engine.execute(
        f"""
        WITH revised AS (
            SELECT DISTINCT kind, resource, region, month, code, true AS revised FROM (
                SELECT kind, resource, region, month, code, meter, day FROM used
                GROUP BY ALL HAVING count(DISTINCT owner) > 1)
        ), ends AS (
            SELECT kind, resource, region, month, code, arg_max({price}, day) AS last_price
            FROM used GROUP BY ALL
        ), sums AS (
            SELECT kind, resource, region, month, code,
                sum(figure_cost * {times}),
                coalesce(sum(gb * {times}) FILTER (NOT refund), 0),
                coalesce(sum(gb_in_blocks * {times}) FILTER (NOT refund), 0),
                sum(n), min(day), max(day), arg_min({price}, day), any_value(last_price),
                min(day) FILTER (abs({price} - last_price) <= last_price * {_SAME_PRICE}),
                coalesce(sum(n) FILTER (refund), 0),
                coalesce(sum(figure_cost * {times}) FILTER (refund), 0),
                coalesce(sum(n - 1) FILTER (NOT refund), 0),
                coalesce(sum(figure_cost * (n - 1)::DECIMAL(9,0)) FILTER (NOT refund), 0),
                coalesce(any_value(revised), false), list_sort(list(DISTINCT trim(meter)))
            FROM used LEFT JOIN ends USING (kind, resource, region, month, code)
            LEFT JOIN revised USING (kind, resource, region, month, code)
            GROUP BY kind, resource, region, month, code
        )
        SELECT id, level, sums.* EXCLUDE (resource) FROM sums JOIN word_ids USING (resource)
        """,  # noqa: S608 - words of our own
    ).fetchall()
    return (_line(row) for row in rows)


def _line(row: Sequence[Any]) -> BillLine:
    resource, level, kind, region, month, currency = row[:6]
    cost, gb, blocks, rows, first, last, first_price, last_price = row[6:14]
    since, refund_rows, refunds, equal_rows, equal_cost, revised, meters = row[14:]
    return BillLine(
        key=LineKey(
            kind=Kind(kind),
            resource=Resource(resource, Level(level)),
            region=region,
            month=f"{month:%Y-%m}",
            currency=currency,
        ),
        cost=cost,
        gb=gb,
        gb_in_blocks=blocks,
        rows=int(rows),
        first_day=first,
        last_day=last,
        first_price=_price(first_price),
        last_price=_price(last_price),
        last_price_since=since,
        refund_rows=int(refund_rows),
        refunds=refunds,
        equal_rows=int(equal_rows),
        equal_cost=equal_cost,
        revised=revised,
        meters=tuple(meters),
    )


def _price(figure: float | None) -> Decimal | None:
    return None if figure is None else Decimal(f"{figure:.{_PRICE_PLACES}f}")


def _out_of_scope(engine: "DuckDBPyConnection") -> Iterator[Aside]:
    rows = engine.execute(
        "SELECT scope, sum(n) FROM staged WHERE scope NOT IN ('gallery', 'nameless') "
        "GROUP BY scope UNION ALL "
        "SELECT fate, sum(n) FROM judged WHERE fate = 'month' GROUP BY fate ORDER BY 2 DESC, 1"
    ).fetchall()
    return (Aside(reason=_OUT_OF_SCOPE[scope], rows=int(count)) for scope, count in rows)


def _set_aside(engine: "DuckDBPyConnection") -> Iterator[Aside]:
    rows = engine.execute(
        f"""
        WITH aside AS (
            SELECT fate, CASE WHEN fate IN {_NAMED} THEN said END AS name, said, n,
                coalesce(code, '') AS code, figure_cost * n::DECIMAL(9,0) AS cost
            FROM judged WHERE fate NOT IN ('used', 'month')
            UNION ALL
            SELECT 'copy', NULL, '', copies, code, figure_cost * copies::DECIMAL(9,0)
            FROM used WHERE copies > 0
        )
        SELECT fate, coalesce(name, min(said) OVER (PARTITION BY fate)), code, sum(n), sum(cost)
        FROM aside GROUP BY fate, name, said, code ORDER BY 1, 2, 3
        """  # noqa: S608 - words of our own
    ).fetchall()
    counts: dict[tuple[str, str], int] = defaultdict(int)
    amounts: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for fate, said, code, count, cost in rows:
        key = (fate, said)
        counts[key] += int(count)
        if code and cost is not None:
            amounts[key][code] = amounts[key].get(code, Decimal(0)) + cost
    ordered = sorted(counts, key=lambda one: (-counts[one], one))
    for fate, said in ordered[:_SHOWN_REASONS]:
        shown = said if len(said) <= _SHOWN_TEXT else said[:_SHOWN_TEXT] + "…"
        yield Aside(
            reason=_SET_ASIDE[fate].format(repr(shown)),
            rows=counts[fate, said],
            amounts=amounts[fate, said],
        )
    rest = ordered[_SHOWN_REASONS:]
    if rest:
        yield Aside(reason=counted(len(rest), "more reason"), rows=sum(counts[one] for one in rest))


def _notes(engine: "DuckDBPyConnection") -> Iterator[str]:
    unknown = engine.execute(
        "SELECT region, sum(n) FROM used WHERE NOT region_known AND region <> '' "
        "GROUP BY region ORDER BY 2 DESC, 1"
    ).fetchall()
    if unknown:
        named = ", ".join(repr(str(name)[:_SHOWN_TEXT]) for name, _ in unknown[:_SHOWN_NAMES])
        more = f" and {len(unknown) - _SHOWN_NAMES} more" if len(unknown) > _SHOWN_NAMES else ""
        yield (
            f"{counted(int(sum(count for _, count in unknown)), 'row')} in regions that the list "
            f"of regions does not have ({named}{more}); they are compared under that name"
        )
    equal = engine.execute("SELECT sum(n - 1) FROM used WHERE NOT refund").fetchone()
    if equal and equal[0]:
        yield (
            f"{counted(int(equal[0]), 'row')} equal to another row of the same file: each is "
            "counted, since an export may have one for each replica; a line that only this makes "
            "too dear says so"
        )


def _aside_by_place(engine: "DuckDBPyConnection") -> dict[tuple[str, str], int]:
    rows = engine.execute(
        "SELECT id, strftime(day, '%Y-%m'), sum(n) FROM judged JOIN word_ids USING (resource) "
        "WHERE fate NOT IN ('used', 'month') AND day IS NOT NULL GROUP BY ALL"
    ).fetchall()
    return {(resource, month): int(count) for resource, month, count in rows}
