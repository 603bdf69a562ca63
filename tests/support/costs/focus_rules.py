"""The published column rules of FOCUS 1.2, and the check of a file against them."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from costs.ledger.engine import connection
from replication.domain.errors import MalformedError
from tests.support.costs.focus_checks import (
    Check,
    Columns,
    column_checks,
    parents_query,
    rule_checks,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_RULES = Path(__file__).with_name("focus-1.2.json")
_MAX_LINE = 2**24
_SHOWN = 80
# Aggregates of one pass over a file.
_CHECKS_AT_ONCE = 100
# What a Parquet column of a FOCUS type may be.
_PARQUET_TYPES = {
    "decimal": ("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT"),
    "date_time": ("TIMESTAMP",),
    "string": ("VARCHAR", "ENUM"),
    "json": ("VARCHAR", "JSON"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a file breaks: in which column, in how many rows, and one value that does.

    `rows` is 0 where it is the column as such.
    """

    column: str
    rule: str
    rows: int = 0
    example: str | None = None


@cache
def focus_rules() -> Mapping[str, Any]:
    """Return the rules as data; focus-1.2.json says where they were published."""
    text = _RULES.read_text(encoding="utf-8")
    rules: Mapping[str, Any] = json.loads(text)
    return rules


def violations(path: Path) -> tuple[Violation, ...]:
    """Check a CSV or Parquet file; raises MalformedError for one that cannot be read as such."""
    parquet = path.suffix.lower() == ".parquet"
    try:
        with connection() as engine:
            names = _open_parquet(engine, path) if parquet else _open_csv(engine, path)
            return tuple(_violations(engine, names))
    except (duckdb.Error, UnicodeError) as error:
        raise MalformedError(f"{path.name} cannot be read: {error}") from error


def _violations(engine: "DuckDBPyConnection", names: dict[str, str | None]) -> list[Violation]:
    rules = focus_rules()
    found = [*_of_names(names, rules)]
    mistyped = set()
    for name, kind in names.items():
        known = rules["columns"].get(name)
        if known and kind and not kind.startswith(_PARQUET_TYPES[known["type"]]):
            mistyped.add(name)
            found.append(Violation(column=name, rule=f"is no {known['type']}", example=kind))
    columns = Columns(types={name: kind for name, kind in names.items() if name not in mistyped})
    checks = [*column_checks(rules, columns), *rule_checks(rules, columns)]
    for start in range(0, len(checks), _CHECKS_AT_ONCE):
        found += _run(engine, checks[start : start + _CHECKS_AT_ONCE])
    for rule in rules["rules"]:
        query = parents_query(rule, columns)
        row = engine.execute(query).fetchone() if query else None
        if row and row[0]:
            words = f"has more than one {rule['parent']}"
            found.append(Violation(column=rule["column"], rule=words, rows=row[0], example=row[1]))
    return found


def _of_names(names: Mapping[str, str | None], rules: Mapping[str, Any]) -> list[Violation]:
    found = []
    for name, column in rules["columns"].items():
        needed = column["level"] == "mandatory" or column.get("needs") in rules["azure_has"]
        if needed and name not in names:
            found.append(Violation(column=name, rule=f"is missing, and {column['level']}"))
    return found + [
        Violation(column=name, rule=f"is no column of FOCUS, and does not begin with {prefix}")
        for name in names
        if name not in rules["columns"] and not name.startswith(prefix := rules["custom_prefix"])
    ]


def _run(engine: "DuckDBPyConnection", checks: list[Check]) -> list[Violation]:
    if not checks:
        return []
    figures = ", ".join(
        f"count(*) FILTER ({one.broken}), any_value({one.value}) FILTER ({one.broken})"
        for one in checks
    )
    row = engine.execute(f"SELECT {figures} FROM export").fetchone()  # noqa: S608 - as said there
    if row is None:
        return []
    return [
        Violation(
            column=one.column,
            rule=one.rule,
            rows=rows,
            example=None if example is None else str(example)[:_SHOWN],
        )
        for one, rows, example in zip(checks, row[::2], row[1::2], strict=True)
        if rows
    ]


def _open_csv(engine: "DuckDBPyConnection", path: Path) -> dict[str, str | None]:
    """Open a CSV as the view `export`, all text; an empty cell is null, a quoted one is not."""
    with path.open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file), [])
    if not names:
        raise MalformedError(f"{path.name} is empty: not even a header")
    twice = [name for name, count in Counter(map(str.lower, names)).items() if count > 1]
    if twice:
        raise MalformedError(f"{path.name} has the column {twice[0][:_SHOWN]!r} twice")
    engine.read_csv(
        str(path),
        header=True,
        sep=",",
        quotechar='"',
        escapechar='"',
        allow_quoted_nulls=False,
        auto_detect=False,
        columns=dict.fromkeys(names, "VARCHAR"),
        max_line_size=_MAX_LINE,
    ).create_view("export")
    return dict.fromkeys(names)


def _open_parquet(engine: "DuckDBPyConnection", path: Path) -> dict[str, str | None]:
    rows = engine.read_parquet(str(path))
    rows.create_view("export")
    return {name: str(kind) for name, kind in zip(rows.columns, rows.types, strict=True)}
