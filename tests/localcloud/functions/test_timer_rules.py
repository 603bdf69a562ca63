"""Timers: rules of the vendor's that no recorded case shows alone."""

import json
from datetime import UTC, datetime

import pytest

from localcloud.functions.schedules.schedule import Schedule
from localcloud.functions.timers.monitor import read_status
from tests.support.localcloud.timer_play import Play

NOON = datetime(2026, 1, 2, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    ["24:00", "1.24:00:00", "25:00:00.5", "99999999", "-99999999", "0 */99999999999 * * * *"],
)
def test_what_the_vendor_does_not_read_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule.parse(expression)


@pytest.mark.parametrize(
    ("expression", "hours"), [(" 01:00:00 ", 1), ("1:02:00:00", 26), ("25:02:00", 602)]
)
def test_a_time_span_is_read_in_each_of_its_forms(expression: str, hours: int) -> None:
    following = Schedule.parse(expression).next_after(NOON)
    assert (following - NOON).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("expression", "is_monitored"),
    [
        # Twice within a minute, but not in the next one.
        ("0,30 0 9 * * *", True),
        ("0,30 0 12 * * *", True),
        ("20,30 0 12 * * *", False),
        ("-00:05:00", False),
    ],
)
def test_the_next_minute_says_whether_a_status_is_kept(
    expression: str, *, is_monitored: bool
) -> None:
    assert Schedule.parse(expression).is_monitored(NOON) == is_monitored


@pytest.mark.parametrize(
    "text", ['"2026-01-02T11:00:00Z"', "20260102", "[]", '{"Last":null}', '{"Next":20260102}']
)
def test_a_status_that_the_vendor_cannot_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the stored status"):
        read_status(text, UTC)


def test_the_names_in_a_status_count_without_letter_case() -> None:
    status = read_status('{"last":"2026-01-02T11:00:00+00:00"}', UTC)
    assert status is not None
    assert status.last == datetime(2026, 1, 2, 11, tzinfo=UTC)


def test_a_run_by_hand_sees_what_is_stored_and_not_what_the_listener_holds() -> None:
    play = Play(given={"schedule": "0 0 * * * *", "by_hand_s": [1], "run_s": 4}, start=NOON)
    play.run()
    kept, called = (one for one in play.happened if one.what in ("status", "call"))
    assert json.loads(called.text)["ScheduleStatus"] == json.loads(kept.text)
    assert json.loads(kept.text)["LastUpdated"] != "0001-01-01T00:00:00"


def test_a_run_by_hand_fails_before_its_call_where_the_status_cannot_be_read() -> None:
    given = {"schedule": "0 0 * * * *", "by_hand_s": [1], "run_s": 4, "status_before": "no JSON"}
    play = Play(given=given, start=NOON)
    play.run()
    assert play.happened == []
