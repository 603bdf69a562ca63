"""Asking before each call: what one instance learns holds for all, and for nobody else's scope."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from tenacity import Retrying, stop_after_attempt

from replication.domain.errors import (
    Operation,
    RecordChangedError,
    ThrottledError,
    ThrottleKind,
    TransientError,
)
from replication.domain.image_version import ImageVersionId
from replication.domain.job import ReplicationJob
from replication.domain.limits import Limits
from replication.guards.admission import GATES, AdmissionControl, Deferral
from replication.guards.rate_meter import RateMeter
from replication.guards.throttling import Gate, RateReading, ThrottleScope
from replication.shared_state.port import ControlRow
from replication.shared_state.state import SharedState
from tests.support.builders import SUBSCRIPTION, version_id
from tests.support.clock import FakeClock
from tests.support.fakes import MemoryControls
from tests.support.jobs import job as recorded_job

ONE, TWO = version_id(), version_id(version="2.0.0")
ELSEWHERE = version_id(gallery="other")
ABROAD = replace(ONE, subscription_id="99999999-2222-3333-4444-555555555555")
READ, WRITE = (Operation.READ,), (Operation.WRITE,)
BOTH = (Operation.READ, Operation.WRITE)
WRITES = ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE)
READS = replace(WRITES, operation=Operation.READ)


def thrice() -> Retrying:
    return Retrying(stop=stop_after_attempt(3), reraise=True)


@dataclass
class Instances:
    """Two instances of the app on one store."""

    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryControls = field(default_factory=MemoryControls)

    def __post_init__(self) -> None:
        self.one, self.two = self.instance(), self.instance()

    def instance(self) -> AdmissionControl:
        shared_state = SharedState(
            store=self.store, kinds=(GATES,), retries=thrice, clock=self.clock
        )
        return AdmissionControl(
            shared_state=shared_state, meter=RateMeter(), limits=Limits(), clock=self.clock
        )

    def gate(self, scope: ThrottleScope = WRITES) -> Gate:
        return GATES.read(self.store.rows["gate", scope.key])


@pytest.fixture
def instances() -> Instances:
    return Instances()


def job(version: ImageVersionId = ONE) -> ReplicationJob:
    return recorded_job(version)


def waits(
    admission: AdmissionControl, operations: Iterable[Operation], version: ImageVersionId = ONE
) -> Deferral | None:
    return admission.ask(job(version), operations)[1]


def refusal(
    retry_after_s: float | None = 60, kind: ThrottleKind = ThrottleKind.OPERATION
) -> ThrottledError:
    return ThrottledError("slow down", retry_after_s=retry_after_s, kind=kind)


def left(bucket: str, remaining: int, scope: ThrottleScope = WRITES) -> list[RateReading]:
    return [RateReading(scope=scope, bucket=bucket, remaining=remaining)]


# A pause.


def test_while_all_is_well_nobody_waits_and_nothing_is_stored(instances: Instances) -> None:
    instances.one.meter.put(left("subscription-writes", 150))
    instances.one.learn()
    assert instances.one.ask(job(), BOTH) == (job(), None)
    assert instances.store.rows == {}


def test_what_one_instance_was_told_holds_for_the_other_within_two_seconds(
    instances: Instances,
) -> None:
    assert waits(instances.two, WRITE) is None
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    assert waits(instances.one, WRITE, TWO) is not None
    instances.clock.advance(2.1)
    deferral = waits(instances.two, WRITE, TWO)
    assert deferral is not None
    assert deferral.until >= instances.clock() + timedelta(seconds=57.9)
    assert deferral.reason == (
        f"held back until 2026-11-23 08:01:00 UTC for {SUBSCRIPTION}|write|*: slow down"
    )


def test_after_the_pause_calls_go_one_by_one_until_an_answer_shows_plenty(
    instances: Instances,
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    first, _ = instances.one.ask(job(ONE), WRITE)
    second, _ = instances.two.ask(job(TWO), WRITE)
    assert [one.place.number for one in (first, second) if one.place] == [1, 2]
    instances.clock.advance(60)
    assert instances.one.ask(first, WRITE)[1] is None
    later, deferral = instances.two.ask(second, WRITE)
    assert (later, deferral and deferral.until) == (
        second,
        instances.clock() + timedelta(seconds=0.1),
    )
    instances.one.meter.put(left("createupdategalleryimageversion3min", 374))
    instances.one.learn()
    instances.clock.advance(2.1)
    passed, deferral = instances.two.ask(second, WRITE)
    assert (passed.place, deferral) == (None, None)


@pytest.mark.parametrize(
    ("kind", "held", "free"),
    [
        (ThrottleKind.OPERATION, [(ONE, WRITE), (ELSEWHERE, BOTH)], [(ONE, READ), (ABROAD, BOTH)]),
        (ThrottleKind.SUBSCRIPTION, [(ONE, READ), (ELSEWHERE, WRITE)], [(ABROAD, BOTH)]),
        (ThrottleKind.GALLERY, [(ONE, WRITE), (TWO, BOTH)], [(ELSEWHERE, BOTH), (ABROAD, BOTH)]),
    ],
)
def test_a_pause_holds_back_what_it_is_about_and_nothing_else(
    instances: Instances,
    kind: ThrottleKind,
    held: list[tuple[ImageVersionId, tuple[Operation, ...]]],
    free: list[tuple[ImageVersionId, tuple[Operation, ...]]],
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(kind=kind))
    for version, operations in held:
        assert waits(instances.one, operations, version) is not None
    for version, operations in free:
        assert waits(instances.one, operations, version) is None


def test_too_many_copies_from_one_gallery_do_not_keep_its_copies_from_being_followed(
    instances: Instances,
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(kind=ThrottleKind.GALLERY))
    assert waits(instances.one, READ) is None


def test_the_letter_case_of_a_subscription_or_a_gallery_makes_no_difference(
    instances: Instances,
) -> None:
    loud = replace(ONE, gallery="LABGALLERY", subscription_id=SUBSCRIPTION.upper())
    instances.one.refused(loud, Operation.WRITE, refusal(kind=ThrottleKind.GALLERY))
    assert waits(instances.one, WRITE) is not None
    instances.one.refused(loud, Operation.READ, refusal(60))
    expected = instances.clock() + timedelta(seconds=60)
    assert instances.one.closed_until(SUBSCRIPTION.upper(), Operation.READ) == expected


def test_the_longest_pause_counts_for_calls_about_the_whole_subscription(
    instances: Instances,
) -> None:
    until = instances.clock() + timedelta(seconds=90)
    assert instances.one.closed_until(SUBSCRIPTION, Operation.READ) is None
    instances.one.refused(ONE, Operation.READ, refusal(30))
    instances.one.refused(ONE, Operation.READ, refusal(90, ThrottleKind.SUBSCRIPTION))
    instances.one.refused(ONE, Operation.WRITE, refusal(300))
    assert instances.one.closed_until(SUBSCRIPTION, Operation.READ) == until
    assert instances.one.closed_until(ABROAD.subscription_id, Operation.READ) is None
    instances.clock.advance(90)
    assert instances.one.closed_until(SUBSCRIPTION, Operation.READ) is None


def test_a_pause_is_logged_once(instances: Instances, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        instances.one.refused(ONE, Operation.WRITE, refusal(60))
    closed = [one for one in caplog.records if "throttle.closed" in one.getMessage()]
    assert len(closed) == 1


# Lines.


def test_a_job_that_needs_two_lines_stands_in_one_after_the_other_and_gets_through(
    instances: Instances,
) -> None:
    instances.one.meter.put(left("subscription-writes", 1))
    instances.one.meter.put(left("subscription-reads", 1, READS))
    instances.one.learn()
    jobs = [job(version_id(version=f"1.0.{number}")) for number in range(5)]
    done: list[float] = []
    began = instances.clock()
    waiting: list[tuple[datetime, int]] = [(began, number) for number in range(5)]
    while waiting:
        waiting.sort()
        now, number = waiting.pop(0)
        instances.clock.now = max(now, instances.clock.now)
        jobs[number], deferral = instances.one.ask(jobs[number], BOTH)
        if deferral is None:
            done.append((instances.clock() - began).total_seconds())
        else:
            waiting.append((deferral.until, number))
        assert len(done) + len(waiting) == 5
    assert done == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.06)


def test_a_pause_of_the_line_that_was_passed_still_counts(instances: Instances) -> None:
    instances.one.meter.put(left("subscription-writes", 1))
    instances.one.learn()
    waits(instances.one, BOTH, TWO)
    queued, deferral = instances.one.ask(job(), BOTH)
    assert deferral is not None
    instances.one.refused(ONE, Operation.READ, refusal(60))
    instances.clock.advance(0.2)
    _, deferral = instances.one.ask(queued, BOTH)
    assert deferral is not None
    assert f"{SUBSCRIPTION}|read|*: slow down" in deferral.reason


def test_many_that_come_together_on_two_instances_get_different_numbers(
    instances: Instances,
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    numbers = []
    for number in range(40):
        admission = (instances.one, instances.two)[number % 2]
        queued, _ = admission.ask(job(version_id(version=f"1.0.{number}")), WRITE)
        assert queued.place is not None
        numbers.append(queued.place.number)
    assert numbers == list(range(1, 41))


def test_a_number_drawn_on_another_instance_is_good_here_too(instances: Instances) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    waits(instances.two, WRITE)
    queued, _ = instances.one.ask(job(TWO), WRITE)
    tag = instances.store.rows["gate", WRITES.key].etag
    again, _ = instances.two.ask(queued, WRITE)
    assert again == queued
    assert instances.store.rows["gate", WRITES.key].etag == tag


def test_a_gate_that_was_removed_meanwhile_holds_nobody_back(instances: Instances) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    instances.store.rows.clear()
    assert waits(instances.one, WRITE) is None


# Learning.


def test_an_answer_with_little_left_slows_down_every_instance(instances: Instances) -> None:
    instances.one.meter.put(left("createupdategalleryimageversion3min", 5))
    instances.one.learn()
    assert instances.gate().low[0].remaining == 5
    assert waits(instances.two, WRITE, ONE) is None
    assert waits(instances.two, WRITE, TWO) is not None
    assert waits(instances.two, READ, TWO) is None


def test_answers_with_plenty_left_cost_no_storage_call_even_behind_an_old_gate(
    instances: Instances,
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(1))
    instances.clock.advance(5)
    instances.one.meter.put(left("subscription-writes", 150))
    instances.one.learn()
    instances.store.failures.append(TransientError("the storage was asked"))
    for _ in range(5):
        instances.one.meter.put(left("subscription-writes", 150))
        instances.one.learn()
    assert len(instances.store.failures) == 1


def test_what_a_refusal_said_is_left_is_learned_with_it(instances: Instances) -> None:
    instances.one.meter.put(left("createupdategalleryimageversion30min", 0))
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    assert instances.gate().interval_s(instances.clock()) == 1.5
    assert instances.one.meter.take() == ()


def test_a_change_that_comes_while_the_table_is_read_is_not_forgotten() -> None:
    """One thread reads the table, another closes a gate before the first is done."""

    @dataclass
    class SlowControls(MemoryControls):
        late: list[AdmissionControl] = field(default_factory=list)

        def all(self) -> tuple[ControlRow, ...]:
            rows = super().all()
            while self.late:
                self.late.pop().refused_scope(WRITES, refusal(60))
            return rows

    store = SlowControls()
    admission = Instances(store=store).one
    store.late.append(admission)
    waits(admission, WRITE)
    assert waits(admission, WRITE) is not None


# Trouble with the shared table.


def test_an_unreadable_gate_is_told_of_once_left_alone_and_holds_nobody_back(
    instances: Instances, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        ControlRow(kind="gate", key=WRITES.key, document={"v": 1, "scope": 7}),
        ControlRow(kind="gate", key=READS.key, document={"v": 2, "of": "another shape"}),
        ControlRow(kind="gate", key="a|*|*", document={"v": 1, "scope": "b|*|*"}),
    ]
    for row in rows:
        instances.store.save(row, etag=None)
    stored = dict(instances.store.rows)
    for _ in range(3):
        assert waits(instances.one, BOTH) is None
        instances.clock.advance(3)
    told = [one.getMessage() for one in caplog.records if "control.unreadable" in one.getMessage()]
    assert len(told) == 3
    with pytest.raises(TransientError, match="cannot be read"):
        instances.one.refused(ONE, Operation.WRITE, refusal(60))
    with pytest.raises(TransientError, match="format 2"):
        instances.one.refused(ONE, Operation.READ, refusal(60))
    assert instances.store.rows == stored


def test_a_write_that_another_instance_beat_is_made_again_on_the_newest_row(
    instances: Instances,
) -> None:
    instances.one.refused(ONE, Operation.WRITE, refusal(60))
    instances.store.failures.append(RecordChangedError("beaten"))
    assert waits(instances.one, WRITE) is not None
    assert instances.gate().line.last == 1
