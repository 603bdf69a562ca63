"""Codec: a domain dataclass as a JSON document with a format version, and back.

The domain knows nothing of it: the shape is read from the dataclass, and how a region or an id is
written stands in the one table below. Strict: what is of another type is refused, not converted,
for it would be written back so. A field that a document lacks, or that is null there, takes the
dataclass's default; None, where its type allows that.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.image_version import ImageVersionId
from replication.domain.regions import Region
from replication.domain.trace_context import TraceParent

if TYPE_CHECKING:
    from pydantic_core import SchemaSerializer, SchemaValidator

MAX_COUNT = 2**53
MAX_NAME = 256
MAX_LEVELS = 50
_MAX_SHOWN = 300
_YEARS = range(2000, 9000)
_MONEY = re.compile(r"\d{1,18}(\.\d{1,18})?", re.ASCII)

_to_json = json.JSONEncoder(separators=(",", ":")).encode

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a value stands in a document.

    `read` raises ValueError, or what comes of a value of another type. Without a `write` it
    is written as it is.
    """

    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Codec[T]:
    """Writes and reads one kind of document.

    `what` names it in errors: "the record". `version` is written, and any up to it is read;
    None is for what stands within another document.
    `required` are fields that a document must have although the class gives them a default, and
    `forms` those that stand there otherwise than their type does, both by class. The fields of the
    values in `flat` stand among those of the whole. `names` are those of fields that are called
    otherwise in documents, by class.
    """

    shape: type[T]
    what: str
    version: int | None = 1
    required: Mapping[type, Collection[str]] = field(default_factory=dict)
    forms: Mapping[type, Mapping[str, Form]] = field(default_factory=dict)
    flat: Mapping[str, type] = field(default_factory=dict)
    names: Mapping[type, Mapping[str, str]] = field(default_factory=dict)

    def encode(self, value: T) -> Document:
        """Return the value as a JSON object, with the version of its format."""
        _, writer = self._schema
        document: Document = writer.to_python(value, mode="json", by_alias=True)
        if self.version is not None:
            document = {"v": self.version, **document}
        for name in self.flat:
            document |= document.pop(name)
        return document

    def encode_text(self, value: T) -> str:
        """Return the value as JSON text."""
        return _to_json(self.encode(value))

    def decode(self, document: object) -> T:
        """Read a JSON object; raises MalformedError, or NewerFormatError for a newer release's."""
        known = check_version(document, what=self.what, reads=self.version)
        for name, part in self.flat.items():
            among = {one.name for one in fields(cast("Any", part))} & known.keys()
            known = {**known, name: {one: known[one] for one in among}}
        reader, _ = self._schema
        try:
            value: T = reader.validate_python(known)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise MalformedError(f"{self.what} cannot be read: {_why(error)}") from error
        return value

    def decode_text(self, text: str | bytes) -> T:
        """Read JSON text; raises what `decode` raises."""
        return self.decode(parse_json(text, what=self.what))

    @cached_property
    def _schema(self) -> "tuple[SchemaValidator, SchemaSerializer]":
        # Here alone, and not before it is needed: pydantic takes as long to load as a command runs.
        from pydantic import TypeAdapter  # noqa: PLC0415 - see above
        from pydantic_core import SchemaSerializer, SchemaValidator  # noqa: PLC0415 - likewise

        schema = self._formed(TypeAdapter(self.shape).core_schema)
        return SchemaValidator(schema), SchemaSerializer(schema)

    def _formed(self, node: Any) -> Any:
        """Put our forms and bounds in the place of pydantic's, throughout a schema."""
        if isinstance(node, list):
            return [self._formed(one) for one in node]
        if not isinstance(node, dict):
            return node
        form = _FORMS.get(node.get("cls") or _BUILT_IN.get(node["type"], object))
        if form is not None:
            return _in_form(form) | ({"ref": node["ref"]} if "ref" in node else {})
        formed = {
            key: self._formed(value) if key in _INNER else value for key, value in node.items()
        }
        formed |= _RULES.get(node["type"], {})
        if node.get("keys_schema") == {"type": "str"}:
            # With a bound it refuses half characters, which pydantic cannot write in a key.
            formed["keys_schema"] = {"type": "str", "strict": True, "min_length": 0}
        if node["type"] == "dataclass":
            self._adjust(node["cls"], formed["schema"]["fields"])
            return _without_nulls(formed)
        return formed

    def _adjust(self, of: type, parts: list[Any]) -> None:
        for part in parts:
            if part["name"] in self.required.get(of, ()):
                if part["schema"]["type"] == "default":
                    part["schema"] = part["schema"]["schema"]
            elif part["schema"]["type"] == "nullable":
                part["schema"] = {"type": "default", "default": None, "schema": part["schema"]}
            if name := self.names.get(of, {}).get(part["name"]):
                part |= {"validation_alias": name, "serialization_alias": name}
            form = self.forms.get(of, {}).get(part["name"])
            if form is not None:
                part["schema"] = _put(form, part["schema"])


def check_version(document: object, *, what: str, reads: int | None) -> Mapping[str, Any]:
    """Return a document whose format version `v` is one that this release reads.

    That comes before anything else in it is looked at. Raises MalformedError where there is none,
    and NewerFormatError for one of a newer release.
    """
    if not isinstance(document, Mapping):
        raise MalformedError(f"{what} is not a JSON object")
    if reads is None:
        return document
    version = document.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MalformedError(f"{what} has no format version 'v'")
    if version > reads:
        raise NewerFormatError(f"{what} has format {str(version)[:20]}, this release reads {reads}")
    return document


def parse_json(text: str | bytes, *, what: str) -> Any:
    """Parse JSON; raises MalformedError also for what is nested too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what} is not JSON: {_clip(str(error))}") from error


def read_text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        # Of a TypeError pydantic would not say in which field it is.
        raise ValueError(f"{type(value).__name__} is not a text")  # noqa: TRY004 - see above
    return value


def read_name(value: Any) -> str:
    """Read a text that has to fit where a table keeps names."""
    text = read_text(value)
    if len(text) > MAX_NAME:
        raise ValueError(f"has {len(text)} characters, more than {MAX_NAME}")
    text.encode()  # raises for half characters, which no table holds
    return text


def read_details(value: Any) -> dict[str, Any]:
    """Read an object that is free in form, as long as it can be written as JSON again."""
    if not isinstance(value, dict):
        raise ValueError(f"{type(value).__name__} is not an object")  # noqa: TRY004 - likewise
    _check_shallow(value, MAX_LEVELS)
    return value


def text_that(holds: Callable[[str], object], words: str) -> Form:
    """Return the form of a text of which something holds, else it `words`."""

    def read(value: Any) -> str:
        if not holds(read_text(value)):
            raise ValueError(words)
        return str(value)

    return Form(read)


def short_text(at_most: int) -> Form:
    """Return the form of a text of one line."""
    return text_that(
        lambda text: len(text) <= at_most and text.isprintable(),
        f"is no line of at most {at_most} characters",
    )


def amount_over_0(at_most: Decimal) -> Form:
    """Return the form of an amount that stands as a text, so that no digit is lost."""

    def read(value: Any) -> Decimal:
        try:
            amount = Decimal(read_text(value))
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or not 0 < amount <= at_most:
            raise ValueError(f"is no amount over 0 and up to {at_most}")
        return amount

    return Form(read, "{:f}".format)


NAME = Form(read_name)
DETAILS = Form(read_details)
# Whatever stands there: a trace that cannot be read costs the trace and never the job.
TRACE = Form(TraceParent.read, str)


def read_moment(value: Any) -> datetime:
    """Read a time that has a zone; it is in UTC then."""
    try:
        moment = datetime.fromisoformat(value)
    except TypeError as error:
        raise ValueError(f"{type(value).__name__} is not a time") from error
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("has no time zone")
        moment = moment.astimezone(UTC)
    if moment.year not in _YEARS:
        raise ValueError("is no time of ours")
    return moment


def _read_day(value: Any) -> date:
    return date.fromisoformat(read_text(value))


def _amount(value: Any) -> Decimal:
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise ValueError(f"{str(value)[:20]!r} is no amount of money")
    return Decimal(value)


# How each type is written that is no plain value of JSON.
_FORMS: dict[type, Form] = {
    datetime: Form(read_moment, datetime.isoformat),
    date: Form(_read_day, date.isoformat),
    Decimal: Form(_amount, str),
    # Few regions and versions stand in many documents; a text that is none is never kept.
    Region: Form(lru_cache(1024)(Region.parse), str),
    ImageVersionId: Form(lru_cache(1024)(ImageVersionId.parse), str),
    TraceParent: Form(TraceParent.parse, str),
}
# Of a core schema of pydantic: the nodes of those types that are no classes of ours, the places
# where nodes hold others, and what holds for every node of a type.
_BUILT_IN: dict[str, type] = {
    "datetime": datetime,
    "date": date,
    "decimal": Decimal,
}
_INNER = frozenset(
    {"schema", "fields", "items_schema", "keys_schema", "values_schema", "definitions", "choices"}
)
_RULES: dict[str, dict[str, Any]] = {
    "str": {"strict": True},
    "int": {"strict": True, "ge": 0, "le": MAX_COUNT},
    "float": {"strict": True, "ge": 0, "le": MAX_COUNT, "allow_inf_nan": False},
    "bool": {"strict": True},
    # In an order that is the same in every process.
    "frozenset": {
        "serialization": {
            "type": "function-plain",
            "function": lambda values: sorted(str(one) for one in values),
        }
    },
}


def _put(form: Form, schema: Document) -> Document:
    """Put the form in the place of a field's type; what is None by default or is None stays so."""
    if schema["type"] in ("default", "nullable"):
        return {**schema, "schema": _put(form, schema["schema"])}
    return _in_form(form)


def _in_form(form: Form) -> Document:
    schema: Document = {
        "type": "function-plain",
        "function": {"type": "no-info", "function": form.read},
    }
    if form.write is not None:
        schema["serialization"] = {"type": "function-plain", "function": form.write}
    return schema


def _without_nulls(schema: Document) -> Document:
    """Let a null stand for a field that was left out, where null is no value of its type."""
    defaults = {
        part.get("validation_alias", part["name"])
        for part in schema["schema"]["fields"]
        if part["schema"]["type"] == "default" and part["schema"]["schema"]["type"] != "nullable"
    }
    if not defaults:
        return schema

    def drop(known: Any) -> Any:
        if not isinstance(known, dict):
            return known
        return {name: one for name, one in known.items() if one is not None or name not in defaults}

    before: Document = {"type": "no-info", "function": drop}
    named = {"ref": schema.pop("ref")} if "ref" in schema else {}
    return {"type": "function-before", "function": before, "schema": schema, **named}


def _check_shallow(value: Any, levels: int) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"holds {value}, which is no number of JSON")
    if isinstance(value, dict):
        "".join(value).encode()  # raises for half characters, which pydantic cannot write in a key
    if isinstance(value, dict | list):
        if levels == 0:
            raise ValueError(f"is nested deeper than {MAX_LEVELS} levels")
        for inner in value.values() if isinstance(value, dict) else value:
            _check_shallow(inner, levels - 1)


def _why(error: Exception) -> str:
    """Say which field is wrong and how, in few words, without what stands there."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return _clip(f"it has no {error}" if isinstance(error, KeyError) else str(error))
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    what = _clip(first["msg"].removeprefix("Value error, "))
    return f"{_clip(where)}: {what}" if where else what


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
