"""Which causes are told of, and when."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.notices.rules import (
    Cause,
    Notice,
    NoticeBook,
    NoticeRules,
    Seen,
    digest_id,
    is_busy,
    next_notices,
)
from tests.support.builders import NOON
from tests.support.scenarios.causes import RULES, cause


def seen(*causes: Cause, unsure: Iterable[str] = ()) -> Seen:
    return Seen(causes=causes, unsure=tuple(unsure))


@dataclass
class Receiver:
    """One receiver's book, and all that it was told and when."""

    rules: NoticeRules = RULES
    book: NoticeBook = field(default_factory=lambda: NoticeBook(channel="webhook"))
    heard: list[tuple[float, Notice]] = field(default_factory=list)
    later: int = 0

    def look(self, at_min: float, *causes: Cause, unsure: str = "", works: bool = True) -> None:
        known = seen(*causes, unsure=[unsure] if unsure else [])
        now = NOON + timedelta(minutes=at_min)
        upcoming = next_notices(self.book, known, now=now, rules=self.rules)
        self.later = upcoming.later
        if works:
            self.heard += [(at_min, one) for one in upcoming.notices]
        self.book = upcoming.delivered if works else upcoming.undelivered

    @property
    def story(self) -> list[tuple[float, str]]:
        return [(at_min, notice.change.value) for at_min, notice in self.heard]


def test_a_cause_is_told_once_however_often_it_is_seen() -> None:
    receiver = Receiver()
    for at_min in range(0, 350, 5):
        receiver.look(at_min, cause(jobs=3))
    assert receiver.story == [(0, "new")]


def test_a_cause_that_lasts_is_told_again_after_the_time_that_is_set() -> None:
    receiver = Receiver()
    for at_min in range(0, 800, 5):
        receiver.look(at_min, cause())
    assert receiver.story == [(0, "new"), (360, "reminder"), (720, "reminder")]


@pytest.mark.parametrize(("jobs", "told"), [(29, False), (30, True)])
def test_a_cause_is_told_again_when_it_has_grown_tenfold(jobs: int, told: bool) -> None:  # noqa: FBT001 - a column of the table
    receiver = Receiver()
    receiver.look(0, cause(jobs=3))
    receiver.look(10, cause(jobs=jobs))
    assert receiver.story[1:] == ([(10, "grown")] if told else [])


def test_growth_is_told_when_the_quiet_time_is_over() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    receiver.look(9, cause(jobs=50))
    receiver.look(10, cause(jobs=50))
    assert receiver.story == [(0, "new"), (10, "grown")]


def test_a_cause_that_is_gone_is_told_resolved_after_the_settling_time() -> None:
    receiver = Receiver()
    receiver.look(0, cause(jobs=7))
    receiver.look(45, cause(jobs=7))
    for at_min in (50, 79, 80, 85, 200):
        receiver.look(at_min)
    assert receiver.story == [(0, "new"), (80, "resolved")]
    _, over = receiver.heard[-1]
    assert (over.cause.code, over.cause.jobs, over.lasted_s) == ("locked", 7, 50 * 60)


def test_a_cause_that_is_back_before_it_settled_was_never_away() -> None:
    receiver = Receiver()
    for at_min in range(0, 200, 5):
        receiver.look(at_min, *([cause()] if at_min % 20 < 10 else []))
    assert receiver.story == [(0, "new")]


def test_a_cause_that_returns_is_new_and_has_to_stay_away_for_longer() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    for at_min in (5, 35):
        receiver.look(at_min)
    receiver.look(40, cause())
    receiver.look(45, cause())
    for at_min in (50, 80, 109, 110):
        receiver.look(at_min)
    assert receiver.story == [(0, "new"), (35, "resolved"), (45, "new"), (110, "resolved")]
    assert [notice.returns for _, notice in receiver.heard] == [0, 0, 1, 1]


def test_what_was_resolved_is_forgotten_after_a_day() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    for at_min in (5, 35, 35 + 24 * 60 - 1):
        receiver.look(at_min)
        assert len(receiver.book.known) == 1
    receiver.look(35 + 24 * 60)
    assert receiver.book.known == ()


def test_what_could_not_be_read_is_neither_there_nor_gone() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    receiver.look(5)
    receiver.look(40, unsure="letter|")
    receiver.look(45)
    assert receiver.story == [(0, "new")]
    receiver.look(75)
    assert receiver.story == [(0, "new"), (75, "resolved")]


def test_what_could_not_be_delivered_is_news_again_with_the_same_id() -> None:
    receiver = Receiver()
    receiver.look(0, cause(), works=False)
    assert receiver.book.known == ()
    runs = [
        next_notices(
            receiver.book, seen(cause(jobs=n)), now=NOON + timedelta(minutes=n), rules=RULES
        )
        for n in (1, 2)
    ]
    first, second = (digest_id(one.notices) for one in runs)
    assert first == second


def since_min(at_min: float, key: str = "letter|locked") -> Cause:
    """Return a cause of which a look says only that it is there now."""
    return cause(key, since=NOON + timedelta(minutes=at_min))


def tried(receiver: Receiver, at_min: float, *causes: Cause) -> list[str]:
    """Return the ids of what a run would tell, in a run that fails."""
    now = NOON + timedelta(minutes=at_min)
    upcoming = next_notices(receiver.book, seen(*causes), now=now, rules=receiver.rules)
    receiver.book = upcoming.undelivered
    return [one.id for one in upcoming.notices]


def test_news_keeps_its_id_until_it_is_delivered_though_its_beginning_moves() -> None:
    receiver = Receiver()
    ids = {tuple(tried(receiver, at_min, since_min(at_min))) for at_min in range(0, 60, 5)}
    assert len(ids) == 1
    receiver.look(60, since_min(60))
    ((_, notice),) = receiver.heard
    assert ((notice.id,), notice.cause.since) == (ids.pop(), NOON)
    assert receiver.book.waiting == ()


def test_what_is_over_before_it_was_told_begins_anew() -> None:
    receiver = Receiver()
    (first,) = tried(receiver, 0, since_min(0))
    assert tried(receiver, 5) == []
    assert receiver.book.waiting == ()
    (second,) = tried(receiver, 10, since_min(10))
    assert first != second


def test_what_could_not_be_read_keeps_waiting() -> None:
    receiver = Receiver()
    (first,) = tried(receiver, 0, since_min(0))
    receiver.look(5, unsure="letter|", works=False)
    assert tried(receiver, 10, since_min(10)) == [first]


def test_a_cause_that_came_back_keeps_its_id_until_it_is_delivered() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    for at_min in (5, 35):
        receiver.look(at_min)
    (first,) = tried(receiver, 60, since_min(60))
    receiver.look(65, since_min(65))
    assert receiver.heard[-1][1].id == first
    assert receiver.heard[-1][1].cause.since == NOON + timedelta(minutes=60)


def test_what_a_digest_has_no_room_for_keeps_its_id() -> None:
    receiver = Receiver(rules=replace(RULES, max_notices=1))
    large, small = cause("letter|a", jobs=9), since_min(0, "letter|b")
    receiver.look(0, large, small)
    (waiting,) = receiver.book.waiting
    assert (waiting.key, waiting.since) == ("letter|b", NOON)
    receiver.look(5, large, since_min(5, "letter|b"))
    assert [one.cause.since for _, one in receiver.heard[1:]] == [NOON]


def test_what_waits_is_bounded() -> None:
    receiver = Receiver(rules=replace(RULES, max_causes=3))
    tried(receiver, 0, *(since_min(0, f"letter|code{n}") for n in range(9)))
    receiver.look(5, *(since_min(5, f"stuck|code{n}") for n in range(9)), unsure="l", works=False)
    assert len(receiver.book.waiting) == 3


def test_a_resolved_that_could_not_be_delivered_is_told_later() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    receiver.look(5)
    receiver.look(35, works=False)
    receiver.look(40)
    assert receiver.story == [(0, "new"), (40, "resolved")]
    assert receiver.heard[-1][1].lasted_s == 5 * 60


def test_each_piece_of_news_about_a_cause_has_an_id_of_its_own() -> None:
    receiver = Receiver()
    for at_min in range(0, 800, 5):
        receiver.look(at_min, cause())
    for at_min in (800, 840):
        receiver.look(at_min)
    assert len({notice.id for _, notice in receiver.heard}) == len(receiver.heard) == 4


def test_an_unchanged_state_leaves_the_book_as_it_is() -> None:
    receiver = Receiver()
    receiver.look(0, cause())
    before = receiver.book
    receiver.look(5, cause(jobs=2))
    assert receiver.book == before


def test_a_digest_is_bounded_and_the_rest_follows_the_largest_first() -> None:
    receiver = Receiver(rules=replace(RULES, max_notices=2))
    many = [cause(f"letter|code{n}", jobs=n + 1) for n in range(5)]
    receiver.look(0, *many)
    assert receiver.later == 3
    receiver.look(5, *many)
    receiver.look(10, *many)
    assert [(at, one.cause.jobs) for at, one in receiver.heard] == [
        (0, 5),
        (0, 4),
        (5, 3),
        (5, 2),
        (10, 1),
    ]


def test_a_book_is_bounded_and_what_is_over_makes_room() -> None:
    receiver = Receiver(rules=replace(RULES, max_causes=2))
    first, second, third = (cause(f"letter|code{n}") for n in range(3))
    receiver.look(0, first, second, third)
    assert (receiver.later, len(receiver.heard), len(receiver.book.known)) == (1, 2, 2)
    for at_min in (5, 35):
        receiver.look(at_min, second, third)
    receiver.look(40, second, third)
    assert receiver.story[-2:] == [(35, "resolved"), (40, "new")]
    assert {one.key for one in receiver.book.known} == {second.key, third.key}


def test_whoever_sends_is_left_alone_until_the_claim_lapses() -> None:
    book = NoticeBook(channel="teams", busy_by="worker-1", busy_until=NOON)
    assert is_busy(book, now=NOON - timedelta(seconds=1))
    assert not is_busy(book, now=NOON)
    assert not is_busy(NoticeBook(channel="teams"), now=NOON)


KEYS = st.sampled_from(["letter|locked", "region|westus3", "stuck|eastus"])
LOOKS = st.tuples(
    st.integers(min_value=1, max_value=90),
    st.dictionaries(KEYS, st.integers(min_value=0, max_value=500), max_size=3),
    st.sampled_from(["", "", "", "letter|", "region|"]),
    st.booleans() | st.just(True),  # noqa: FBT003 - most receivers work
)


@given(st.lists(LOOKS, max_size=60))
def test_no_cause_is_told_twice_in_the_quiet_time_and_each_is_resolved_once(
    looks: list[tuple[int, dict[str, int], str, bool]],
) -> None:
    receiver, at_min = Receiver(), 0
    for pause_min, there, unsure, works in looks:
        at_min += pause_min
        receiver.look(
            at_min,
            *(
                cause(key, jobs=jobs, since=NOON + timedelta(minutes=at_min))
                for key, jobs in there.items()
            ),
            unsure=unsure,
            works=works,
        )
    for _ in range(20):
        at_min += 60
        receiver.look(at_min)
    for key in {notice.cause.key for _, notice in receiver.heard}:
        mine = [(at, one.change) for at, one in receiver.heard if one.cause.key == key]
        gaps = [after[0] - before[0] for before, after in pairwise(mine)]
        assert all(gap >= RULES.quiet_s / 60 for gap in gaps)
        words = " ".join(
            {"grown": "more", "reminder": "more"}.get(one.value, one.value) for _, one in mine
        )
        # Each story begins with new and ends with exactly one resolved.
        stories = words.replace(" more", "").split()
        assert stories == ["new", "resolved"] * (len(stories) // 2)
    ids = [notice.id for _, notice in receiver.heard]
    assert len(ids) == len(set(ids))


@given(st.lists(LOOKS, max_size=30))
def test_a_cause_that_nobody_knows_of_is_told_in_the_first_run(
    looks: list[tuple[int, dict[str, int], str, bool]],
) -> None:
    receiver, at_min = Receiver(), 0
    for pause_min, there, _, _ in looks:
        at_min += pause_min
        unknown = set(there) - {one.key for one in receiver.book.known}
        receiver.look(at_min, *(cause(key, jobs=jobs) for key, jobs in there.items()))
        told = {one.cause.key for at, one in receiver.heard if at == at_min}
        assert unknown <= told
