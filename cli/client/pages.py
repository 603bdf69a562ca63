"""Pages of a list, put together to as many items as are asked for."""

from collections.abc import Callable
from typing import Protocol

_PAGE = 200


class Page[Item](Protocol):
    """One page of an answer; `next` is the cursor of the page after, None on the last."""

    @property
    def items(self) -> list[Item]:
        """What is on it; there may be none, although others follow."""
        ...

    @property
    def next(self) -> str | None:
        """The cursor of the page after."""
        ...


def collect[Item](
    page: Callable[[str | None, int], Page[Item]], *, limit: int
) -> tuple[list[Item], bool]:
    """Return as many items as asked for, and whether there are more.

    `page` is called with a cursor and with how many are still wanted.
    """
    items: list[Item] = []
    cursor: str | None = None
    while True:
        found = page(cursor, min(_PAGE, limit - len(items) + 1))
        items += found.items
        cursor = found.next
        if cursor is None or len(items) > limit:
            return items[:limit], len(items) > limit
