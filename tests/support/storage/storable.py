"""What the tables of Azure can hold, for worlds that keep their rows in memory."""

from typing import Any

from replication.azure.storage.dead_letters import letter_row
from replication.azure.storage.history import entry_row
from replication.azure.storage.job_store import job_row
from replication.ports import DeadLetter
from replication.records.job_codec import decode_job
from tests.support.fakes import World

MAX_ROW_BYTES = 1024 * 1024
MAX_COLUMN_UNITS = 32 * 1024


def assert_storable(world: World) -> None:
    """Check every row that the world's app wrote, as the table service would."""
    for document, _ in world.store.rows.values():
        assert_row(job_row(decode_job(document)))
    for key, entries in world.history.entries.items():
        for entry in entries.values():
            assert_row(entry_row(key, entry))
    for letter in world.letters.letters.values():
        assert_row(letter_row(letter))


def assert_row(row: dict[str, Any]) -> None:
    texts = [value for value in row.values() if isinstance(value, str)]
    units = [len(text.encode("utf-16-le")) for text in texts]  # a lone surrogate raises
    assert max(units) <= 2 * MAX_COLUMN_UNITS
    assert sum(units) + 200 * len(row) <= MAX_ROW_BYTES
    numbers = [value for value in row.values() if isinstance(value, int)]
    assert all(-(2**31) <= number < 2**31 for number in numbers)


def letters_of(world: World) -> list[DeadLetter]:
    return list(world.letters.letters.values())
