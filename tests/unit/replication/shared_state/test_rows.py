"""What all instances share, as JSON: it comes back as it was, or is refused by name."""

import json
import pkgutil
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import replication
from bootstrap.app import SHARED_KINDS
from replication.domain.errors import MalformedError, NewerFormatError, Operation
from replication.domain.regions import Region
from replication.gauges import DUTIES, Duty
from replication.guards.admission import GATES
from replication.guards.budget_guard import SPENDINGS
from replication.guards.budgets import Commitment, Spending
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.pauses import PAUSES, QueuePause
from replication.guards.region_health import CIRCUITS, REFUSALS, Refusal
from replication.guards.throttling import Gate, Line, LowBucket, ThrottleScope
from replication.notices.rules import KnownCause, NoticeBook, Waiting
from replication.notices.service import NOTICE_BOOKS
from replication.shared_state.kind import Kind
from replication.shared_state.port import ControlRow
from replication.sweeping.report import SweepPosition
from replication.sweeping.rounds import SWEEP_BOOKMARKS, SweepBookmark
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
ANY_GATE = st.builds(
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
ANY_CIRCUIT = st.builds(
    Circuit,
    region=REGIONS,
    failures=st.lists(st.builds(CircuitFailure, key=TEXTS, at=MOMENTS), max_size=3).map(tuple),
    opened_at=st.none() | MOMENTS,
    probe_at=st.none() | MOMENTS,
    probe_key=st.none() | TEXTS,
    probe_until=st.none() | MOMENTS,
    holds=COUNTS,
)
ANY_REFUSAL = st.builds(Refusal, subscription_id=NAMES, region=REGIONS, until=MOMENTS, reason=TEXTS)
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=6)
ANY_SPENDING = st.builds(
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
ANY_PAUSE = st.builds(QueuePause, queue=NAMES, since=MOMENTS, by=TEXTS, reason=TEXTS)
ANY_BOOK = st.builds(
    NoticeBook,
    channel=NAMES,
    busy_by=TEXTS,
    busy_until=st.none() | MOMENTS,
    known=st.lists(
        st.builds(
            KnownCause,
            key=TEXTS,
            code=TEXTS,
            region=st.none() | TEXTS,
            since=MOMENTS,
            last_at=MOMENTS,
            jobs=COUNTS,
            notices=COUNTS,
            returns=COUNTS,
            gone_at=st.none() | MOMENTS,
            resolved_at=st.none() | MOMENTS,
        ),
        max_size=3,
    ).map(tuple),
    waiting=st.lists(st.builds(Waiting, key=TEXTS, since=MOMENTS), max_size=3).map(tuple),
)
ANY_DUTY = st.builds(Duty, name=NAMES, by=TEXTS, until=MOMENTS)
ANY_BOOKMARK = st.builds(
    SweepBookmark,
    position=st.builds(
        SweepPosition,
        cursor=st.none() | TEXTS,
        subscription_id=st.none() | TEXTS,
        version_id=st.none() | TEXTS,
    ),
    at=MOMENTS,
)
WRITTEN: st.SearchStrategy[tuple[Kind[Any], Any]] = st.one_of(
    st.tuples(st.just(GATES), ANY_GATE),
    st.tuples(st.just(CIRCUITS), ANY_CIRCUIT),
    st.tuples(st.just(REFUSALS), ANY_REFUSAL),
    st.tuples(st.just(SPENDINGS), ANY_SPENDING),
    st.tuples(st.just(PAUSES), ANY_PAUSE),
    st.tuples(st.just(NOTICE_BOOKS), ANY_BOOK),
    st.tuples(st.just(DUTIES), ANY_DUTY),
    st.tuples(st.just(SWEEP_BOOKMARKS), ANY_BOOKMARK),
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
    known=(
        KnownCause(
            key="region|westus3",
            code="copy_failed",
            region="westus3",
            since=NOON,
            last_at=NOON,
            jobs=3,
            notices=1,
            gone_at=NOON,
            resolved_at=NOON,
        ),
    ),
    waiting=(Waiting(key="letter|locked", since=NOON),),
)
DUTY = Duty(name="gauges", by="worker-1", until=NOON)
BOOKMARK = SweepBookmark(position=SweepPosition(subscription_id="s", version_id="v"), at=NOON)
EACH: list[tuple[Kind[Any], Any]] = [
    (GATES, GATE),
    (CIRCUITS, CIRCUIT),
    (REFUSALS, REFUSAL),
    (SPENDINGS, SPENDING),
    (PAUSES, PAUSE),
    (NOTICE_BOOKS, BOOK),
    (DUTIES, DUTY),
    (SWEEP_BOOKMARKS, BOOKMARK),
]


def through_json(kind: Kind[Any], value: Any) -> ControlRow:
    row = kind.write(value)
    return replace(row, document=json.loads(json.dumps(row.document)))


@given(WRITTEN)
def test_every_value_comes_back_as_it_was(written: tuple[Kind[Any], Any]) -> None:
    kind, value = written
    assert kind.read(through_json(kind, value)) == value


def declared() -> set[str]:
    """Return the names of the kinds that any module of the product declares."""
    modules = pkgutil.walk_packages(replication.__path__, "replication.")
    values = (one for module in modules for one in vars(import_module(module.name)).values())
    return {one.name for one in values if isinstance(one, Kind)}


def test_every_kind_that_is_declared_is_the_app_s_and_tried_here() -> None:
    assert declared() == {kind.name for kind in SHARED_KINDS}
    assert declared() == {kind.name for kind, _ in EACH}


def test_each_kind_stands_under_what_it_is_about() -> None:
    rows = [kind.write(value) for kind, value in EACH]
    assert [(row.kind, row.key) for row in rows] == [
        ("gate", f"{SUBSCRIPTION}|write|*"),
        ("circuit", "westus3"),
        ("refusal", f"{SUBSCRIPTION}|westus3"),
        ("budget", "00a558fe0739d4acee045c1a40940852"),
        ("pause", "replication-jobs"),
        ("notice", "teams"),
        ("duty", "gauges"),
        ("bookmark", "sweep"),
    ]


def test_a_book_keeps_the_names_under_which_it_was_written_first() -> None:
    document = NOTICE_BOOKS.write(BOOK).document
    (known,) = document["told"]
    assert (known["told"], known["told_at"]) == (1, NOON.isoformat())
    assert {"known", "notices", "last_at"}.isdisjoint({*document, *known})


@pytest.mark.parametrize(
    ("kind", "document", "expected"),
    [
        (GATES, {"scope": "sub|*|*"}, Gate(scope=ThrottleScope(subscription_id="sub"))),
        (CIRCUITS, {"region": "westus3"}, Circuit(region=Region("westus3"))),
        (NOTICE_BOOKS, {"channel": "teams"}, NoticeBook(channel="teams")),
    ],
)
def test_what_is_missing_takes_its_default(
    kind: Kind[Any], document: dict[str, Any], expected: Any
) -> None:
    row = ControlRow(kind=kind.name, key=kind.key(expected), document={"v": 1, **document})
    assert kind.read(row) == expected


def test_a_row_under_the_key_of_another_is_refused() -> None:
    row = replace(through_json(CIRCUITS, CIRCUIT), key="eastus")
    with pytest.raises(MalformedError, match="the circuit under eastus is about westus3"):
        CIRCUITS.read(row)


@pytest.mark.parametrize("version", [2, 10**30])
def test_a_row_of_a_newer_release_says_so(version: int) -> None:
    row = ControlRow(kind="gate", key="x", document={"v": version, "scope": 5})
    with pytest.raises(
        NewerFormatError, match=r"a gate in the controls has format \d+, this release reads 1"
    ):
        GATES.read(row)


@pytest.mark.parametrize("version", [None, "1", True, 0, -1, 1.0])
def test_a_row_without_a_format_is_refused(version: object) -> None:
    row = through_json(GATES, GATE)
    with pytest.raises(MalformedError, match="has no format version 'v'"):
        GATES.read(replace(row, document={**row.document, "v": version}))


@pytest.mark.parametrize(
    ("kind", "value", "change"),
    [
        (GATES, GATE, {"scope": "sub"}),
        (GATES, GATE, {"scope": None}),
        (GATES, GATE, {"closed_until": "soon"}),
        (GATES, GATE, {"closed_until": "2026-11-23T12:00:00"}),
        (GATES, GATE, {"closed_until": 5}),
        (GATES, GATE, {"paced_until": datetime.max.replace(tzinfo=UTC).isoformat()}),
        (GATES, GATE, {"paced_until": datetime.min.replace(tzinfo=UTC).isoformat()}),
        (GATES, GATE, {"refusals": -1}),
        (GATES, GATE, {"refusals": "2"}),
        (GATES, GATE, {"refusals": True}),
        (GATES, GATE, {"refusals": 2**53 + 1}),
        (GATES, GATE, {"low": 5}),
        (GATES, GATE, {"low": ["x"]}),
        (GATES, GATE, {"low": [{"bucket": "x", "remaining": 1.5, "at": NOON.isoformat()}]}),
        (GATES, GATE, {"low": [{"bucket": "x", "remaining": 1}]}),
        (GATES, GATE, {"line": [1]}),
        (GATES, GATE, {"line": {"last": "9"}}),
        (GATES, GATE, {"line": {"turn": "9"}}),
        (GATES, GATE, {"line": {"turn": -1}}),
        (GATES, GATE, {"line": {"turn": float("nan")}}),
        (GATES, GATE, {"line": {"turn": float("inf")}}),
        (CIRCUITS, CIRCUIT, {"region": " "}),
        (CIRCUITS, CIRCUIT, {"holds": 1.5}),
        (CIRCUITS, CIRCUIT, {"failures": {"key": "a"}}),
        (REFUSALS, REFUSAL, {"until": None}),
        (REFUSALS, REFUSAL, {"region": None}),
        (SPENDINGS, SPENDING, {"counted": 12.5}),
        (SPENDINGS, SPENDING, {"counted": "NaN"}),
        (SPENDINGS, SPENDING, {"folded": "-1"}),
        (NOTICE_BOOKS, BOOK, {"told": [{"key": "region|westus3"}]}),
        (NOTICE_BOOKS, BOOK, {"waiting": [{"key": "letter|locked"}]}),
        (DUTIES, DUTY, {"until": "soon"}),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_kind(
    kind: Kind[Any], value: Any, change: dict[str, Any]
) -> None:
    row = through_json(kind, value)
    with pytest.raises(MalformedError, match=f"a {kind.name} in the controls cannot be read"):
        kind.read(replace(row, document={**row.document, **change}))


@pytest.mark.parametrize(("kind", "value"), EACH)
@given(data=st.data())
def test_any_json_in_any_place_is_read_or_refused_and_never_breaks(
    kind: Kind[Any], value: Any, data: st.DataObject
) -> None:
    row = through_json(kind, value)
    document = data.draw(anything_at(row.document))
    if not isinstance(document, dict):
        return
    found = outcome(lambda: kind.read(replace(row, document=document)), MalformedError)
    if not isinstance(found, Exception):
        assert kind.read(through_json(kind, found)) == found
