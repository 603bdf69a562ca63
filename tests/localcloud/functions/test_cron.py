from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.functions.schedules.schedule import Schedule


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("* * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:01"),
        ("* * * * * *", "2026-01-01T00:00:00.9", "2026-01-01T00:00:01"),
        ("*/15 * * * * *", "2026-01-01T00:00:45", "2026-01-01T00:01:00"),
        ("0 */5 * * * *", "2026-01-01T23:57:30", "2026-01-02T00:00:00"),
        ("*/5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("0 0 9-17/4 * * *", "2026-01-01T09:00:00", "2026-01-01T13:00:00"),
        ("0 0 20/2 * * *", "2026-01-01T20:30:00", "2026-01-01T22:00:00"),
        ("30 5,10 3 * * *", "2026-01-01T03:05:30", "2026-01-01T03:10:30"),
        ("0 30 9 * Jan Mon", "2026-01-01T00:00:00", "2026-01-05T09:30:00"),
        ("0 0 0 * * mon-fri", "2026-01-02T00:00:00", "2026-01-05T00:00:00"),
        ("0 0 0 * * 0", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 0 31 * *", "2026-01-31T00:00:00", "2026-03-31T00:00:00"),
        ("0 0 0 29 2 *", "2096-02-29T00:00:00", "2104-02-29T00:00:00"),
        ("0 0 0 1 january *", "2026-01-01T00:00:00", "2027-01-01T00:00:00"),
        # The day of month and the day of week must both hold.
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
    ],
)
def test_the_next_occurrence_is_strictly_after(expression: str, after: str, expected: str) -> None:
    assert Schedule.parse(expression).next_after(moment(after)) == moment(expected)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "is not a schedule of six fields"),
        ("* * * *", "is not a schedule of six fields"),
        ("60 * * * * *", "second: '60' is not within 0 to 59"),
        ("* * 24 * * *", "hour: '24' is not within 0 to 23"),
        ("* * * 0 * *", "day of month: '0' is not within 1 to 31"),
        ("* * * * 13 *", "month: '13' is not within 1 to 12"),
        ("* * * * * 7", "day of week: '7' is not within 0 to 6"),
        ("*/x * * * * *", "second: '\\*/x' needs a step that is a number"),
        ("0\t* * * * *", "is not within 0 to 59"),
        ("a * * * * *", "second: 'a' is not within 0 to 59"),
        ("1, * * * * *", "second: '' is not within 0 to 59"),
        ("0 0 0 30 2 *", "never fires"),
    ],
)
def test_a_wrong_schedule_is_refused_with_its_field(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Schedule.parse(expression)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - Hypothesis wants naive bounds and adds the zone
    st.sampled_from(["*/7 * * * * *", "5 4 */3 * * *", "0 0 12 1-7 * tue", "59 59 23 31 12 *"]),
)
def test_occurrences_follow_one_another_without_a_gap(after: datetime, expression: str) -> None:
    schedule = Schedule.parse(expression)
    first = schedule.next_after(after)
    assert first > after
    # Nothing lies between: from just before it, the same moment comes next.
    assert schedule.next_after(first - timedelta(seconds=1)) == first
    assert schedule.next_after(first) > first
