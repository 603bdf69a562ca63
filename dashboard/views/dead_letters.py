"""Dead letters: their causes in groups, a list with a filter, and one whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from api.parameters import (
    LETTER_FILTERS,
    letter_params,
    read_letter_fields,
    read_letter_list,
    refuse_unknown,
)
from api.schemas.dead_letters import Letter, LetterDetail, LetterList
from api.schemas.replications import advice as advice_on
from bootstrap.app import App
from dashboard.views.common import clipped
from dashboard.views.timeline import Timeline, timeline
from replication.ports import LetterQuery, LetterState

_MOST_RAW = 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseGroup:
    """The open letters of one failure code.

    `oldest` is None where the last of them went while the page was read.
    """

    code: str
    count: int
    oldest: datetime | None
    regions: tuple[str, ...]
    advice: str | None
    transient: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterList:
    """All open letters in groups, and one page of those that the filter means.

    `filters` are the fields that the API takes for an act on all of them.
    """

    at: datetime
    groups: tuple[CauseGroup, ...]
    filters: Mapping[str, str]
    items: tuple[Letter, ...]
    first_page: bool
    next: str | None

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an address that asks for the same."""
        return letter_params(self.filters)


def read_filters(params: Mapping[str, str]) -> tuple[dict[str, str], LetterQuery]:
    """Read the parameters of the list; raises MalformedError that names the wrong one."""
    refuse_unknown(params, (*LETTER_FILTERS.values(), "cursor"))
    asked = {name: text.strip() for name, text in params.items()}
    return read_letter_fields(asked), read_letter_list(asked)


def dead_letters(
    app: App, asked: Mapping[str, str], query: LetterQuery, now: datetime
) -> DeadLetterList:
    """Read the list; raises MalformedError for a cursor of another's making."""
    page = app.dead_letters.find(query)
    items = LetterList.of(page).items
    return DeadLetterList(
        at=now,
        groups=tuple(_groups(app)),
        filters=asked,
        items=tuple(one.model_copy(update={"cause": clipped(one.cause)}) for one in items),
        first_page=query.cursor is None,
        next=page.next_cursor,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterPage:
    """One letter in the shape of the API; `left_off` characters of its message are not shown."""

    at: datetime
    shown: LetterDetail
    timeline: Timeline
    raw: str
    left_off: int

    @property
    def is_open(self) -> bool:
        """Whether it still needs someone."""
        return self.shown.state == LetterState.OPEN.value

    def as_json(self) -> LetterDetail:
        """Return it in the shape of the API."""
        return self.shown


def dead_letter(app: App, letter_id: str, now: datetime) -> DeadLetterPage:
    """Read one letter; raises UnknownLetterError."""
    shown = LetterDetail.whole(app.dead_letters.get(letter_id))
    raw = shown.raw
    return DeadLetterPage(
        at=now,
        shown=shown,
        timeline=timeline(shown.timeline),
        raw=raw[:_MOST_RAW],
        left_off=max(0, len(raw) - _MOST_RAW),
    )


def _groups(app: App) -> Iterator[CauseGroup]:
    causes = app.dead_letters.causes()
    for cause in sorted(causes, key=lambda known: (-known.letters, known.code)):
        advice = advice_on(cause.code)
        yield CauseGroup(
            code=cause.code,
            count=cause.letters,
            oldest=app.dead_letters.oldest(cause.code),
            regions=tuple(cause.regions),
            advice=advice["advice"],
            transient=advice["transient"],
        )
