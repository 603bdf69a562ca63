"""The journal of operators: who asked for what, when, why, and what came of it.

An act is written down before it is tried, so that none is done without a trace, and what came of
it after. One line is one act; it stands among the timelines under a key that no version has.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from replication.domain.errors import MalformedError, ReplicationError
from replication.domain.job import HistoryEntry, entry_id
from replication.ports import History
from replication.telemetry.log import WARNING, log_outcome

KEY = "operators"
_ID = re.compile(r"[0-9]{20}-[0-9]{6}", re.ASCII)


class ActionKind(StrEnum):
    """What an operator can ask for."""

    REPLICATE = "replicate"
    CANCEL = "cancel"
    RELEASE = "release"
    PAUSE = "pause"
    RESUME = "resume"
    REPLAY = "replay"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is asked for, by whom, and what it is about.

    `about` holds what of image_version_id, key, queue, dead_letter_id, code and filter is known;
    `why` is the operator's own reason, or how it is to be done.
    """

    kind: ActionKind
    by: str
    about: dict[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRecord:
    """One act on record; `done` is None where nobody lived to write down what came of it."""

    id: str
    at: datetime
    action: str
    by: str
    about: dict[str, str]
    why: str
    done: bool | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPage:
    """Acts, the newest first; `next_cursor` is None on the last page."""

    records: tuple[ActionRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Writes acts down and reads them back; `new_id` never answers the same twice."""

    history: History
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def carry_out[Result](
        self,
        action: Action,
        act: Callable[[], Result],
        summary: Callable[[Result], tuple[bool, str]],
    ) -> Result:
        """Write an act down, carry it out, and write down what `told` says of it.

        Raises what the storage raises before anything was done, and whatever the act raises.
        """
        entry = self._entry(action)
        self.history.append(KEY, [entry])
        try:
            result = act()
        except ReplicationError as error:
            self._close(entry, done=False, outcome=str(error))
            raise
        done, outcome = summary(result)
        self._close(entry, done=done, outcome=outcome)
        return result

    def page(self, *, cursor: str | None = None, limit: int = 50) -> ActionPage:
        """Return the newest acts, or those before a cursor, and read one row more.

        Raises MalformedError for a cursor of another's making.
        """
        if cursor is not None and not _ID.fullmatch(cursor):
            raise MalformedError("the cursor is not one that this list gave out")
        entries = self.history.read(KEY, limit=limit + 1, before=cursor)
        records = tuple(_record(one) for one in reversed(entries))[:limit]
        more = len(entries) > limit
        return ActionPage(records=records, next_cursor=records[-1].id if more else None)

    def _entry(self, action: Action) -> HistoryEntry:
        now = self.clock()
        unique = int(hashlib.sha256(self.new_id().encode()).hexdigest()[:8], 16) % 1_000_000
        return HistoryEntry(
            id=entry_id(now, unique),
            at=now,
            event=action.kind.value,
            reason="",
            details={**action.about, "by": action.by, "why": action.why, "done": None},
        )

    def _close(self, entry: HistoryEntry, *, done: bool, outcome: str) -> None:
        closed = replace(entry, reason=outcome, details={**entry.details, "done": done})
        try:
            self.history.append(KEY, [closed])
        except ReplicationError as error:
            # What was asked for is on record, and what came of it shows where it was done.
            log_outcome(
                "action.outcome_unrecorded",
                level=WARNING,
                action=entry.event,
                id=entry.id,
                done=done,
                reason=str(error),
            )


def _record(entry: HistoryEntry) -> ActionRecord:
    texts = {name: value for name, value in entry.details.items() if isinstance(value, str)}
    done = entry.details.get("done")
    return ActionRecord(
        id=entry.id,
        at=entry.at,
        action=entry.event,
        by=texts.pop("by", ""),
        why=texts.pop("why", ""),
        about=texts,
        done=done if isinstance(done, bool) else None,
        outcome=entry.reason,
    )
