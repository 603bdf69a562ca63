"""Service: what the commands need of the app, reached through its storage or over its API.

Both ways answer in the shapes of the API, and raise the same errors for the same reasons.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cli.terminal.errors import CommandError, ExitCode
from replication.domain.image_version import ImageVersionId
from replication.listing.query import ListQuery
from replication.ports import LetterAction, LetterQuery, QueueName

if TYPE_CHECKING:
    from api.schemas.dead_letters import LetterActed, LetterDetail, LetterList, Selection
    from api.schemas.operations import ActionPage, QueueChange, QueueList
    from api.schemas.replications import Plan, ReplicationDetail, ReplicationPage, Taken
    from replication.sweeping.report import SweepReport


class RefusedError(CommandError):
    """It cannot be done as things stand; the text says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.FAILED)


class UnavailableError(CommandError):
    """No answer, or none of use; it may be better a little later."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=ExitCode.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an act: `done` or not, and why; `stands` where it was so before."""

    done: bool
    reason: str
    stands: bool = False


class Replications(Protocol):
    """What is on record about image versions, and what can be done about them."""

    def page(self, query: ListQuery) -> "ReplicationPage":
        """Return one page.

        It may hold fewer items than asked for, and none, although others follow.
        """
        ...

    def one(self, key: str) -> "ReplicationDetail | None":
        """Return one replication with its timeline, None when there is none."""
        ...

    def plan(self, version_id: ImageVersionId) -> "Plan | None":
        """Plan an image version, None when it does not exist."""
        ...

    def replicate(self, version_id: ImageVersionId) -> "Taken":
        """Replicate now; raises NotFoundError, and NotAllowedError for one out of scope."""
        ...

    def cancel(self, key: str, *, remove: bool) -> Outcome | None:
        """Stop following a replication, None when there is none."""
        ...

    def release(self, key: str) -> Outcome | None:
        """Let a held plan go, None when there is no replication of this key."""
        ...

    def sweep(self, *, dry_run: bool) -> "SweepReport":
        """Compare every image version in scope with its plan."""
        ...


class Queues(Protocol):
    """The work queues."""

    def all(self) -> "QueueList":
        """Return every queue, and who paused it."""
        ...

    def pause(self, queue: QueueName, *, reason: str) -> "QueueChange":
        """Pause a queue; to do it twice is no mistake."""
        ...

    def resume(self, queue: QueueName) -> "QueueChange":
        """Resume a queue; to do it twice is no mistake."""
        ...


class Letters(Protocol):
    """The dead-letter desk."""

    def page(self, query: LetterQuery) -> "LetterList":
        """Return one page in the order of the ids."""
        ...

    def one(self, letter_id: str) -> "LetterDetail":
        """Return a letter whole; raises NotFoundError."""
        ...

    def act(self, letter_id: str, action: "LetterAction") -> "LetterActed":
        """Act on one letter; raises NotFoundError."""
        ...

    def select(self, query: LetterQuery, action: "LetterAction") -> "Selection":
        """Count what a filter means; the token acts on exactly these."""
        ...

    def act_on_selection(
        self, query: LetterQuery, action: "LetterAction", token: str
    ) -> "list[LetterActed]":
        """Act on exactly the letters counted.

        Raises UsageProblem for a token that no count gave out.
        """
        ...


class Actions(Protocol):
    """What operators did."""

    def page(self, *, cursor: str | None, limit: int) -> "ActionPage":
        """Return one page, the newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The app, however it is reached."""

    replications: Replications
    queues: Queues
    letters: Letters
    actions: Actions
    now: Callable[[], datetime]
