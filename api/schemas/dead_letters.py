"""Dead letters: the list, one whole, what a filter means, and what came of an act."""

from collections.abc import Iterable
from typing import Any, Self

from api.schemas.base import Answer, Moment, Text
from api.schemas.replications import TimelineEntry, advice
from replication.domain.formatting import stamp
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.operations import dead_letters
from replication.operations.dead_letters import LetterOutcome
from replication.ports import DeadLetter, LetterAction, LetterPage, ListedLetter


class Letter(Answer):
    """A dead letter as lists show it."""

    id: Text
    at: Moment
    source: Text
    code: Text
    cause: Text
    attempts: int
    correlation_id: Text | None
    image_version_id: Text | None
    key: Text | None
    regions: list[Text]
    state: Text
    state_at: Moment | None
    state_reason: Text | None
    advice: Text | None
    transient: bool | None
    runbook: Text | None

    @classmethod
    def of(cls, letter: ListedLetter, **more: Any) -> Self:
        """Return a letter in the shape of the API."""
        return cls(
            id=letter.id,
            at=stamp(letter.at),
            source=letter.source,
            code=letter.code,
            cause=letter.cause,
            attempts=letter.attempts,
            correlation_id=letter.correlation_id,
            image_version_id=letter.image_version_id,
            key=_key(letter.image_version_id),
            regions=list(letter.regions),
            state=letter.state.value,
            state_at=stamp(letter.state_at),
            state_reason=letter.state_reason,
            **advice(letter.code),
            **more,
        )


class LetterDetail(Letter):
    """A dead letter whole: with its timeline and the raw message."""

    timeline: list[TimelineEntry]
    raw: Text

    @classmethod
    def whole(cls, letter: DeadLetter) -> Self:
        """Return a letter in the shape of the API."""
        timeline = [TimelineEntry.of(entry) for entry in letter.timeline]
        return cls.of(letter, timeline=timeline, raw=letter.raw)


class LetterList(Answer):
    """One page of dead letters; `next` is the cursor of the page after, null on the last."""

    items: list[Letter]
    next: Text | None

    @classmethod
    def of(cls, page: LetterPage) -> Self:
        """Return a page in the shape of the API."""
        return cls(items=[Letter.of(letter) for letter in page.letters], next=page.next_cursor)


class LetterActed(Answer):
    """What came of an act on one dead letter."""

    id: Text
    done: bool
    reason: Text

    @classmethod
    def of(cls, outcome: LetterOutcome) -> Self:
        """Return what came of it."""
        return cls(id=outcome.letter_id, done=outcome.done, reason=outcome.reason)


class Selection(Answer):
    """What a filter means: how many, of which codes, and the token that acts on exactly these."""

    action: Text
    dry_run: bool
    count: int
    by_code: dict[Text, int]
    token: Text

    @classmethod
    def of(cls, counted: dead_letters.Selection) -> Self:
        """Return what was counted."""
        return cls(
            action=counted.action.value,
            dry_run=True,
            count=counted.count,
            by_code=counted.by_code,
            token=counted.token,
        )


class SelectionActed(Answer):
    """What came of an act on the dead letters that were counted."""

    action: Text
    dry_run: bool
    count: int
    done: int
    not_done: int
    items: list[LetterActed]

    @classmethod
    def of(cls, action: LetterAction, outcomes: Iterable[LetterOutcome]) -> Self:
        """Return what came of each."""
        items = [LetterActed.of(outcome) for outcome in outcomes]
        done = sum(item.done for item in items)
        return cls(
            action=action.value,
            dry_run=False,
            count=len(items),
            done=done,
            not_done=len(items) - done,
            items=items,
        )


def _key(image_version_id: str | None) -> str | None:
    if image_version_id is None:
        return None
    try:
        return ImageVersionId.parse(image_version_id).key
    except MalformedImageVersionIdError:
        return None
