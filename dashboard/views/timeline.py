"""Timeline as a page shows it: looks that told the same, one after the other, are one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from api.schemas.replications import TimelineEntry

# The rest is in the API.
_MOST_LINES = 50
# So many entries are read for a page: with looks at most an hour apart they tell of a day or more.
ENTRIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`times` entries in a row that said the same, of which the shape of the API has the last.

    `id` is the first one's, so that it stays when another joins them.
    """

    id: str
    entry: TimelineEntry
    first_at: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The newest first; `has_older` tells that others are not shown."""

    lines: tuple[Line, ...]
    has_older: bool


def timeline(history: Sequence[TimelineEntry], *, has_older: bool = False) -> Timeline:
    """Return what a page shows of entries in the shape of the API, oldest first.

    `has_older` tells that there are others before these.

    A copy that is stuck for a day is looked at hundreds of times with the same answer, which
    would push what happened before off the page.
    """
    lines = [_line(list(run)) for _, run in groupby(history, key=_said)]
    shown = lines[-_MOST_LINES:]
    return Timeline(lines=tuple(reversed(shown)), has_older=has_older or len(lines) > len(shown))


def _said(entry: TimelineEntry) -> tuple[Any, ...]:
    return entry.event, entry.reason, entry.details


def _line(run: list[TimelineEntry]) -> Line:
    return Line(id=run[0].id, entry=run[-1], first_at=run[0].at, times=len(run))
