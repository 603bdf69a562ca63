"""Gates before Azure's limits: who may call now, who waits for how long, and what is learned."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from replication.domain.errors import Operation
from replication.domain.limits import Limits
from replication.guards.throttling import (
    Gate,
    Line,
    LowBucket,
    RateReading,
    ThrottleScope,
    admit,
    note,
    rate_limit,
    shut,
)
from tests.support.builders import NOON, SUBSCRIPTION

LIMITS = Limits(retry_base_s=5, retry_max_s=300)
WRITES = ThrottleScope(subscription_id=SUBSCRIPTION, operation=Operation.WRITE)
READS = replace(WRITES, operation=Operation.READ)
THREE_MINUTES = "createupdategalleryimageversion3min"
HALF_HOUR = "createupdategalleryimageversion30min"
ARM_WRITES = "subscription-writes"
BUCKETS = st.sampled_from([THREE_MINUTES, HALF_HOUR, ARM_WRITES, "deletegalleryimageversion3min"])


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def readings(**left: int) -> tuple[RateReading, ...]:
    return tuple(
        RateReading(scope=WRITES, bucket=bucket.replace("_", "-"), remaining=remaining)
        for bucket, remaining in left.items()
    )


def low_gate(*, bucket: str = THREE_MINUTES, seconds: float = 0) -> Gate:
    return note(
        Gate(scope=WRITES),
        [RateReading(scope=WRITES, bucket=bucket, remaining=1)],
        now=at(seconds),
    )


def closed(*, for_s: float = 60, scope: ThrottleScope = WRITES) -> Gate:
    return shut(Gate(scope=scope), now=NOON, retry_after_s=for_s, reason="slow down", limits=LIMITS)


def refuse(gate: Gate, seconds: float, *, retry_after_s: float | None = None) -> Gate:
    return shut(
        gate, now=at(seconds), retry_after_s=retry_after_s, reason="slow down", limits=LIMITS
    )


def draw(gate: Gate, count: int, seconds: float = 0) -> tuple[Gate, list[int]]:
    """Let so many jobs come at once; returns the numbers of those that must wait."""
    numbers = []
    for _ in range(count):
        admission = admit(gate, number=None, now=at(seconds))
        gate = admission.gate
        if admission.number is not None:
            numbers.append(admission.number)
    return gate, numbers


def passes_at(gate: Gate, number: int, *, from_s: float = 0) -> float:
    """Follow one job until it is let through; returns after how many seconds."""
    now = at(from_s)
    for _ in range(1_000):
        admission = admit(gate, number=number, now=now)
        if admission.wait_until is None:
            return (now - NOON).total_seconds()
        assert admission.wait_until > now
        now = admission.wait_until
    raise AssertionError("never let through")


# Closing.


def test_an_open_gate_lets_everybody_through_and_keeps_no_record() -> None:
    gate = Gate(scope=WRITES)
    admission = admit(gate, number=None, now=NOON)
    assert (admission.gate, admission.wait_until, admission.number) == (gate, None, None)


@given(
    st.none() | st.floats(min_value=0, max_value=86_400),
    st.none() | st.integers(min_value=1, max_value=50),
    st.floats(min_value=0, max_value=1, exclude_max=True),
)
def test_a_closed_gate_lets_nobody_through(
    retry_after_s: float | None, number: int | None, share: float
) -> None:
    gate, _ = draw(refuse(Gate(scope=WRITES), 0, retry_after_s=retry_after_s), 50)
    assert gate.closed_until is not None
    now = NOON + (gate.closed_until - NOON) * share
    assume(now < gate.closed_until)  # a share of nearly one is rounded up to it
    admission = admit(gate, number=number, now=now)
    assert admission.wait_until is not None
    assert admission.wait_until >= gate.closed_until


@pytest.mark.parametrize(("retry_after_s", "pause_s"), [(17, 17), (0, 1), (-5, 1), (0.2, 1)])
def test_the_pause_is_what_azure_asks_for_but_a_second_at_least(
    retry_after_s: float, pause_s: float
) -> None:
    gate = refuse(Gate(scope=WRITES), 0, retry_after_s=retry_after_s)
    assert gate.closed_until == at(pause_s)
    assert not gate.is_closed(at(pause_s))


def test_without_its_word_pauses_grow_to_the_cap() -> None:
    gate, now_s, pauses = Gate(scope=WRITES), 0.0, []
    for _ in range(9):
        gate = refuse(gate, now_s)
        assert gate.closed_until is not None
        pauses.append((gate.closed_until - at(now_s)).total_seconds())
        now_s += pauses[-1]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_refusals_of_calls_that_were_under_way_together_count_once() -> None:
    gate = Gate(scope=WRITES)
    for hundredth in range(30):
        gate = refuse(gate, hundredth / 100)
    assert gate.refusals == 1
    assert gate.closed_until == at(5.29)


def test_a_shorter_pause_does_not_cut_a_longer_one_short() -> None:
    gate = refuse(refuse(Gate(scope=WRITES), 0, retry_after_s=160), 1)
    assert gate.closed_until == at(160)


def test_a_wall_long_after_the_last_one_begins_with_a_short_pause_again() -> None:
    gate = refuse(refuse(Gate(scope=WRITES), 0), 5)
    assert gate.refusals == 2
    later = refuse(gate, 3600)
    assert (later.refusals, later.closed_until) == (1, at(3605))


def test_an_answer_after_the_pause_ends_the_row_of_refusals_even_where_little_is_left() -> None:
    gate = refuse(refuse(Gate(scope=WRITES), 0), 5)
    gate = note(gate, readings(**{THREE_MINUTES: 0}), now=at(20))
    assert gate.refusals == 0
    assert gate.interval_s(at(20)) == 0.48


def test_an_answer_from_before_the_pause_ends_nothing() -> None:
    gate = closed(for_s=60)
    assert note(gate, readings(**{THREE_MINUTES: 300}), now=at(1)) is gate


# The line.


@given(
    st.integers(min_value=1, max_value=200),
    st.sampled_from([READS, WRITES, replace(WRITES, operation=None)]),
    st.floats(min_value=1, max_value=3600),
)
def test_places_in_line_are_distinct_in_order_and_keep_their_distance(
    jobs: int, scope: ThrottleScope, pause_s: float
) -> None:
    gate, numbers = draw(closed(for_s=pause_s, scope=scope), jobs)
    assert numbers == sorted(set(numbers))
    assert len(numbers) == jobs
    interval_s = gate.interval_s(at(pause_s))
    times = [passes_at(gate, number) for number in numbers]
    assert times[0] == pytest.approx(pause_s)
    for earlier, later in pairwise(times):
        # A call whose turn comes within a twentieth of a second goes now.
        assert interval_s - 0.051 <= later - earlier <= interval_s + 0.051
    assert times[-1] == pytest.approx(pause_s + (jobs - 1) * interval_s, abs=0.051)


def test_a_job_whose_turn_has_come_passes_however_late_it_is() -> None:
    gate, numbers = draw(low_gate(), 5)
    # The first of the five went at once.
    assert len(numbers) == 4
    for number in numbers:
        assert admit(gate, number=number, now=at(60)).wait_until is None


def test_turns_that_nobody_took_are_not_saved_up() -> None:
    gate, numbers = draw(low_gate(), 10, seconds=100)
    assert len(numbers) == 9
    assert passes_at(gate, numbers[0], from_s=100) == pytest.approx(100.48)
    assert passes_at(gate, numbers[-1], from_s=100) == pytest.approx(104.32)


def test_the_whole_line_slows_down_with_the_pace() -> None:
    gate, numbers = draw(low_gate(bucket=ARM_WRITES), 40)
    assert passes_at(gate, numbers[19]) == pytest.approx(2, abs=0.06)
    slower = note(gate, readings(**{THREE_MINUTES: 3}), now=at(1))
    # Ten had their turn; nine more at 0.48 seconds each.
    assert passes_at(slower, numbers[19], from_s=1) == pytest.approx(1 + 10 * 0.48, abs=0.06)


def test_a_line_stands_still_while_its_gate_is_closed() -> None:
    gate, numbers = draw(low_gate(), 20)
    gate = refuse(gate, 0.48 * 4, retry_after_s=100)
    assert passes_at(gate, numbers[9]) == pytest.approx(0.48 * 4 + 100 + 0.48 * 6, abs=0.06)


def test_who_waits_behind_a_pause_looks_again_soon_after_it() -> None:
    gate, numbers = draw(closed(for_s=60), 100)
    waits = [admit(gate, number=number, now=NOON).wait_until for number in numbers]
    assert waits[0] == at(60)
    assert max(one for one in waits if one) == at(63)


@pytest.mark.parametrize(("place", "look_s"), [(2, 1.5), (20, 10), (41, 15), (1_001, 375)])
def test_who_is_far_back_in_a_line_looks_again_before_the_turn_comes(
    place: int, look_s: float
) -> None:
    gate, numbers = draw(low_gate(bucket=HALF_HOUR), place)
    admission = admit(gate, number=numbers[-1], now=NOON)
    assert admission.wait_until == at(look_s)


def test_when_the_limit_is_lifted_the_whole_line_may_go() -> None:
    gate, numbers = draw(closed(for_s=60), 100)
    gate = note(gate, readings(**{THREE_MINUTES: 374}), now=at(60))
    assert all(admit(gate, number=number, now=at(63)).wait_until is None for number in numbers)


def test_numbers_of_a_line_that_is_over_are_void_and_those_who_hold_them_draw_anew() -> None:
    gate, numbers = draw(low_gate(), 50)
    lifted = note(gate, readings(**{THREE_MINUTES: 375}), now=at(1))
    again = note(lifted, readings(**{THREE_MINUTES: 7}), now=at(2))
    first = admit(again, number=numbers[-1], now=at(2))
    assert (first.wait_until, first.gate.line.last) == (None, 51)
    second = admit(first.gate, number=numbers[0], now=at(2))
    assert (second.number, second.wait_until) == (52, at(2.48))


def test_a_number_that_the_gate_never_gave_out_is_drawn_anew() -> None:
    gate = low_gate()
    admission = admit(gate, number=77, now=at(0.1))
    assert admission.gate.line.last == 1


def test_a_low_gate_without_a_line_begins_one() -> None:
    gate = replace(low_gate(), line=Line())
    admission = admit(gate, number=None, now=NOON)
    assert (admission.number, admission.wait_until) == (1, at(0.48))


@given(st.lists(st.floats(min_value=0.01, max_value=30), min_size=1, max_size=60))
def test_near_a_limit_no_more_calls_pass_than_the_limit_bears(gaps_s: list[float]) -> None:
    """Jobs come when they like, and again when they are told to."""
    gate, moment_s, passed = low_gate(), 0.0, list[float]()
    waiting: list[tuple[float, int | None]] = []
    for gap_s in gaps_s:
        moment_s += gap_s / 20
        waiting.append((moment_s, None))
    while waiting:
        waiting.sort(key=lambda one: one[0])
        now_s, number = waiting.pop(0)
        admission = admit(gate, number=number, now=at(now_s))
        gate = admission.gate
        if admission.wait_until is None:
            passed.append(now_s)
        else:
            waiting.append(((admission.wait_until - NOON).total_seconds(), admission.number))
    assert len(passed) == len(gaps_s)
    for first, start_s in enumerate(passed):
        for last in range(first + 1, len(passed)):
            # The first one goes at once, and a call whose turn comes soon goes now.
            assert last - first <= (passed[last] - start_s + 0.06) / 0.48 + 1


# Learning.


@given(st.dictionaries(BUCKETS, st.integers(min_value=0, max_value=2_000)), st.booleans())
def test_nothing_is_written_while_plenty_is_left(
    left: dict[str, int],
    closed_before: bool,  # noqa: FBT001 - drawn
) -> None:
    ample = {one: count + rate_limit(one).reserve + 1 for one, count in left.items()}
    gate = Gate(scope=WRITES, line=Line(last=9, void=3, turn=4.5, turn_at=NOON))
    if closed_before:
        gate = replace(gate, closed_until=NOON, reason="slow down")
    assert note(gate, readings(**ample), now=at(1)) is gate


def test_a_reading_at_the_reserve_slows_down_and_one_well_above_it_lifts() -> None:
    gate = note(Gate(scope=WRITES), readings(**{THREE_MINUTES: 7}), now=NOON)
    assert gate.low == (LowBucket(bucket=THREE_MINUTES, remaining=7, at=NOON),)
    assert gate.interval_s(NOON) == 0.48
    assert note(gate, readings(**{THREE_MINUTES: 14}), now=at(1)) is gate
    lifted = note(gate, readings(**{THREE_MINUTES: 15}), now=at(1))
    assert (lifted.low, lifted.interval_s(at(1))) == ((), 0)


def test_a_limit_that_stays_low_is_written_anew_only_now_and_then() -> None:
    gate = low_gate()
    assert note(gate, readings(**{THREE_MINUTES: 0}), now=at(44)) is gate
    later = note(gate, readings(**{THREE_MINUTES: 0}), now=at(45))
    assert later.low == (LowBucket(bucket=THREE_MINUTES, remaining=0, at=at(45)),)


def test_the_slowest_of_several_low_limits_sets_the_pace() -> None:
    gate = note(low_gate(), readings(**{HALF_HOUR: 2, ARM_WRITES: 100}), now=at(1))
    assert gate.interval_s(at(1)) == 1.5
    # What an answer says nothing of stays as it was; the half hour is over later than the rest.
    lifted = note(gate, readings(**{HALF_HOUR: 900}), now=at(2))
    assert lifted.interval_s(at(2)) == 0.48


def test_a_limit_that_nobody_heard_of_for_its_whole_window_holds_nobody_back() -> None:
    gate = low_gate()
    assert gate.interval_s(at(179)) == 0.48
    assert gate.interval_s(at(180)) == 0
    assert note(gate, readings(**{ARM_WRITES: 190}), now=at(181)).low == ()


def test_the_pace_after_a_pause_ends_by_itself() -> None:
    gate = closed(for_s=60)
    assert gate.interval_s(at(239)) == 0.1
    assert gate.interval_s(at(240)) == 0


def test_the_pace_after_a_pause_stays_while_another_limit_is_low() -> None:
    gate = note(closed(for_s=60), readings(**{THREE_MINUTES: 2, ARM_WRITES: 199}), now=at(61))
    assert gate.paced_until == at(240)
    assert note(gate, readings(**{THREE_MINUTES: 200}), now=at(62)).paced_until is None


def test_no_readings_teach_nothing() -> None:
    gate = closed(for_s=60)
    assert note(gate, (), now=at(100)) is gate


STEPS = st.lists(
    st.one_of(
        st.builds(
            lambda retry_after_s: (
                lambda gate, now: shut(
                    gate, now=now, retry_after_s=retry_after_s, reason="no", limits=LIMITS
                )
            ),
            st.none() | st.floats(min_value=0, max_value=400),
        ),
        st.builds(
            lambda left: lambda gate, now: note(gate, readings(**left), now=now),
            st.dictionaries(BUCKETS, st.integers(min_value=0, max_value=60)),
        ),
        st.builds(
            lambda number: lambda gate, now: admit(gate, number=number, now=now).gate,
            st.none() | st.integers(min_value=0, max_value=20),
        ),
    ),
    max_size=30,
)


@given(STEPS, st.lists(st.floats(min_value=-2, max_value=200), min_size=30, max_size=30))
def test_whatever_comes_in_whatever_order_a_line_moves_on_and_never_back(
    steps: Iterable[Callable[[Gate, datetime], Gate]], gaps_s: list[float]
) -> None:
    gate, now = Gate(scope=WRITES), NOON
    for step, gap_s in zip(steps, gaps_s, strict=False):
        # Clocks of instances differ by a little.
        now += timedelta(seconds=gap_s)
        after = step(gate, now)
        assert after.line.void <= after.line.last
        assert after.line.last >= gate.line.last
        assert after.line.turn >= gate.line.turn
        assert after.line.turn <= after.line.last + 1
        gate = after
    number = gate.line.last + 1
    admission = admit(gate, number=number, now=now)
    wait = passes_at(admission.gate, number, from_s=(now - NOON).total_seconds())
    assert wait >= (now - NOON).total_seconds()
