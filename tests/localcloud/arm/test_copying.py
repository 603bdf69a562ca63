"""Copies and the clock behind them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.arm.clock import SimulatedClock
from localcloud.arm.copying import Copy, Ending, copy_s, creation_s
from localcloud.arm.regions import Regions

ENDINGS: list[Ending] = ["Completed", "Failed", "Stuck"]
seconds = st.floats(min_value=0, max_value=1e6)


@given(st.sampled_from(ENDINGS), seconds, seconds, seconds, seconds)
def test_progress_never_jumps_back(
    ending: Ending, started_at: float, duration_s: float, one: float, more: float
) -> None:
    copy = Copy(started_at=started_at, duration_s=duration_s, ending=ending)
    assert 0 <= copy.progress(one) <= copy.progress(one + more) <= 100


@given(seconds, st.floats(min_value=1, max_value=1e6), seconds)
def test_a_copy_is_completed_exactly_when_its_progress_is_100(
    started_at: float, duration_s: float, now: float
) -> None:
    copy = Copy(started_at=started_at, duration_s=duration_s)
    assert (copy.state(now) == "Completed") == (copy.progress(now) == 100)


@given(seconds, seconds)
def test_a_failing_copy_has_failed_in_the_very_moment_its_version_settles(
    started_at: float, duration_s: float
) -> None:
    copy = Copy(started_at=started_at, duration_s=duration_s, ending="Failed")
    assert copy.state(copy.settles_at()) == "Failed"


def test_a_copy_to_one_more_region_takes_about_seven_minutes_for_30_gb() -> None:
    speeds = [one.minutes_per_gb for one in Regions().behaviour.values()]
    durations = sorted(copy_s(30, speed) for speed in speeds)
    assert 0.8 * 421 < durations[0] < 421 < durations[-1] < 1.3 * 421


@pytest.mark.parametrize("size_gb", [30, 127])
def test_a_creation_takes_as_long_as_recorded_ones(size_gb: int) -> None:
    assert 407 <= creation_s(size_gb) <= 1081


def test_regions_differ_in_speed_and_the_seed_alone_decides_how() -> None:
    first, again, other = Regions(seed=1), Regions(seed=1), Regions(seed=2)
    assert first.behaviour == again.behaviour
    assert first.behaviour != other.behaviour
    assert len({one.minutes_per_gb for one in first.behaviour.values()}) > 20


def test_a_failing_copy_stops_on_its_way() -> None:
    copy = Copy(started_at=0, duration_s=100, ending="Failed")
    assert [copy.state(at) for at in (0, 59, 61, 1000)] == [
        "Replicating",
        "Replicating",
        "Failed",
        "Failed",
    ]
    assert copy.progress(1000) == 60
    assert copy.settles_at() == 60


def test_a_stuck_copy_never_ends() -> None:
    copy = Copy(started_at=0, duration_s=100, ending="Stuck")
    assert (copy.state(1e9), copy.progress(1e9)) == ("Replicating", 40)
    assert copy.settles_at() == math.inf


def test_a_version_settles_a_little_before_its_last_copy_ends() -> None:
    copy = Copy(started_at=0, duration_s=1000)
    assert copy.state(copy.settles_at()) == "Replicating"
    assert 950 < copy.settles_at() < 1000


class HandClock:
    """A clock that a test turns."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_another_speed_changes_what_is_to_come_and_not_what_has_passed() -> None:
    hand = HandClock()
    clock = SimulatedClock(10, hand)
    hand.at = 5
    assert clock.now() == 50
    clock.set_scale(1000)
    assert clock.now() == 50
    hand.at = 6
    assert clock.now() == 1050
    clock.set_scale(0.5)
    hand.at = 8
    assert clock.now() == 1051


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 1e4)), max_size=8))
def test_simulated_time_never_runs_back_whatever_its_speeds(
    steps: list[tuple[float, float]],
) -> None:
    hand = HandClock()
    clock = SimulatedClock(1, hand)
    before = clock.now()
    for passed_s, scale in steps:
        hand.at += passed_s
        clock.set_scale(scale)
        assert clock.now() >= before
        before = clock.now()


@pytest.mark.parametrize("scale", [0, -1, math.nan, math.inf])
def test_a_time_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="time scale"):
        SimulatedClock(scale)


def test_retry_after_follows_the_time_scale_and_is_never_zero() -> None:
    assert [SimulatedClock(scale).retry_after(60) for scale in (1, 25, 1e6)] == ["60", "3", "1"]
