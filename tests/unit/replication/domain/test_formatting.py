"""Times and speeds in reasons: short, and never in a form that only a machine reads."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.formatting import duration, in_one_unit, moment, speed

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (150, "2 min"),
        (3599, "60 min"),
        (3600, "1 h"),
        (7800, "2 h 10 min"),
        (47.9 * 3600, "47 h 54 min"),
        (48 * 3600, "2 d"),
        (100 * 3600, "4 d 4 h"),
    ],
)
def test_a_length_of_time_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@given(st.floats(0, 10**8))
def test_one_unit_is_the_largest_of_which_there_are_two(seconds: float) -> None:
    count, unit = in_one_unit(seconds)
    assert 0 <= round(seconds) - count * _UNITS[unit] < _UNITS[unit]
    assert count >= 2 or unit == "s"
    assert all(round(seconds) < 2 * size for size in _UNITS.values() if size > _UNITS[unit])


@given(st.floats(0, 10**8))
def test_what_is_said_is_hardly_off(seconds: float) -> None:
    parts = re.findall(r"(\d+) (s|min|h|d)", duration(seconds))
    told = sum(int(number) * _UNITS[unit] for number, unit in parts)
    assert abs(told - seconds) <= max(1, _UNITS[parts[-1][1]] / 2 + 1, seconds / 24)


def test_a_moment_is_said_in_utc_whatever_its_zone() -> None:
    at = datetime(2026, 11, 23, 14, 0, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    assert moment(at) == "2026-11-23 12:00:05 UTC"


@pytest.mark.parametrize(
    ("percent_per_min", "said"),
    [
        (0.00123, "less than 0.01"),
        (0.0123, "0.012"),
        (3.44, "3.4"),
        (42, "42"),
        (99.9, "100"),
        (100, "100"),
        (3500.4, "3,500"),
    ],
)
def test_a_speed_has_two_digits_or_all_before_the_point(percent_per_min: float, said: str) -> None:
    assert speed(percent_per_min) == f"{said} % a minute"


@given(st.floats(1e-6, 10**9))
def test_no_speed_is_said_with_an_exponent(percent_per_min: float) -> None:
    assert not re.search(r"\de", speed(percent_per_min))
