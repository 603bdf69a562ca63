"""The counting rows of dead letters, whoever wrote them."""

from replication.dead_letters.rows import letter_causes
from replication.ports import LetterCause


def test_a_counting_row_without_a_code_counts_nothing_and_hides_no_other() -> None:
    rows: list[dict[str, object]] = [
        {"letters": 3},
        {"code": 7, "letters": 3},
        {"code": "not_found", "letters": 2},
    ]
    assert letter_causes(rows) == (LetterCause(code="not_found", letters=2, regions={}),)
