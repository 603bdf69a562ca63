from typing import Any

from hypothesis import given

from replication.desk import MAX_RAW, DeadLetterDesk
from replication.errors import FailureCode, TransientError
from replication.job import Failure
from replication.messages import JobMessage
from replication.ports import DeadLetter
from tests.builders import version_id
from tests.contracts.jobs import job
from tests.core.strategies import JSON
from tests.fakes import FakeClock, MemoryDeadLetters


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


def test_a_message_that_can_be_read_says_which_version_it_is_about() -> None:
    body = JobMessage(image_version_id=version_id(), sequence=1, correlation_id="corr-1").encode()
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


def test_a_job_is_one_letter_for_each_cause() -> None:
    letters = MemoryDeadLetters()
    locked = Failure(code=FailureCode.LOCKED, message="a lock")
    for _ in range(2):
        desk(letters).job(job(attempts=3), locked, reason="given up")
    desk(letters).job(job(), Failure(code=FailureCode.COPY_FAILED, message="m"), reason="r")
    assert len(letters.letters) == 2
    letter = next(one for one in letters.letters.values() if one.code == "locked")
    assert (letter.cause, letter.attempts) == ("given up [a lock]", 3)
    assert JobMessage.decode(letter.raw).image_version_id == version_id()
