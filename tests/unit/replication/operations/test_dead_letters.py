"""Which letters a query means, and acting on exactly those that were counted."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.app import build_app
from replication.dead_letters.filter import gallery_of_letter, matches
from replication.domain.errors import MalformedError, TransientError
from replication.domain.policy import ReplicationPolicy
from replication.operations.dead_letters import (
    DeadLetterService,
    SelectionChangedError,
    UnknownLetterError,
)
from replication.ports import (
    DeadLetter,
    LetterAction,
    LetterPage,
    LetterQuery,
    LetterState,
    StoredLetter,
)
from tests.support.builders import NOON, version_id
from tests.support.fakes import World, build_world
from tests.support.letters import MemoryDeadLetters
from tests.support.strategies import MOMENTS, TEXTS

LETTERS = st.builds(
    DeadLetter,
    id=st.just("0" * 32),
    at=MOMENTS,
    source=st.sampled_from(["job", "event", "replication-jobs"]),
    code=st.sampled_from(["locked", "copy_failed"]),
    cause=TEXTS,
    attempts=st.just(1),
    correlation_id=TEXTS,
    image_version_id=st.none() | TEXTS | st.just(str(version_id())),
    raw=TEXTS,
    regions=st.lists(st.sampled_from(["westus2", "westus3"]), max_size=2).map(tuple),
    state=st.sampled_from(LetterState),
)
QUERIES = st.builds(
    LetterQuery,
    state=st.none() | st.sampled_from(LetterState),
    code=st.none() | st.sampled_from(["locked", "copy_failed"]),
    source=st.none() | st.sampled_from(["job", "event"]),
    gallery=st.none() | st.sampled_from(["labgallery", "LABGALLERY", "other"]),
    region=st.none() | st.sampled_from(["westus2", "westus3"]),
    image_version_id=st.none() | st.just(str(version_id()).upper()),
    laid_by=st.none() | MOMENTS,
)
PARTS = ("state", "code", "source", "gallery", "region", "image_version_id", "laid_by")
ANY = LetterQuery(state=None)


@given(letter=LETTERS)
def test_a_query_without_parts_means_every_letter(letter: DeadLetter) -> None:
    assert matches(letter, ANY)


@given(letter=LETTERS, query=QUERIES)
def test_a_letter_is_meant_when_every_part_means_it(letter: DeadLetter, query: LetterQuery) -> None:
    alone = [matches(letter, replace(ANY, **{part: getattr(query, part)})) for part in PARTS]
    assert matches(letter, query) == all(alone)


@pytest.mark.parametrize(
    ("named", "gallery"),
    [(None, ""), ("not an id", ""), (str(version_id(gallery="LabGallery")), "labgallery")],
)
def test_a_letter_names_its_gallery_where_it_names_a_version(
    named: str | None, gallery: str
) -> None:
    assert gallery_of_letter(letter_of(1, image_version_id=named)) == gallery


def letter_of(number: int, **changes: Any) -> DeadLetter:
    plain = DeadLetter(
        id=f"{number:032x}",
        at=NOON,
        source="job",
        code="locked",
        cause="a lock",
        attempts=1,
        correlation_id="corr-1",
        image_version_id=str(version_id(version=f"1.0.{number}")),
        raw="",
    )
    return replace(plain, **changes)


@dataclass
class Interrupted(MemoryDeadLetters):
    """Lets something happen right before a change is written."""

    before_change: list[Callable[[], None]] = field(default_factory=list)

    def replace(self, stored: StoredLetter, letter: DeadLetter) -> None:
        self._interrupt()
        super().replace(stored, letter)

    def discard(self, stored: StoredLetter) -> None:
        self._interrupt()
        super().discard(stored)

    def _interrupt(self) -> None:
        if self.before_change:
            self.before_change.pop(0)()


def a_desk(count: int, letters: MemoryDeadLetters | None = None) -> World:
    world = build_world()
    if letters is not None:
        ports = replace(world.app.ports, letters=letters)
        app = build_app(world.app.settings, ReplicationPolicy(), ports)
        world = replace(world, app=app, letters=letters)
    world.clock.now = NOON
    for number in range(count):
        code = "copy_failed" if number % 3 == 0 else "locked"
        world.letters.put(letter_of(number, code=code))
    return world


def service(world: World) -> DeadLetterService:
    return world.app.dead_letters


def test_counting_says_how_many_of_what_and_does_nothing() -> None:
    world = a_desk(4)
    selection = service(world).select(LetterQuery(), LetterAction.DISCARD)
    assert (selection.count, selection.by_code) == (4, {"copy_failed": 2, "locked": 2})
    assert len(world.letters.letters) == 4


@pytest.mark.parametrize("count", [0, 1, 199, 200, 201, 405])
def test_exactly_the_counted_ones_are_acted_upon_however_many_pages(count: int) -> None:
    world = a_desk(count)
    query = LetterQuery(code="locked")
    selection = service(world).select(query, LetterAction.DISCARD)
    done = service(world).act_on_selection(query, LetterAction.DISCARD, selection.token, by="me")
    assert selection.count == len(done) == count - (count + 2) // 3
    assert all(one.done and one.reason == "discarded by me" for one in done)
    assert {one.code for one in world.letters.letters.values()} <= {"copy_failed"}
    assert len(world.letters.letters) == (count + 2) // 3


def test_a_letter_laid_after_the_counting_is_not_touched() -> None:
    world = a_desk(2)
    selection = service(world).select(LetterQuery(), LetterAction.DISCARD)
    world.clock.advance(0.001)
    late = letter_of(7, at=world.clock())
    world.letters.put(late)
    done = service(world).act_on_selection(
        LetterQuery(), LetterAction.DISCARD, selection.token, by="me"
    )
    assert len(done) == 2
    assert list(world.letters.letters.values()) == [late]


def discard_one(world: World) -> None:
    service(world).act(letter_of(1).id, LetterAction.DISCARD, by="someone")


def lay_one_anew(world: World) -> None:
    world.letters.put(letter_of(1, at=world.clock() + timedelta(seconds=1)))


def mark_one(world: World) -> None:
    world.app.desk.resolve(letter_of(1).id, reason="it ended well")


def lay_one_by_a_clock_that_is_behind(world: World) -> None:
    world.letters.put(letter_of(9, at=NOON - timedelta(seconds=1)))


@pytest.mark.parametrize("state", [LetterState.OPEN, None], ids=["open", "all"])
@pytest.mark.parametrize(
    "happens",
    [
        discard_one,
        lay_one_anew,
        mark_one,
        lay_one_by_a_clock_that_is_behind,
    ],
)
def test_nothing_is_done_when_the_counted_ones_are_not_the_same_any_more(
    happens: Callable[[World], None], state: LetterState | None
) -> None:
    world = a_desk(3)
    query = LetterQuery(state=state)
    selection = service(world).select(query, LetterAction.DISCARD)
    happens(world)
    before = dict(world.letters.letters)
    with pytest.raises(SelectionChangedError, match="count again"):
        service(world).act_on_selection(query, LetterAction.DISCARD, selection.token, by="me")
    assert world.letters.letters == before


def test_a_token_is_good_for_its_act_its_filter_and_one_time() -> None:
    world = a_desk(3)
    desk, query = service(world), LetterQuery()
    token = desk.select(query, LetterAction.DISCARD).token
    with pytest.raises(SelectionChangedError):
        desk.act_on_selection(query, LetterAction.REPLAY, token, by="me")
    with pytest.raises(SelectionChangedError):
        desk.act_on_selection(LetterQuery(code="locked"), LetterAction.DISCARD, token, by="me")
    assert len(desk.act_on_selection(query, LetterAction.DISCARD, token, by="me")) == 3
    with pytest.raises(SelectionChangedError):
        desk.act_on_selection(query, LetterAction.DISCARD, token, by="me")


@given(
    st.text(max_size=40)
    | st.from_regex(r"[0-9]{1,40}-[0-9]{1,4}-[0-9a-f]{16}", fullmatch=True)
    | st.sampled_from(["9" * 5000 + "-1-a", "²-1-a", "--", "-1-1-a"])
)
def test_a_token_that_nobody_gave_out_is_refused(token: str) -> None:
    with pytest.raises((MalformedError, SelectionChangedError)):
        service(a_desk(1)).act_on_selection(LetterQuery(), LetterAction.DISCARD, token, by="me")


@pytest.mark.parametrize("action", LetterAction)
def test_an_act_on_a_letter_that_is_not_there_says_so(action: LetterAction) -> None:
    with pytest.raises(UnknownLetterError, match="nobodys"):
        service(a_desk(1)).act("nobodys", action, by="me")
    with pytest.raises(UnknownLetterError):
        service(a_desk(1)).get("nobodys")


def test_a_letter_laid_anew_at_the_last_moment_is_not_discarded() -> None:
    letters = Interrupted()
    world = a_desk(1, letters)
    anew = letter_of(0, cause="it failed once more")
    letters.before_change.append(lambda: letters.put(anew))
    outcome = service(world).act(anew.id, LetterAction.DISCARD, by="me")
    assert (outcome.done, outcome.reason) == (
        False,
        "it was laid anew meanwhile; look at it again",
    )
    assert letters.letters == {anew.id: anew}


def test_one_letter_that_cannot_be_discarded_does_not_stop_the_others() -> None:
    letters = Interrupted()
    world = a_desk(3, letters)

    def fail() -> None:
        raise TransientError("the table is away")

    letters.before_change.append(fail)
    query = LetterQuery()
    token = service(world).select(query, LetterAction.DISCARD).token
    done = service(world).act_on_selection(query, LetterAction.DISCARD, token, by="me")
    assert [(one.done, one.reason) for one in done] == [
        (False, "the table is away"),
        (True, "discarded by me"),
        (True, "discarded by me"),
    ]
    assert list(letters.letters) == [letter_of(0).id]


def test_what_an_operator_sees_is_what_is_on_the_desk() -> None:
    world = a_desk(2)
    assert service(world).get(letter_of(1).id) == letter_of(1)
    page: LetterPage = service(world).find(LetterQuery(limit=1))
    assert [one.id for one in page.letters] == [letter_of(0).id]
