"""What all instances share, as JSON: it comes back as it was, or is refused by name."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.regions import Region
from replication.guards.budgets import Commitment, Spending
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.throttling import Gate, Line, LowBucket, Operation, ThrottleScope
from replication.notices.rules import NoticeBook, Told, Waiting
from replication.shared_state.rows import (
    Control,
    ControlKind,
    Duty,
    QueuePause,
    Refusal,
    address,
    decode_control,
    encode_control,
)
from tests.support.builders import NOON, SUBSCRIPTION
from tests.support.strategies import MOMENTS, REGIONS, TEXTS, anything_at, outcome

COUNTS = st.integers(min_value=0, max_value=2**53)
NAMES = st.text("abcdefgh0123456789._-()~", min_size=1, max_size=40)

SCOPES = st.builds(
    ThrottleScope,
    subscription_id=NAMES,
    operation=st.none() | st.sampled_from(Operation),
    gallery=st.none() | NAMES,
)
GATES = st.builds(
    Gate,
    scope=SCOPES,
    closed_until=st.none() | MOMENTS,
    reason=TEXTS,
    refusals=COUNTS,
    paced_until=st.none() | MOMENTS,
    low=st.lists(st.builds(LowBucket, bucket=TEXTS, remaining=COUNTS, at=MOMENTS), max_size=3).map(
        tuple
    ),
    line=st.builds(
        Line,
        last=COUNTS,
        void=COUNTS,
        turn=st.floats(min_value=0, max_value=2**53),
        turn_at=st.none() | MOMENTS,
    ),
)
CIRCUITS = st.builds(
    Circuit,
    region=REGIONS,
    failures=st.lists(st.builds(CircuitFailure, key=TEXTS, at=MOMENTS), max_size=3).map(tuple),
    opened_at=st.none() | MOMENTS,
    probe_at=st.none() | MOMENTS,
    probe_key=st.none() | TEXTS,
    probe_until=st.none() | MOMENTS,
    holds=COUNTS,
)
REFUSALS = st.builds(Refusal, subscription_id=NAMES, region=REGIONS, until=MOMENTS, reason=TEXTS)
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=6)
SPENDINGS = st.builds(
    Spending,
    budget=TEXTS,
    gallery_id=st.none() | TEXTS,
    month=TEXTS,
    currency=TEXTS,
    counted_at=MOMENTS,
    counted=AMOUNTS,
    unpriced=COUNTS,
    folded=AMOUNTS,
    commitments=st.lists(
        st.builds(Commitment, key=TEXTS, at=MOMENTS, amount=AMOUNTS), max_size=3
    ).map(tuple),
)
PAUSES = st.builds(QueuePause, queue=NAMES, since=MOMENTS, by=TEXTS, reason=TEXTS)
BOOKS = st.builds(
    NoticeBook,
    channel=NAMES,
    busy_by=TEXTS,
    busy_until=st.none() | MOMENTS,
    told=st.lists(
        st.builds(
            Told,
            key=TEXTS,
            code=TEXTS,
            region=st.none() | TEXTS,
            since=MOMENTS,
            told_at=MOMENTS,
            jobs=COUNTS,
            told=COUNTS,
            returns=COUNTS,
            gone_at=st.none() | MOMENTS,
            resolved_at=st.none() | MOMENTS,
        ),
        max_size=3,
    ).map(tuple),
    waiting=st.lists(st.builds(Waiting, key=TEXTS, since=MOMENTS), max_size=3).map(tuple),
)
DUTIES = st.builds(Duty, name=NAMES, by=TEXTS, until=MOMENTS)
CONTROLS: st.SearchStrategy[Control] = st.one_of(
    GATES, CIRCUITS, REFUSALS, SPENDINGS, PAUSES, BOOKS, DUTIES
)

GATE = Gate(
    scope=ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE),
    closed_until=NOON,
    reason="slow down",
    refusals=2,
    paced_until=NOON,
    low=(LowBucket(bucket="subscription-writes", remaining=3, at=NOON),),
    line=Line(last=7, void=2, turn=3.5, turn_at=NOON),
)
SPENDING = Spending(
    budget="labs",
    gallery_id=None,
    month="2026-11",
    currency="EUR",
    counted_at=NOON,
    counted=Decimal("12.5"),
)
CIRCUIT = Circuit(
    region=Region("westus3"),
    failures=(CircuitFailure(key="a", at=NOON),),
    opened_at=NOON,
    probe_at=NOON,
    probe_key="a",
    probe_until=NOON,
    holds=1,
)
REFUSAL = Refusal(
    subscription_id=SUBSCRIPTION, region=Region("westus3"), until=NOON, reason="not available"
)
PAUSE = QueuePause(queue="replication-jobs", since=NOON, by="ann", reason="an incident")
BOOK = NoticeBook(
    channel="teams",
    busy_by="worker-1",
    busy_until=NOON,
    told=(
        Told(
            key="region|westus3",
            code="copy_failed",
            region="westus3",
            since=NOON,
            told_at=NOON,
            jobs=3,
            gone_at=NOON,
            resolved_at=NOON,
        ),
    ),
    waiting=(Waiting(key="letter|locked", since=NOON),),
)
DUTY = Duty(name="gauges", by="worker-1", until=NOON)
EACH: list[Control] = [GATE, CIRCUIT, REFUSAL, PAUSE, BOOK, DUTY]


def through_json(control: Control) -> Any:
    return json.loads(json.dumps(encode_control(control)))


@given(CONTROLS)
def test_every_control_comes_back_as_it_was(control: Control) -> None:
    kind, _ = address(control)
    assert decode_control(kind.value, through_json(control)) == control


def test_each_kind_stands_under_what_it_is_about() -> None:
    assert [address(one) for one in EACH] == [
        (ControlKind.GATE, f"{SUBSCRIPTION}|write|*"),
        (ControlKind.CIRCUIT, "westus3"),
        (ControlKind.REFUSAL, f"{SUBSCRIPTION}|westus3"),
        (ControlKind.PAUSE, "replication-jobs"),
        (ControlKind.NOTICE, "teams"),
        (ControlKind.DUTY, "gauges"),
    ]


@pytest.mark.parametrize(
    ("kind", "document", "expected"),
    [
        (
            "gate",
            {"scope": "sub|*|*"},
            Gate(scope=ThrottleScope(subscription_id="sub")),
        ),
        ("circuit", {"region": "westus3"}, Circuit(region=Region("westus3"))),
    ],
)
def test_what_is_missing_takes_its_default(
    kind: str, document: dict[str, Any], expected: Control
) -> None:
    assert decode_control(kind, {"v": 1, **document}) == expected


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_row_of_a_newer_release_says_so(version: int) -> None:
    with pytest.raises(NewerFormatError, match=r"a gate of format \d+; this release reads 1"):
        decode_control("gate", {"v": version, "scope": 5})


@pytest.mark.parametrize("version", [None, "1", True, 0, -1, 1.0])
def test_a_row_without_a_format_is_refused(version: object) -> None:
    document = {**through_json(GATE), "v": version}
    with pytest.raises(MalformedError, match="has no format version 'v'"):
        decode_control("gate", document)


@pytest.mark.parametrize(
    ("control", "change"),
    [
        (GATE, {"scope": "sub"}),
        (GATE, {"scope": None}),
        (GATE, {"closed_until": "soon"}),
        (GATE, {"closed_until": "2026-11-23T12:00:00"}),
        (GATE, {"closed_until": 5}),
        (GATE, {"paced_until": datetime.max.replace(tzinfo=UTC).isoformat()}),
        (GATE, {"paced_until": datetime.min.replace(tzinfo=UTC).isoformat()}),
        (GATE, {"refusals": -1}),
        (GATE, {"refusals": "2"}),
        (GATE, {"refusals": True}),
        (GATE, {"refusals": 2**53 + 1}),
        (GATE, {"low": 5}),
        (GATE, {"low": ["x"]}),
        (GATE, {"low": [{"bucket": "x", "remaining": 1.5, "at": NOON.isoformat()}]}),
        (GATE, {"low": [{"bucket": "x", "remaining": 1}]}),
        (GATE, {"line": [1]}),
        (GATE, {"line": {"last": "9"}}),
        (GATE, {"line": {"turn": "9"}}),
        (GATE, {"line": {"turn": -1}}),
        (GATE, {"line": {"turn": float("nan")}}),
        (GATE, {"line": {"turn": float("inf")}}),
        (CIRCUIT, {"region": " "}),
        (CIRCUIT, {"holds": 1.5}),
        (CIRCUIT, {"failures": {"key": "a"}}),
        (REFUSAL, {"until": None}),
        (REFUSAL, {"region": None}),
        (SPENDING, {"counted": 12.5}),
        (SPENDING, {"counted": "NaN"}),
        (SPENDING, {"folded": "-1"}),
        (BOOK, {"told": [{"key": "region|westus3"}]}),
        (BOOK, {"waiting": [{"key": "letter|locked"}]}),
        (DUTY, {"until": "soon"}),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_kind(
    control: Control, change: dict[str, Any]
) -> None:
    kind, _ = address(control)
    with pytest.raises(MalformedError, match=f"a {kind} in the controls cannot be read"):
        decode_control(kind.value, {**through_json(control), **change})


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(MalformedError, match="a mystery in the controls cannot be read"):
        decode_control("mystery", through_json(GATE))


@pytest.mark.parametrize("control", EACH)
@given(data=st.data())
def test_any_json_in_any_place_is_read_or_refused_and_never_breaks(
    control: Control, data: st.DataObject
) -> None:
    kind, _ = address(control)
    document = data.draw(anything_at(through_json(control)))
    if not isinstance(document, dict):
        return
    found = outcome(lambda: decode_control(kind.value, document), MalformedError)
    if not isinstance(found, Exception):
        assert decode_control(kind.value, through_json(found)) == found
