import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given

from replication.dead_letters.desk import MAX_RAW, DeadLetterDesk
from replication.domain.errors import FailureCode, TransientError
from replication.domain.job import Failure, HistoryEntry, Replica, ReplicaState
from replication.domain.message import JobMessage
from replication.domain.regions import Region
from replication.ports import DeadLetter, LetterState, StoredLetter
from replication.records.message_codec import decode_message, encode_message
from tests.support.builders import NOON, version_id
from tests.support.clock import FakeClock
from tests.support.jobs import job
from tests.support.letters import MemoryDeadLetters
from tests.support.strategies import JSON


def desk(letters: MemoryDeadLetters | None = None) -> DeadLetterDesk:
    return DeadLetterDesk(letters=letters or MemoryDeadLetters(), clock=FakeClock())


@given(raw=JSON)
def test_any_event_can_be_laid_on_the_desk(raw: Any) -> None:
    letter = desk().event(raw, event_id="event-1", cause="because")
    assert (letter.code, letter.cause) == ("malformed_event", "because")
    assert letter.raw.isascii()


def test_an_event_nested_without_end_can_be_laid_on_the_desk() -> None:
    deep: Any = "core"
    for _ in range(3000):
        deep = {"in": [deep]}
    assert "nested deeper" in desk().event(deep, event_id="e", cause="c").raw


def test_an_event_id_that_no_table_would_take_is_cut_and_escaped() -> None:
    letter = desk().event({}, event_id="\ud800" + "x" * 100_000, cause="c")
    assert len(letter.correlation_id) < 2000
    assert letter.correlation_id.startswith("\\ud800xxx")


def test_the_same_event_twice_is_one_letter() -> None:
    letters = MemoryDeadLetters()
    for _ in range(2):
        desk(letters).event({"a": 1}, event_id="e", cause="c")
    desk(letters).event({"a": 2}, event_id="e", cause="c")
    assert len(letters.letters) == 2


def test_a_letter_that_fails_again_after_a_replay_tells_what_was_before() -> None:
    letters, clock = MemoryDeadLetters(), FakeClock()
    began = clock()
    at_work = DeadLetterDesk(letters=letters, clock=clock)
    at_work.event({"a": 1}, event_id="e", cause="no image version")
    (stored,) = (letters.get(one) for one in letters.letters)
    assert stored is not None
    clock.advance(60)
    replayed = replace(
        stored.letter,
        state=LetterState.REPLAYED,
        state_at=clock(),
        state_reason="sent again by Casey",
    )
    letters.replace(stored, replayed)
    clock.advance(60)
    again = at_work.event({"a": 1}, event_id="e", cause="still no image version")
    assert (again.state, again.attempts, again.at) == (LetterState.OPEN, 2, clock())
    assert [(one.at, one.event, one.reason) for one in again.timeline] == [
        (began, "laid", "no image version"),
        (began + timedelta(seconds=60), "replayed", "sent again by Casey"),
    ]


def test_the_rounds_of_a_letter_are_kept_up_to_twenty() -> None:
    letters, clock = MemoryDeadLetters(), FakeClock()
    at_work = DeadLetterDesk(letters=letters, clock=clock)
    letter = at_work.event({"a": 1}, event_id="e", cause="round 0")
    for number in range(1, 30):
        clock.advance(60)
        letter = at_work.event({"a": 1}, event_id="e", cause=f"round {number}")
    assert letter.attempts == 30
    assert [one.reason for one in letter.timeline] == [f"round {one}" for one in range(9, 29)]


def test_a_message_that_can_be_read_says_which_version_it_is_about() -> None:
    body = encode_message(
        JobMessage(image_version_id=version_id(), sequence=1, correlation_id="corr-1")
    )
    letters = MemoryDeadLetters()
    desk(letters).poison(body.encode(), queue="replication-jobs")
    (letter,) = letters.letters.values()
    assert (letter.source, letter.code, letter.attempts) == (
        "replication-jobs",
        "poison_message",
        5,
    )
    assert (letter.image_version_id, letter.correlation_id) == (str(version_id()), "corr-1")
    assert letter.raw == body


def test_a_message_of_bytes_that_are_no_text_is_kept_readable() -> None:
    letters = MemoryDeadLetters()
    desk(letters).poison(b"\xff\xfe\x00x", queue="q")
    (letter,) = letters.letters.values()
    assert (letter.raw, letter.image_version_id) == ("\\xff\\xfe\x00x", None)


def test_what_is_too_long_is_cut_and_says_so() -> None:
    letters = MemoryDeadLetters()
    desk(letters).poison(b"x" * (MAX_RAW + 1), queue="q")
    (letter,) = letters.letters.values()
    assert letter.raw.endswith(f"… [cut here; {MAX_RAW + 1} characters in all]")


def test_a_poison_message_that_cannot_be_kept_is_logged_whole(caplog: Any) -> None:
    class Broken(MemoryDeadLetters):
        def put(self, letter: DeadLetter) -> None:
            raise TransientError(f"no table for {letter.id}")

    desk(Broken()).poison(b"the message", queue="q")
    (record,) = caplog.records
    assert record.levelname == "CRITICAL"
    assert '"raw": "the message"' in record.getMessage()


LOCKED = Failure(code=FailureCode.LOCKED, message="a lock")


def laid(letters: MemoryDeadLetters, failure: Failure = LOCKED) -> DeadLetter:
    return desk(letters).job(job(attempts=3, failure=failure, reason="given up"), ())


def test_a_job_has_one_letter_with_its_newest_cause() -> None:
    letters = MemoryDeadLetters()
    laid(letters)
    newest = laid(letters, Failure(code=FailureCode.COPY_FAILED, message="m"))
    assert list(letters.letters.values()) == [newest]
    assert newest.id == job().own_letter_id
    assert (newest.code, newest.cause, newest.attempts) == ("copy_failed", "given up [m]", 3)


def test_the_letter_of_a_job_holds_all_that_is_needed_to_send_it_again() -> None:
    replicas = tuple(
        Replica(region=Region(name), state=state, reason="", planned_at=NOON)
        for name, state in (
            ("centralus", ReplicaState.COMPLETED),
            ("westus2", ReplicaState.FAILED),
            ("westus3", ReplicaState.PLANNED),
        )
    )
    entries = (HistoryEntry(id="1", at=NOON, event="giveup", reason="because"),)
    letter = desk().job(job(replicas=replicas, failure=LOCKED), entries)
    assert letter.regions == ("westus2", "westus3")
    assert letter.timeline == entries
    assert letter.correlation_id == "corr-1"
    assert decode_message(letter.raw).image_version_id == version_id()


def test_a_message_of_a_newer_release_is_kept_for_it() -> None:
    letters = MemoryDeadLetters()
    desk(letters).poison(b'{"v": 2, "job": {}}', queue="replication-tracking")
    (letter,) = letters.letters.values()
    assert (letter.code, letter.source) == ("newer_format", "replication-tracking")
    assert "replay it once that release runs" in letter.cause


def test_a_resolved_letter_says_why_and_stays_so() -> None:
    letters = MemoryDeadLetters()
    letter = laid(letters)
    desk(letters).resolve(letter.id, reason="succeeded")
    desk(letters).resolve(letter.id, reason="a second time")
    resolved = letters.letters[letter.id]
    assert (resolved.state, resolved.state_reason) == (LetterState.RESOLVED, "succeeded")
    assert resolved.state_at is not None
    assert resolved.raw == letter.raw


def test_only_a_letter_that_lies_open_tells_of_its_job() -> None:
    letters = MemoryDeadLetters()
    failed = job(failure=LOCKED)
    assert not desk(letters).tells_of(failed)
    letter = laid(letters)
    assert desk(letters).tells_of(failed)
    other = Failure(code=FailureCode.COPY_FAILED, message="another failure")
    assert not desk(letters).tells_of(job(failure=other))
    desk(letters).resolve(letter.id, reason="succeeded")
    assert not desk(letters).tells_of(failed)


def test_a_letter_that_failed_once_more_is_open_again() -> None:
    letters = MemoryDeadLetters()
    desk(letters).resolve(laid(letters).id, reason="succeeded")
    assert laid(letters).state is LetterState.OPEN
    assert [one.state for one in letters.letters.values()] == [LetterState.OPEN]


def test_resolving_a_letter_that_was_discarded_does_nothing() -> None:
    letters = MemoryDeadLetters()
    desk(letters).resolve("nobody's", reason="succeeded")
    assert letters.letters == {}


def test_a_letter_laid_anew_while_it_is_resolved_stays_open(caplog: Any) -> None:
    class Crossing(MemoryDeadLetters):
        """Lays the letter anew between the look at it and the mark."""

        def get(self, letter_id: str) -> StoredLetter | None:
            stored = super().get(letter_id)
            if stored is not None:
                self.put(stored.letter)
            return stored

    letters = Crossing()
    with caplog.at_level(logging.INFO):
        desk(letters).resolve(laid(letters).id, reason="succeeded")
    assert [one.state for one in letters.letters.values()] == [LetterState.OPEN]
    assert "dead_letter.changed" in caplog.text
