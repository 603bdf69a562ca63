"""What an object means, as JSON that does not depend on how it is stored or grouped."""

import dataclasses
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_type_hints

from pydantic import BaseModel

from replication.domain.image_version import ImageVersionId
from replication.domain.regions import Region
from replication.domain.trace_context import TraceParent

# Parts of a job that only group its fields: they count as fields of the job itself.
_GROUPS = ("tries", "schedule")
# What fields are called in the facts that were recorded, where they have another name now.
_CALLED = {
    "NoticeBook": {"known": "told"},
    "KnownCause": {"notices": "told", "last_at": "told_at"},
}
_NOTHING = object()


def facts(value: Any) -> Any:
    """Return the facts of a value: its fields by name, and no property that is computed."""
    match value:
        case Mapping():
            return {str(facts(name)): facts(one) for name, one in value.items()}
        case AbstractSet():
            return sorted(facts(one) for one in value)
        case list() | tuple():
            return [facts(one) for one in value]
        case _ if _has_fields(value):
            return _facts_of_fields(value)
    return _plain(value)


def _facts_of_fields(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    called = _CALLED.get(type(value).__name__, {})
    for name, one in _fields(value):
        if name in _GROUPS and _has_fields(one):
            found |= facts(one)
        else:
            found[called.get(name, name)] = facts(one)
    return found


def _plain(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case Region() | ImageVersionId() | TraceParent():
            return str(value)
    return value


def parts(value: Any) -> Iterator[Any]:
    """Yield an object that has fields, and all such within it."""
    match value:
        case Mapping():
            for one in value.values():
                yield from parts(one)
        case AbstractSet() | list() | tuple():
            for one in value:
                yield from parts(one)
        case _ if _has_fields(value):
            yield value
            for _, one in _fields(value):
                yield from parts(one)


def uses(part: Any) -> Iterator[tuple[str, bool]]:
    """Yield each field of an object, and whether it holds something.

    One that is None, or as if it had been left out, holds nothing.
    """
    cls = type(part)
    for name, value in _fields(part):
        filled = value is not None and value != _left_out(cls, name)
        yield f"{cls.__name__}.{name}", filled


def possible_uses(part: Any) -> Iterator[tuple[str, bool]]:
    """Yield what `uses` can yield of objects of this class."""
    cls = type(part)
    hints = get_type_hints(cls)
    for name in _names(cls):
        yield f"{cls.__name__}.{name}", True
        may_be_none = type(None) in getattr(hints[name], "__args__", ())
        if may_be_none or _left_out(cls, name) is not _NOTHING:
            yield f"{cls.__name__}.{name}", False


def _has_fields(value: Any) -> bool:
    if isinstance(value, Region | ImageVersionId | TraceParent):
        return False  # they stand for a text
    return dataclasses.is_dataclass(value) or isinstance(value, BaseModel)


def _names(cls: Any) -> list[str]:
    if issubclass(cls, BaseModel):
        return list(cls.model_fields)
    return [one.name for one in dataclasses.fields(cls)]


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    for name in _names(type(value)):
        yield name, getattr(value, name)


def _left_out(cls: Any, name: str) -> Any:
    """Return what a field holds that is left out, _NOTHING where it cannot be."""
    if issubclass(cls, BaseModel):
        field = cls.model_fields[name]
        return _NOTHING if field.is_required() else field.get_default(call_default_factory=True)
    (one,) = (one for one in dataclasses.fields(cls) if one.name == name)
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return _NOTHING if one.default is dataclasses.MISSING else one.default
