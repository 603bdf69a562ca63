"""The contract of ControlStore: compare-and-swap, and rows that are left alone."""

import logging
import threading
from dataclasses import replace
from typing import Any

import pytest

from replication.azure.storage.shared_state import TableControls
from replication.domain.errors import Operation, RecordChangedError, TransientError
from replication.domain.limits import Limits
from replication.domain.regions import Region
from replication.guards.admission import GATES
from replication.guards.pauses import PAUSES
from replication.guards.region_health import REFUSALS, Refusal
from replication.guards.throttling import Gate, ThrottleScope, gallery_of, shut
from replication.records.retries import contention_retries
from replication.shared_state.port import ControlRow, ControlStore
from replication.shared_state.state import SharedState
from tests.support.builders import NOON, SUBSCRIPTION, version_id
from tests.support.clock import FakeClock
from tests.support.storage.emulator import FreshTables

KEY = ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE).key


def row(key: str = KEY, *, kind: str = "gate", **document: Any) -> ControlRow:
    return ControlRow(kind=kind, key=key, document=document or {"v": 1})


def loaded(controls: ControlStore, key: str = KEY, kind: str = "gate") -> ControlRow:
    found = controls.load(kind, key)
    assert found is not None
    return found


def over(controls: ControlStore) -> SharedState:
    return SharedState(
        store=controls, kinds=(GATES, REFUSALS), retries=contention_retries, clock=FakeClock()
    )


def test_nothing_is_stored_at_first(controls: ControlStore) -> None:
    assert controls.all() == ()
    assert controls.load("gate", KEY) is None


def test_a_row_comes_back_as_it_was_written_under_a_tag(controls: ControlStore) -> None:
    document: dict[str, Any] = {
        "v": 1,
        "reason": "größe \U0001f300",
        "deep": [{"a": None, "b": 1.5}, True],
    }
    controls.save(row(**document), etag=None)
    found = loaded(controls)
    assert (found.kind, found.key, found.document) == ("gate", KEY, document)
    assert found.etag != ""
    assert controls.all() == (found,)


def test_a_row_of_a_hundred_thousand_characters_comes_back_whole(controls: ControlStore) -> None:
    controls.save(row(reason="x" * 100_000), etag=None)
    controls.save(row(reason="short"), etag=loaded(controls).etag)
    assert loaded(controls).document == {"reason": "short"}


@pytest.mark.parametrize(
    "scope",
    [
        ThrottleScope(subscription_id=SUBSCRIPTION),
        ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.READ),
        ThrottleScope(
            subscription_id=SUBSCRIPTION, gallery=gallery_of(version_id(gallery="My.Gal_1"))
        ),
        ThrottleScope(
            subscription_id=SUBSCRIPTION,
            operation=Operation.WRITE,
            gallery=gallery_of(replace(version_id(), resource_group="größe-(1)_x.y")),
        ),
    ],
    ids=lambda scope: scope.key,
)
def test_every_scope_can_be_a_key(controls: ControlStore, scope: ThrottleScope) -> None:
    controls.save(row(scope.key, of=scope.key), etag=None)
    assert loaded(controls, scope.key).document == {"of": scope.key}
    controls.remove(loaded(controls, scope.key))
    assert controls.all() == ()


def test_a_key_stands_once_in_each_kind(controls: ControlStore) -> None:
    controls.save(row("same", n=1), etag=None)
    controls.save(row("same", kind="circuit", n=2), etag=None)
    assert {(one.kind, one.document["n"]) for one in controls.all()} == {
        ("gate", 1),
        ("circuit", 2),
    }
    assert loaded(controls, "same", "circuit").document == {"n": 2}


def test_all_rows_are_listed_however_many(controls: ControlStore) -> None:
    keys = {f"key{number}" for number in range(30)}
    for key in sorted(keys):
        controls.save(row(key), etag=None)
    assert {one.key for one in controls.all()} == keys


def test_a_second_first_row_is_refused(controls: ControlStore) -> None:
    controls.save(row(n=1), etag=None)
    with pytest.raises(RecordChangedError):
        controls.save(row(n=2), etag=None)
    assert loaded(controls).document == {"n": 1}


def test_a_row_is_replaced_by_whoever_read_the_newest(controls: ControlStore) -> None:
    controls.save(row(n=1, old=True), etag=None)
    first = loaded(controls)
    controls.save(row(n=2), etag=first.etag)
    assert loaded(controls).document == {"n": 2}
    with pytest.raises(RecordChangedError):
        controls.save(row(n=3), etag=first.etag)
    assert loaded(controls).document == {"n": 2}


def test_a_row_that_was_removed_cannot_be_replaced(controls: ControlStore) -> None:
    controls.save(row(), etag=None)
    first = loaded(controls)
    controls.remove(first)
    with pytest.raises(RecordChangedError):
        controls.save(row(n=2), etag=first.etag)
    assert controls.load("gate", KEY) is None


def test_a_row_that_never_was_cannot_be_replaced(controls: ControlStore) -> None:
    controls.save(row(), etag=None)
    with pytest.raises(RecordChangedError):
        controls.save(row("another"), etag=loaded(controls).etag)


def test_a_row_that_was_changed_is_not_removed(controls: ControlStore) -> None:
    controls.save(row(n=1), etag=None)
    first = loaded(controls)
    controls.save(row(n=2), etag=first.etag)
    with pytest.raises(RecordChangedError):
        controls.remove(first)
    assert loaded(controls).document == {"n": 2}


def test_what_is_gone_already_is_removed_without_complaint(controls: ControlStore) -> None:
    controls.save(row(), etag=None)
    first = loaded(controls)
    controls.remove(first)
    controls.remove(first)
    assert controls.all() == ()


def test_of_many_writers_at_once_each_change_counts(controls: ControlStore) -> None:
    shared = over(controls)
    errors: list[Exception] = []

    def close() -> None:
        def change(gate: Gate | None) -> tuple[Gate, None]:
            gate = gate or Gate(scope=ThrottleScope.parse(KEY))
            return replace(gate, refusals=gate.refusals + 1), None

        try:
            shared.change(GATES, KEY, change)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    threads = [threading.Thread(target=close) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert loaded(controls).document["refusals"] == 4


def test_values_of_every_kind_are_kept_found_changed_and_removed(controls: ControlStore) -> None:
    shared, other = over(controls), over(controls)
    scope = ThrottleScope.parse(KEY)
    gate = shut(Gate(scope=scope), now=NOON, retry_after_s=9, reason="no", limits=Limits())
    refusal = Refusal(
        subscription_id=SUBSCRIPTION, region=Region("westus3"), until=NOON, reason="not available"
    )
    shared.put(GATES, gate)
    shared.put(REFUSALS, refusal)
    for instance in (shared, other):
        assert instance.all(GATES) == {KEY: gate}
        assert instance.all(REFUSALS) == {refusal.key: refusal}
        assert instance.get(REFUSALS, refusal.key) == refusal
    assert shared.remove(REFUSALS, refusal.key) == refusal
    assert shared.remove(REFUSALS, refusal.key) is None
    assert (shared.all(GATES), shared.all(REFUSALS)) == ({KEY: gate}, {})
    assert shared.get(REFUSALS, refusal.key) is None
    assert shared.change(GATES, KEY, lambda before: (before, ("found", before))) == ("found", gate)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"v": 1, "scope": 5},
        {"v": 2, "another": ["shape"]},
        {**GATES.write(Gate(scope=ThrottleScope(subscription_id="other"))).document},
    ],
    ids=["empty", "unreadable", "newer", "of-another-key"],
)
def test_a_row_that_cannot_be_read_is_skipped_told_of_and_left_as_it_is(
    controls: ControlStore, document: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    refusal = Refusal(
        subscription_id=SUBSCRIPTION, region=Region("westus3"), until=NOON, reason="not available"
    )
    over(controls).put(REFUSALS, refusal)
    controls.save(ControlRow(kind="gate", key=KEY, document=document), etag=None)
    stored = loaded(controls)
    shared = over(controls)
    with caplog.at_level(logging.ERROR):
        assert (shared.all(GATES), shared.all(REFUSALS)) == ({}, {refusal.key: refusal})
    assert [one for one in caplog.records if "control.unreadable" in one.getMessage()] != []
    with pytest.raises(TransientError):
        shared.put(GATES, Gate(scope=ThrottleScope.parse(KEY)))
    with pytest.raises(TransientError):
        shared.remove(GATES, KEY)
    assert loaded(controls) == stored


def test_a_row_of_a_kind_that_nobody_knows_is_told_of_once_and_left_as_it_is(
    controls: ControlStore, caplog: pytest.LogCaptureFixture
) -> None:
    controls.save(row(kind="mystery"), etag=None)
    clock = FakeClock()
    shared = replace(over(controls), clock=clock)
    for _ in range(3):
        assert shared.all(GATES) == {}
        clock.advance(10)
    assert caplog.text.count("this release knows no mystery in the controls") == 1
    assert loaded(controls, kind="mystery").document == {"v": 1}


def test_a_kind_that_the_state_was_not_given_is_found_out_at_once(controls: ControlStore) -> None:
    with pytest.raises(KeyError):
        over(controls).all(PAUSES)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"document_0": "{"},
        {"document_0": "[1]"},
        {"document_0": "[" * 15_000},
        {"document_0": 5},
        {"document_1": "{}"},
    ],
    ids=["none", "broken", "list", "deep", "number", "gap"],
)
def test_a_row_that_somebody_spoilt_hides_no_other(
    fresh_tables: FreshTables, columns: dict[str, Any]
) -> None:
    table = fresh_tables.table()
    controls = TableControls(table)
    controls.save(row("fine", n=1), etag=None)
    spoilt = {"PartitionKey": "gate", "RowKey": KEY, **columns}
    table.call(lambda client: client.create_entity(spoilt))
    assert {one.key: one.document for one in controls.all()} == {"fine": {"n": 1}, KEY: {}}
    assert loaded(controls).document == {}
