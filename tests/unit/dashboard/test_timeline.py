"""A timeline on a page: what was said many times in a row is one line, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from api.schemas.replications import TimelineEntry
from dashboard.views.timeline import timeline


def entry(number: int, reason: str, *, event: str = "track", phase: str = "x") -> TimelineEntry:
    return TimelineEntry(
        id=f"{number:06}",
        at=f"2026-11-20T12:{number:02}:00Z",
        event=event,
        reason=reason,
        details={"phase": phase},
    )


def test_looks_with_the_same_answer_are_one_line_with_the_first_and_the_last() -> None:
    told = timeline(
        [entry(1, "planned", event="planned"), *(entry(n, "at 40 %") for n in (2, 3, 4))]
    )
    assert [(one.entry.reason, one.times) for one in told.lines] == [
        ("at 40 %", 3),
        ("planned", 1),
    ]
    newest = told.lines[0]
    assert (newest.id, newest.first_at) == ("000002", "2026-11-20T12:02:00Z")
    assert newest.entry.at == "2026-11-20T12:04:00Z"


def test_what_differs_in_its_event_reason_or_details_stays_apart() -> None:
    told = timeline(
        [
            entry(1, "a"),
            entry(2, "a", event="wait"),
            entry(3, "a", event="wait", phase="y"),
            entry(4, "b", event="wait", phase="y"),
            entry(5, "a", event="wait", phase="y"),
        ]
    )
    assert [one.times for one in told.lines] == [1] * 5


def test_a_line_keeps_its_id_when_another_look_joins_it() -> None:
    before = timeline([entry(n, "at 40 %") for n in range(3)])
    after = timeline([entry(n, "at 40 %") for n in range(4)])
    assert before.lines[0].id == after.lines[0].id


@given(st.lists(st.sampled_from("ab")))
def test_every_entry_is_in_a_line_or_among_those_left_off(reasons: list[str]) -> None:
    history = [entry(number % 60, reason) for number, reason in enumerate(reasons)]
    told = timeline(history)
    oldest_first = [one for one in reversed(told.lines) for _ in range(one.times)]
    left_off = len(reasons) - len(oldest_first)
    assert [one.entry.reason for one in oldest_first] == reasons[left_off:]
    assert told.has_older == (left_off > 0)
    neighbours = zip(told.lines, told.lines[1:], strict=False)
    assert all(one.entry.reason != two.entry.reason for one, two in neighbours)


def test_a_page_has_fifty_lines_and_says_that_there_are_older_entries() -> None:
    told = timeline([entry(0, f"at {n // 2} %") for n in range(120)])
    assert (len(told.lines), told.has_older) == (50, True)
    assert not timeline([entry(0, f"at {n // 2} %") for n in range(100)]).has_older
    assert timeline([entry(0, "planned")], has_older=True).has_older
