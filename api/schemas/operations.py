"""Queues, their pauses, and the journal of what operators did."""

from typing import Self

from api.schemas.base import Answer, Moment, Number, Text
from replication.domain.formatting import stamp
from replication.guards.pauses import PauseChange, QueuePause
from replication.operations import journal
from replication.ports import QueueDepth, QueueName


class Pause(Answer):
    """By whom a queue is paused, since when, and why."""

    since: Moment
    by: Text
    reason: Text


class Queue(Answer):
    """A queue: what waits in it, how much of it is hidden now, and whether it is paused."""

    name: Text
    depth: int
    invisible: Number | None
    oldest_age_s: Number | None
    poison_depth: int
    paused: bool
    pause: Pause | None

    @classmethod
    def of(cls, depth: QueueDepth, pause: QueuePause | None) -> Self:
        """Return a queue in the shape of the API."""
        shown = None
        if pause is not None:
            shown = Pause(since=stamp(pause.since), by=pause.by, reason=pause.reason)
        return cls(
            name=depth.name,
            depth=depth.depth,
            invisible=depth.invisible,
            oldest_age_s=depth.oldest_age_s,
            poison_depth=depth.poison_depth,
            paused=pause is not None,
            pause=shown,
        )


class QueueList(Answer):
    """Every queue."""

    items: list[Queue]


class QueueChange(Answer):
    """What came of a pause or a resumption, and how the queue stands now."""

    name: Text
    paused: bool
    done: bool
    reason: Text

    @classmethod
    def of(cls, queue: QueueName, change: PauseChange) -> Self:
        """Return what came of it."""
        return cls(
            name=queue.value,
            paused=change.pause is not None,
            done=change.done,
            reason=change.reason,
        )


class Action(Answer):
    """What an operator did; `done` is null where nobody lived to write down what came of it."""

    id: Text
    at: Moment
    action: Text
    by: Text
    about: dict[Text, Text | None]
    why: Text
    done: bool | None
    outcome: Text

    @classmethod
    def of(cls, record: journal.ActionRecord) -> Self:
        """Return an act in the shape of the API."""
        return cls(
            id=record.id,
            at=stamp(record.at),
            action=record.action,
            by=record.by,
            about=dict(record.about),
            why=record.why,
            done=record.done,
            outcome=record.outcome,
        )


class ActionPage(Answer):
    """One page of the journal, the newest act first; `next` is null on the last."""

    items: list[Action]
    next: Text | None

    @classmethod
    def of(cls, page: journal.ActionPage) -> Self:
        """Return a page in the shape of the API."""
        return cls(items=[Action.of(record) for record in page.records], next=page.next_cursor)
