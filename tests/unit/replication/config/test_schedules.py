"""Schedules of the app's timers: those that the host leaves out are told of, and no others."""

import inspect
from typing import Any

import pytest

from handlers import timers
from replication.config.schedules import TIMERS, absent_timers, is_schedule
from tests.support.localcloud.recorded import recording

RECORDED = {one["expression"]: one for one in recording("timers")["cron"]}
GOOD = {timer.setting: "0 */5 * * * *" for timer in TIMERS}


@pytest.mark.parametrize("expression", [one for one in RECORDED if "%" not in one])
def test_a_schedule_is_one_if_the_host_reads_it(expression: str) -> None:
    assert is_schedule(expression) == ("error" not in RECORDED[expression])


@pytest.mark.parametrize(
    ("expression", "is_read"),
    [
        ("24:00", False),
        ("1.24:00:00", False),
        ("99999999", False),
        ("0 */99999999999 * * * *", False),
        ("25:10:00", True),
        ("1:02:03:04", True),
        (" 00:05:00 ", True),
    ],
)
def test_a_time_span_is_read_as_the_host_reads_it(expression: str, *, is_read: bool) -> None:
    assert is_schedule(expression) == is_read


def test_nothing_is_absent_where_every_schedule_can_be_read() -> None:
    assert absent_timers(GOOD) == {}


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.function)
def test_a_timer_without_its_schedule_is_told_of_with_what_follows(timer: Any) -> None:
    for value in ("", "every day"):
        absent = absent_timers({**GOOD, timer.setting: value})
        assert absent.keys() == {timer.function}
        said = absent[timer.function]
        assert said.startswith(f"{timer.setting} is ")
        assert said.endswith(f": {timer.without}")
    assert timer.function in absent_timers({})


def test_these_are_all_timers_of_the_app() -> None:
    source = inspect.getsource(timers)
    assert source.count("timer_trigger(") == len(TIMERS)
    for timer in TIMERS:
        assert f'function_name("{timer.function}")' in source
        assert f'schedule="%{timer.setting}%"' in source
