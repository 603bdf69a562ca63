"""The contract of DeadLetters: kept whole, found again, laid twice and still one."""

from dataclasses import replace

from replication.desk import MAX_RAW
from replication.ports import DeadLetter, DeadLetters
from tests.builders import NOON, version_id


def letter(letter_id: str = "a1") -> DeadLetter:
    return DeadLetter(
        id=letter_id,
        at=NOON.replace(microsecond=123456),
        source="replication-jobs",
        code="poison_message",
        cause="it's said: größe \U0001f300",
        attempts=5,
        correlation_id="corr-1",
        image_version_id=str(version_id()),
        raw='{"v": 1, "job": "o\'clock"}',
    )


def test_there_are_no_letters_at_first(letters: DeadLetters) -> None:
    assert letters.find() == ()


def test_a_letter_that_is_not_there_is_none(letters: DeadLetters) -> None:
    assert letters.get("nobody's") is None


def test_a_letter_comes_back_as_it_was_laid(letters: DeadLetters) -> None:
    letters.put(letter())
    assert letters.get("a1") == letter()


def test_a_letter_without_a_version_comes_back_so(letters: DeadLetters) -> None:
    letters.put(replace(letter(), image_version_id=None, raw="", cause="", correlation_id=""))
    kept = letters.get("a1")
    assert kept is not None
    assert (kept.image_version_id, kept.raw, kept.cause, kept.correlation_id) == (None, "", "", "")


def test_the_largest_letter_comes_back_whole(letters: DeadLetters) -> None:
    large = replace(letter(), raw="x" * MAX_RAW)
    letters.put(large)
    assert letters.get("a1") == large


def test_a_raw_message_outside_the_first_plane_comes_back_whole(letters: DeadLetters) -> None:
    # A character takes two UTF-16 units here, of which a column holds 32 Ki.
    wide = replace(letter(), raw="\U0001f300" * 40_000)
    letters.put(wide)
    assert letters.get("a1") == wide


def test_a_letter_laid_again_replaces_the_first(letters: DeadLetters) -> None:
    letters.put(replace(letter(), raw="x" * 50_000))
    letters.put(replace(letter(), attempts=6))
    assert letters.find() == (replace(letter(), attempts=6),)


def test_letters_are_found_in_the_order_of_their_ids_up_to_a_limit(letters: DeadLetters) -> None:
    for letter_id in ("c3", "a1", "b2"):
        letters.put(letter(letter_id))
    assert [one.id for one in letters.find()] == ["a1", "b2", "c3"]
    assert [one.id for one in letters.find(limit=2)] == ["a1", "b2"]
