# ruff: noqa: S608 - the texts put together are the rules' own words, quoted; no value is put in
"""What breaks a rule of FOCUS, as conditions on the rows of the view `export`.

A CSV column is text; of a Parquet column the type is checked elsewhere, so that its values are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# A cost is a rounded product.
_TOLERANCE = "1e-9"
_NUMBER = r"-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_CURRENCY = "[A-Z]{3}"
_PLACEHOLDERS = ("null", "none", "n/a", "nan", "not applicable", "(null)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A condition that is true of the rows which break a rule, and what they show for it."""

    column: str
    rule: str
    broken: str
    value: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a file and their DuckDB types; None in a CSV."""

    types: Mapping[str, str | None]

    def text(self, name: str) -> str:
        """Return the value as text; of a column that is not there, null."""
        return f"{_quoted(name)}::VARCHAR" if name in self.types else "NULL::VARCHAR"

    def number(self, name: str) -> str:
        """Return the value as a number, null where it is none."""
        return f"try_cast({self.text(name)} AS DOUBLE)"

    def moment(self, name: str) -> str:
        """Return the value as a moment, null where it is none."""
        return f"try_cast({self.text(name)} AS TIMESTAMP)"


def column_checks(rules: Mapping[str, Any], columns: Columns) -> Iterator[Check]:
    """Yield the checks of the columns that are there, each by itself."""
    for name, column in rules["columns"].items():
        if name not in columns.types:
            continue
        text = columns.text(name)
        if not column["nulls"]:
            yield Check(column=name, rule="is null", broken=f"{text} IS NULL", value="NULL")
        for rule, broken in _broken(name, column, columns, rules["units"]):
            yield Check(
                column=name, rule=rule, broken=f"{text} IS NOT NULL AND {broken}", value=text
            )


def rule_checks(rules: Mapping[str, Any], columns: Columns) -> Iterator[Check]:
    """Yield the checks of the rules that join several columns."""
    for rule in rules["rules"]:
        name = rule["column"]
        if name not in columns.types or rule["rule"] == "one_parent":
            continue
        words, broken = _broken_rule(rule, columns)
        when = [_condition(one, columns) for one in rule.get("when", ())]
        yield Check(
            column=name,
            rule=words + "".join(f", where {_told(one)}" for one in rule.get("when", ())),
            broken=" AND ".join((*when, f"({broken})")),
            value=columns.text(name),
        )


def parents_query(rule: Mapping[str, Any], columns: Columns) -> str | None:
    """Return the query for values that stand under several others, where one is the rule."""
    if rule["rule"] != "one_parent" or not {rule["column"], rule["parent"]} <= {*columns.types}:
        return None
    child, parent = columns.text(rule["column"]), columns.text(rule["parent"])
    return (
        f"SELECT coalesce(sum(n), 0)::BIGINT, min(child) FROM (SELECT {child} AS child, "
        f"count(*) AS n FROM export WHERE {child} IS NOT NULL AND {parent} IS NOT NULL GROUP BY 1 "
        f"HAVING min({parent}) <> max({parent}))"
    )


def _broken(
    name: str, column: Mapping[str, Any], columns: Columns, units: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    text = columns.text(name)
    in_csv = columns.types[name] is None
    if column["type"] == "string":
        placeholders = ", ".join(map(_word, _PLACEHOLDERS))
        yield "is empty, which is not null", f"trim({text}) = ''"
        yield "has a NUL character", f"contains({text}, chr(0))"
        yield "is a placeholder", f"lower(trim({text})) IN ({placeholders})"
    match column["format"]:
        case "numeric":
            number = columns.number(name)
            form = f"NOT regexp_full_match({text}, {_word(_NUMBER)})" if in_csv else "false"
            yield "is no number", f"({form} OR {number} IS NULL OR NOT isfinite({number}))"
            if "minimum" in column:
                yield "is negative", f"coalesce({number}, 0) < {column['minimum']}"
        case "date_time":
            form = f"NOT regexp_full_match({text}, {_word(_TIME)})" if in_csv else "false"
            yield "is no time in UTC", f"({form} OR {columns.moment(name)} IS NULL)"
        case "currency":
            yield "is no currency", f"NOT regexp_full_match({text}, {_word(_CURRENCY)})"
        case "unit":
            yield "is no unit", _no_unit(text, units)
        case "allowed":
            allowed = ", ".join(map(_word, column["allowed"]))
            yield "is not allowed", f"{text} NOT IN ({allowed})"
        case "key_value":
            yield "is no object of keys and plain values", _no_object(text)
            if "keys" in column:
                yield "has a key of neither FOCUS nor x_", _foreign_key(text, column["keys"])


def _broken_rule(rule: Mapping[str, Any], columns: Columns) -> tuple[str, str]:
    """Return the rule in words, and what breaks it."""
    name = rule["column"]
    text, number = columns.text(name), columns.number(name)
    match rule["rule"]:
        case "required_when":
            words, broken = "is null", f"{text} IS NULL"
        case "null_when":
            words, broken = "is not null", f"{text} IS NOT NULL"
        case "value_when":
            allowed = ", ".join(map(_word, rule["in"]))
            words, broken = "is not allowed", f"{text} NOT IN ({allowed})"
        case "product":
            factors = " * ".join(map(columns.number, rule["factors"]))
            words, broken = f"is not {' x '.join(rule['factors'])}", _differ(number, factors)
        case "equal":
            words, broken = f"is not {rule['to']}", _differ(number, columns.number(rule["to"]))
        case "before":
            other = columns.moment(rule["other"])
            words = f"is not before {rule['other']}"
            broken = f"{columns.moment(name)} >= {other}"
        case "pairs":
            parent = columns.text(rule["parent"])
            fits = " OR ".join(
                f"({parent} = {_word(one)} AND {text} IN ({', '.join(map(_word, children))}))"
                for one, children in rule["pairs"].items()
            )
            words = f"is not of its {rule['parent']}"
            broken = f"{parent} IS NOT NULL AND NOT ({fits})"
        case kind:
            raise ValueError(f"the rules name {kind!r}, which this program does not know")
    return words, broken


def _differ(one: str, other: str) -> str:
    return f"abs({one} - {other}) > {_TOLERANCE} * greatest(1, abs({one}))"


def _condition(when: Mapping[str, Any], columns: Columns) -> str:
    text = columns.text(when["column"])
    if "null" in when:
        return f"{text} IS NULL" if when["null"] else f"{text} IS NOT NULL"
    if "in" in when:
        return f"coalesce({text} IN ({', '.join(map(_word, when['in']))}), false)"
    return f"coalesce({text} NOT IN ({', '.join(map(_word, when['not_in']))}), true)"


def _told(when: Mapping[str, Any]) -> str:
    if "null" in when:
        return f"{when['column']} is {'null' if when['null'] else 'not null'}"
    if "in" in when:
        return f"{when['column']} is {' or '.join(when['in'])}"
    return f"{when['column']} is not {' or '.join(when['not_in'])}"


def _no_unit(text: str, units: Mapping[str, Any]) -> str:
    """Return what is true of a text that is no unit as GB, GB-Months, 1000 Requests, GB/Hour."""
    sizes, times = "|".join(units["sizes"]), "|".join(units["times"])
    counted = "[A-Z][A-Za-z]*( [A-Z][A-Za-z]*)*s"
    form = (
        f"([1-9][0-9]* )?({sizes}|({times})s|{counted})"
        f"(-({times})s|/({times})|/[1-9][0-9]* ({times})s)?"
    )
    # A size has no plural, is never spelled out, and is joined by a hyphen: not GB Months. A single
    # B may be a name, as in Class B Operations.
    joined = "|".join(one for one in units["sizes"] if len(one) > 1)
    wrong = f"(?i).*(\\b({sizes})s\\b|\\b({joined}) |(bit|byte)s?\\b).*"
    return (
        f"(NOT regexp_full_match({text}, {_word(form)}) OR "
        f"regexp_full_match({text}, {_word(wrong)}))"
    )


def _no_object(text: str) -> str:
    kinds = f"list_transform(json_extract({text}, '$.*'), lambda one: json_type(one))"
    keys = f"json_keys({text})"
    return (
        f"(CASE WHEN NOT json_valid({text}) OR json_type({text}) <> 'OBJECT' THEN true "
        f"ELSE list_has_any({kinds}, ['OBJECT', 'ARRAY']) "
        f"OR len({keys}) <> len(list_distinct({keys})) END)"
    )


def _foreign_key(text: str, known: list[str]) -> str:
    words = ", ".join(map(_word, known))
    foreign = f"list_filter(json_keys({text}), lambda one: one NOT IN ({words}) "
    return (
        f"(CASE WHEN json_valid({text}) AND json_type({text}) = 'OBJECT' "
        f"THEN len({foreign} AND NOT starts_with(one, 'x_'))) > 0 ELSE false END)"
    )


def _word(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
