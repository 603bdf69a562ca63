"""The shapes of the API's answers, checked before a command shows them.

An answer may hold more than is asked for here: a newer app tells more.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

type Shape = type | tuple[Shape, ...] | dict[str, Shape] | list[Shape]


class ShapeError(ValueError):
    """An answer that is not of the shape; the text says where."""


class Moment:
    """A text that is a moment with its offset from UTC."""


class Amount:
    """A text that is a number with all its digits."""


class Names:
    """An object whose values are texts or null."""


_NONE = type(None)
_TEXT = (str, _NONE)
_NUMBER = (int, float, _NONE)
_REGION: Shape = {
    "region": str,
    "state": str,
    "progress": _NUMBER,
    "attempts": int,
    "reason": str,
    "copying_since": (Moment, _NONE),
    "progressed_at": (Moment, _NONE),
    "completed_at": _TEXT,
    # None, or an object that `check` looks into where the name is in _INNER
    "stuck": (dict, _NONE),
}
_LEFT_OUT: Shape = {"region": str, "reason": str}
_RANGE: Shape = {"low": str, "high": str}
_COST: Shape = {
    "monthly": _NUMBER,
    "egress_once": _NUMBER,
    "monthly_range": (dict, _NONE),
    "egress_range": (dict, _NONE),
    "currency": str,
    "basis": str,
    "confidence": str,
}
_INNER: dict[str, Shape] = {
    "stuck": {"since": str, "expected_percent_per_min": _NUMBER},
    "monthly_range": _RANGE,
    "egress_range": _RANGE,
    "failure": {"code": str, "message": str, "advice": _TEXT, "runbook": _TEXT},
    "pause": {"since": str, "by": str, "reason": str},
}
_TIMELINE: list[Shape] = [{"at": str, "event": str, "reason": str}]
_REPLICATION: dict[str, Shape] = {
    "image_version_id": str,
    "key": str,
    "phase": str,
    "reason": str,
    "trigger": str,
    "geography": _TEXT,
    "home_region": str,
    "regions": [_REGION],
    "left_out": [_LEFT_OUT],
    "catalog": _TEXT,
    "size_gb": _NUMBER,
    "polls": int,
    "writes": int,
    "arm_calls": int,
    "started_at": _TEXT,
    "updated_at": _TEXT,
    "finished_at": _TEXT,
    "deadline_at": _TEXT,
    "next_attempt_at": _TEXT,
    "failure": (dict, _NONE),
    "stuck": bool,
    "dead_letter_id": _TEXT,
    "cost": _COST,
}
_LETTER: dict[str, Shape] = {
    "id": str,
    "at": Moment,
    "source": str,
    "code": str,
    "cause": str,
    "attempts": int,
    "correlation_id": _TEXT,
    "image_version_id": _TEXT,
    "key": _TEXT,
    "regions": [str],
    "state": str,
    "state_at": _TEXT,
    "state_reason": _TEXT,
    "advice": _TEXT,
    "runbook": _TEXT,
}
_QUEUE: Shape = {
    "name": str,
    "depth": int,
    "invisible": _NUMBER,
    "oldest_age_s": _NUMBER,
    "poison_depth": int,
    "paused": bool,
    "pause": (dict, _NONE),
}
_ACTION: Shape = {
    "id": str,
    "at": str,
    "action": str,
    "by": str,
    "about": Names,
    "why": str,
    "done": (bool, _NONE),
    "outcome": str,
}
_OUTCOME: Shape = {"id": str, "done": bool, "reason": str}

REPLICATION_PAGE: Shape = {"items": [_REPLICATION], "next": _TEXT}
REPLICATION: Shape = _REPLICATION | {"history": _TIMELINE}
TAKEN: Shape = {"action": str, "reason": str, "image_version_id": str, "key": str}
ACTED: Shape = {"done": bool, "reason": str}
QUEUE_LIST: Shape = {"items": [_QUEUE]}
PAUSE: Shape = {"name": str, "paused": bool, "done": bool, "reason": str}
LETTER_PAGE: Shape = {"items": [_LETTER], "next": _TEXT}
LETTER: Shape = _LETTER | {"timeline": _TIMELINE, "raw": str}
ACTION_PAGE: Shape = {"items": [_ACTION], "next": _TEXT}
SELECTION: Shape = {"count": int, "by_code": dict, "token": str}
OUTCOMES: Shape = {"items": [_OUTCOME]}

_MONEY: dict[str, Shape] = {
    "currency": str,
    "storage": (Amount, _NONE),
    "egress": (Amount, _NONE),
    "total": (Amount, _NONE),
}
_SPENT: dict[str, Shape] = _MONEY | {"unpriced_rows": int}
_GROUP: dict[str, Shape] = _SPENT | {"key": Names, "share_percent": _TEXT}
_GROUPS: Shape = {"items": [_GROUP], "left_out": int}
_MONTH: dict[str, Shape] = _MONEY | {
    "month": str,
    "storage_per_day": (Amount, _NONE),
    "change_per_day": (Amount, _NONE),
    "change_percent": (Amount, _NONE),
    "ledger_days": int,
    "days": int,
}
_FORECAST: Shape = {
    "month": str,
    "currency": str,
    "so_far": (Amount, _NONE),
    "month_total": (Amount, _NONE),
    "next_month": (Amount, _NONE),
    "next_month_by_trend": (Amount, _NONE),
    "basis": str,
}
_BUDGET: Shape = {
    "budget": str,
    "gallery": _TEXT,
    "month": str,
    "currency": str,
    "limit": (Amount, _NONE),
    "actual": (Amount, _NONE),
    "expected": (Amount, _NONE),
    "percent": _TEXT,
    "unpriced_rows": int,
    "state": str,
}
_MONTHLY: Shape = {"currency": str, "monthly": (Amount, _NONE)}
_VERSION: dict[str, Shape] = {"image_version_id": str}
_UNUSED: dict[str, Shape] = _VERSION | {
    "lab": _TEXT,
    "regions": int,
    "replicas": int,
    "currency": str,
    "monthly": (Amount, _NONE),
}
_ORPHAN: dict[str, Shape] = _VERSION | {
    "regions": [str],
    "reason": str,
    "currency": str,
    "monthly": (Amount, _NONE),
}
_GHOST: dict[str, Shape] = _VERSION | {"regions": [str], "reason": str, "charged": [_MONTHLY]}
# Of what is not known everything is None but for the note, which says why.
_KNOWN: dict[str, Shape] = {
    "known": bool,
    "note": _TEXT,
    "count": (int, _NONE),
    "monthly": ([_MONTHLY], _NONE),
}
COST_REPORT: Shape = {
    "from": str,
    "to": str,
    "last_day": _TEXT,
    "group_by": [str],
    "totals": [_SPENT],
    "groups": _GROUPS,
    "months": [_MONTH],
    "forecast": [_FORECAST],
    "top_spenders": [_GROUP],
    "labs": _GROUPS,
    "budgets": {"items": [_BUDGET], "note": _TEXT},
    "unused": _KNOWN | {"items": ([_UNUSED], _NONE)},
    "superseded": _KNOWN | {"items": ([_UNUSED], _NONE)},
    "orphans": _KNOWN | {"items": ([_ORPHAN], _NONE)},
    "ghosts": _KNOWN | {"items": ([_GHOST], _NONE)},
    "azure_notes": [str],
    "rows": {
        "read": int,
        "used": int,
        "set_aside": [{"reason": str, "rows": int}],
        "notes": [str],
    },
}


def check(value: Any, shape: Shape, at: str = "the answer") -> None:
    """Raise ShapeError unless the value has at least what the shape names."""
    if isinstance(shape, dict):
        _check_object(value, shape, at)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise ShapeError(f"{at} is no list")
        for number, one in enumerate(value):
            check(one, shape[0], f"{at}[{number}]")
    elif isinstance(shape, tuple):
        lists = [one for one in shape if isinstance(one, list)]
        if lists and isinstance(value, list):
            check(value, lists[0], at)
        elif not any(isinstance(one, type) and _is(value, one) for one in shape):
            raise ShapeError(f"{at} is {_shown(value)}")
    elif not _is(value, shape):
        raise ShapeError(f"{at} is {_shown(value)}")


def _check_object(value: Any, shape: dict[str, Shape], at: str) -> None:
    if not isinstance(value, dict):
        raise ShapeError(f"{at} is no object")
    for name, inner in shape.items():
        if name not in value:
            raise ShapeError(f"{at} lacks {name!r}")
        check(value[name], inner, f"{at}.{name}")
        if name in _INNER and isinstance(value[name], dict):
            check(value[name], _INNER[name], f"{at}.{name}")


def _is(value: object, kind: type) -> bool:
    if kind is Moment:
        return _is_moment(value)
    if kind is Names:
        return isinstance(value, dict) and all(isinstance(v, _TEXT) for v in value.values())
    if kind is Amount:
        return _is_amount(value)
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, kind)


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_amount(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return Decimal(value).is_finite()
    except ArithmeticError:
        return False


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return f"a {type(value).__name__}" if isinstance(value, (dict, list)) else repr(value)[:40]
