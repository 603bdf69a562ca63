"""What all instances share, as JSON documents: gates, circuits, refusals and the like."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_never

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.regions import Region
from replication.guards.budgets import Commitment, Spending
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.throttling import Gate, Line, LowBucket, ThrottleScope
from replication.notices.rules import NoticeBook, Told, Waiting

FORMAT_VERSION = 1
_MAX_REASON = 300
_MAX_COUNT = 2**53
_YEARS = range(2000, 9000)
_MONEY = re.compile(r"\d{1,18}(\.\d{1,18})?", re.ASCII)


class ControlKind(StrEnum):
    """The kinds of rows, and the partitions they stand in."""

    GATE = "gate"
    CIRCUIT = "circuit"
    REFUSAL = "refusal"
    BUDGET = "budget"
    PAUSE = "pause"
    NOTICE = "notice"
    DUTY = "duty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A region that Azure refused to a subscription, remembered until it expires."""

    subscription_id: str
    region: Region
    until: datetime
    reason: str

    @property
    def key(self) -> str:
        """The refusal's key among the refusals."""
        return f"{self.subscription_id}|{self.region}".lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePause:
    """A queue whose messages may not lead to a write: since when, by whom and why."""

    queue: str
    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What one instance does for all: which of them, and until when unless it goes on."""

    name: str
    by: str
    until: datetime


Control = Gate | Circuit | Refusal | Spending | QueuePause | NoticeBook | Duty


def address(control: Control) -> tuple[ControlKind, str]:
    """Return the kind and the key under which a control is kept."""
    match control:
        case Gate():
            place = ControlKind.GATE, control.scope.key
        case Circuit():
            place = ControlKind.CIRCUIT, control.region.name
        case Refusal():
            place = ControlKind.REFUSAL, control.key
        case Spending():
            place = ControlKind.BUDGET, control.key
        case QueuePause():
            place = ControlKind.PAUSE, control.queue
        case NoticeBook():
            place = ControlKind.NOTICE, control.channel
        case Duty():
            place = ControlKind.DUTY, control.name
        case _:
            assert_never(control)
    return place


def encode_control(control: Control) -> dict[str, object]:
    """Return a control as a JSON object."""
    document: dict[str, object] = {"v": FORMAT_VERSION}
    match control:
        case Gate():
            document |= {
                "scope": control.scope.key,
                "closed_until": _stamp(control.closed_until),
                "reason": control.reason,
                "refusals": control.refusals,
                "paced_until": _stamp(control.paced_until),
                "low": [
                    {"bucket": one.bucket, "remaining": one.remaining, "at": _stamp(one.at)}
                    for one in control.low
                ],
                "line": {
                    "last": control.line.last,
                    "void": control.line.void,
                    "turn": control.line.turn,
                    "turn_at": _stamp(control.line.turn_at),
                },
            }
        case Circuit():
            document |= {
                "region": control.region.name,
                "failures": [{"key": one.key, "at": _stamp(one.at)} for one in control.failures],
                "opened_at": _stamp(control.opened_at),
                "probe_at": _stamp(control.probe_at),
                "probe_key": control.probe_key,
                "probe_until": _stamp(control.probe_until),
                "holds": control.holds,
            }
        case Refusal():
            document |= {
                "subscription_id": control.subscription_id,
                "region": control.region.name,
                "until": _stamp(control.until),
                "reason": control.reason,
            }
        case Spending():
            document |= {
                "budget": control.budget,
                "gallery_id": control.gallery_id,
                "month": control.month,
                "currency": control.currency,
                "counted_at": _stamp(control.counted_at),
                "counted": str(control.counted),
                "unpriced": control.unpriced,
                "folded": str(control.folded),
                "commitments": [
                    {"key": one.key, "at": _stamp(one.at), "amount": str(one.amount)}
                    for one in control.commitments
                ],
            }
        case QueuePause():
            document |= {
                "queue": control.queue,
                "since": _stamp(control.since),
                "by": control.by,
                "reason": control.reason,
            }
        case NoticeBook():
            document |= {
                "channel": control.channel,
                "busy_by": control.busy_by,
                "busy_until": _stamp(control.busy_until),
                "told": [_encode_told(one) for one in control.told],
                "waiting": [
                    {"key": one.key, "since": _stamp(one.since)} for one in control.waiting
                ],
            }
        case Duty():
            document |= {
                "name": control.name,
                "by": control.by,
                "until": _stamp(control.until),
            }
        case _:
            assert_never(control)
    return document


def _encode_told(told: Told) -> dict[str, object]:
    return {
        "key": told.key,
        "code": told.code,
        "region": told.region,
        "since": _stamp(told.since),
        "told_at": _stamp(told.told_at),
        "jobs": told.jobs,
        "told": told.told,
        "returns": told.returns,
        "gone_at": _stamp(told.gone_at),
        "resolved_at": _stamp(told.resolved_at),
    }


def decode_control(kind: str, document: Mapping[str, Any]) -> Control:
    """Read a control; raises MalformedError, or NewerFormatError for a newer release's."""
    version = document.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MalformedError(f"a {kind} in the controls has no format version 'v'")
    if version > FORMAT_VERSION:
        raise NewerFormatError(
            f"a {kind} of format {str(version)[:20]}; this release reads {FORMAT_VERSION}"
        )
    try:
        return _DECODERS[ControlKind(kind)](document)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = repr(error)[:_MAX_REASON]
        raise MalformedError(f"a {kind} in the controls cannot be read: {reason}") from error


def _decode_gate(document: Mapping[str, Any]) -> Gate:
    return Gate(
        scope=ThrottleScope.parse(document["scope"]),
        closed_until=_moment(document.get("closed_until")),
        reason=str(document.get("reason") or ""),
        refusals=_count(document.get("refusals")),
        paced_until=_moment(document.get("paced_until")),
        low=tuple(
            LowBucket(
                bucket=str(one["bucket"]), remaining=_count(one["remaining"]), at=_time(one["at"])
            )
            for one in document.get("low") or ()
        ),
        line=_decode_line(document.get("line") or {}),
    )


def _decode_line(document: Mapping[str, Any]) -> Line:
    turn = document.get("turn") or 0.0
    if isinstance(turn, str) or not 0 <= turn <= _MAX_COUNT:
        raise ValueError(f"{turn!r} is no number in a line")
    return Line(
        last=_count(document.get("last")),
        void=_count(document.get("void")),
        turn=float(turn),
        turn_at=_moment(document.get("turn_at")),
    )


def _decode_circuit(document: Mapping[str, Any]) -> Circuit:
    probe_key = document.get("probe_key")
    return Circuit(
        region=Region.parse(document["region"]),
        failures=tuple(
            CircuitFailure(key=str(one["key"]), at=_time(one["at"]))
            for one in document.get("failures") or ()
        ),
        opened_at=_moment(document.get("opened_at")),
        probe_at=_moment(document.get("probe_at")),
        probe_key=None if probe_key is None else str(probe_key),
        probe_until=_moment(document.get("probe_until")),
        holds=_count(document.get("holds")),
    )


def _decode_refusal(document: Mapping[str, Any]) -> Refusal:
    return Refusal(
        subscription_id=str(document["subscription_id"]),
        region=Region.parse(document["region"]),
        until=_time(document["until"]),
        reason=str(document["reason"]),
    )


def _decode_spending(document: Mapping[str, Any]) -> Spending:
    gallery_id = document.get("gallery_id")
    return Spending(
        budget=str(document["budget"]),
        gallery_id=None if gallery_id is None else str(gallery_id),
        month=str(document["month"]),
        currency=str(document["currency"]),
        counted_at=_time(document["counted_at"]),
        counted=_amount(document["counted"]),
        unpriced=_count(document.get("unpriced")),
        folded=_amount(document.get("folded") or "0"),
        commitments=tuple(
            Commitment(key=str(one["key"]), at=_time(one["at"]), amount=_amount(one["amount"]))
            for one in document.get("commitments") or ()
        ),
    )


def _decode_pause(document: Mapping[str, Any]) -> QueuePause:
    return QueuePause(
        queue=str(document["queue"]),
        since=_time(document["since"]),
        by=str(document["by"]),
        reason=str(document["reason"]),
    )


def _decode_book(document: Mapping[str, Any]) -> NoticeBook:
    return NoticeBook(
        channel=str(document["channel"]),
        busy_by=str(document.get("busy_by") or ""),
        busy_until=_moment(document.get("busy_until")),
        told=tuple(_decode_told(one) for one in document.get("told") or ()),
        waiting=tuple(
            Waiting(key=str(one["key"]), since=_time(one["since"]))
            for one in document.get("waiting") or ()
        ),
    )


def _decode_told(document: Mapping[str, Any]) -> Told:
    region = document.get("region")
    return Told(
        key=str(document["key"]),
        code=str(document["code"]),
        region=None if region is None else str(region),
        since=_time(document["since"]),
        told_at=_time(document["told_at"]),
        jobs=_count(document.get("jobs")),
        told=_count(document.get("told")),
        returns=_count(document.get("returns")),
        gone_at=_moment(document.get("gone_at")),
        resolved_at=_moment(document.get("resolved_at")),
    )


def _decode_duty(document: Mapping[str, Any]) -> Duty:
    return Duty(name=str(document["name"]), by=str(document["by"]), until=_time(document["until"]))


_DECODERS: dict[ControlKind, Callable[[Mapping[str, Any]], Control]] = {
    ControlKind.GATE: _decode_gate,
    ControlKind.CIRCUIT: _decode_circuit,
    ControlKind.REFUSAL: _decode_refusal,
    ControlKind.BUDGET: _decode_spending,
    ControlKind.PAUSE: _decode_pause,
    ControlKind.NOTICE: _decode_book,
    ControlKind.DUTY: _decode_duty,
}


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


def _moment(text: str | None) -> datetime | None:
    return _time(text) if text is not None else None


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} is no time of ours")
    return moment


def _amount(text: Any) -> Decimal:
    if not isinstance(text, str) or not _MONEY.fullmatch(text):
        raise ValueError(f"{str(text)[:20]!r} is no amount of money")
    return Decimal(text)


def _count(number: Any) -> int:
    """Return a number from 0 on; one that is missing is 0."""
    if number is None:
        return 0
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _MAX_COUNT:
        raise ValueError(f"{str(number)[:20]!r} is no count")
    return number
