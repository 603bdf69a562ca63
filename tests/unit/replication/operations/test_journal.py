"""The journal of operators: nothing is done that was not written down first."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import MalformedError, ReplicationError, TransientError
from replication.domain.job import HistoryEntry
from replication.operations.journal import KEY, Action, ActionKind, ActionRecord, Journal
from tests.support.builders import NOON
from tests.support.clock import FakeClock
from tests.support.fakes import MemoryHistory

PAUSE = Action(
    kind=ActionKind.PAUSE, by="operator 1", about={"queue": "replication-jobs"}, why="an incident"
)


class Killed(BaseException):
    """The process is gone."""


def new_journal() -> tuple[Journal, MemoryHistory, FakeClock]:
    history, clock, ids = MemoryHistory(), FakeClock(), iter(range(10_000))
    journal = Journal(history=history, clock=clock, new_id=lambda: str(next(ids)))
    return journal, history, clock


def only(journal: Journal) -> ActionRecord:
    (record,) = journal.page().records
    return record


def fail(error: BaseException) -> str:
    raise error


def test_an_act_is_on_record_with_who_why_and_what_came_of_it() -> None:
    journal, _, _ = new_journal()
    assert journal.carry_out(PAUSE, lambda: "x", lambda _: (True, "it is paused")) == "x"
    record = only(journal)
    assert (record.at, record.action, record.by) == (FakeClock()(), "pause", "operator 1")
    assert (record.about, record.why) == ({"queue": "replication-jobs"}, "an incident")
    assert (record.done, record.outcome) == (True, "it is paused")


def test_an_act_that_was_refused_is_on_record_as_not_done() -> None:
    journal, _, _ = new_journal()
    journal.carry_out(PAUSE, lambda: None, lambda _: (False, "it is paused already"))
    assert (only(journal).done, only(journal).outcome) == (False, "it is paused already")


def test_what_cannot_be_written_down_is_not_done() -> None:
    journal, history, _ = new_journal()
    history.failures = [TransientError("storage: away")]
    done: list[int] = []
    with pytest.raises(TransientError):
        journal.carry_out(PAUSE, lambda: done.append(1), lambda _: (True, ""))
    assert done == []
    assert journal.page().records == ()


def test_an_act_that_raises_is_on_record_with_the_reason() -> None:
    journal, _, _ = new_journal()
    error = ReplicationError("the letters changed; count again")
    with pytest.raises(ReplicationError, match="count again"):
        journal.carry_out(PAUSE, lambda: fail(error), lambda _: (True, ""))
    assert (only(journal).done, only(journal).outcome) == (False, str(error))


def test_an_act_during_which_the_process_died_is_on_record_with_an_unknown_end() -> None:
    journal, _, _ = new_journal()
    with pytest.raises(Killed):
        journal.carry_out(PAUSE, lambda: fail(Killed()), lambda _: (True, ""))
    assert (only(journal).by, only(journal).done) == ("operator 1", None)


def test_an_end_that_cannot_be_written_down_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal, history, _ = new_journal()

    def act() -> str:
        history.failures = [TransientError("storage: away")]
        return "done"

    assert journal.carry_out(PAUSE, act, lambda _: (True, "it is paused")) == "done"
    assert only(journal).done is None
    assert "action.outcome_unrecorded" in caplog.text


@given(number=st.integers(0, 30), limit=st.integers(1, 12))
def test_the_pages_show_every_act_once_the_newest_first(number: int, limit: int) -> None:
    journal, _, clock = new_journal()
    for one in range(number):
        # Some within the same moment.
        clock.advance(one % 3)
        journal.carry_out(PAUSE, partial(str, one), lambda told: (True, told))
    found: list[ActionRecord] = []
    cursor, pages = None, 0
    while True:
        page = journal.page(cursor=cursor, limit=limit)
        assert len(page.records) <= limit
        found += page.records
        cursor, pages = page.next_cursor, pages + 1
        if cursor is None:
            break
    assert sorted(int(one.outcome) for one in found) == list(range(number))
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert pages == max(1, -(-number // limit))


@pytest.mark.parametrize("cursor", ["", "x", "1-1", "9" * 27, f"{1:020d}-{1:06d} "])
def test_a_cursor_of_anothers_making_is_refused(cursor: str) -> None:
    journal, _, _ = new_journal()
    with pytest.raises(MalformedError, match="the cursor is not one"):
        journal.page(cursor=cursor)


def test_an_entry_that_cannot_be_read_hides_no_other() -> None:
    journal, history, _ = new_journal()
    journal.carry_out(PAUSE, lambda: None, lambda _: (True, "it is paused"))
    broken = HistoryEntry(
        id=f"{1:020d}-{1:06d}", at=NOON, event="unreadable", reason="it cannot be read"
    )
    history.append(KEY, [broken])
    paused, shown = journal.page().records
    assert paused.done
    assert (shown.action, shown.by, shown.done) == ("unreadable", "", None)
