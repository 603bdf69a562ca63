"""Local app: in this process, straight on its storage."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from api.acts import OutOfScopeError, UnknownVersionError, replicate
from api.schemas.dead_letters import LetterActed, LetterDetail, LetterList, Selection
from api.schemas.operations import ActionPage, QueueChange, QueueList
from api.schemas.replications import Plan, ReplicationDetail, ReplicationPage, Taken
from cli.client.protocol import Outcome, Service
from cli.terminal.errors import NotAllowedError, NotFoundError, UsageProblem
from replication.domain.actions import Actor
from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.image_version import ImageVersionId
from replication.listing.query import ListQuery
from replication.operations.dead_letters import UnknownLetterError
from replication.ports import LetterAction, LetterQuery, QueueName

if TYPE_CHECKING:
    from bootstrap.app import App
    from replication.sweeping.report import SweepReport


def local_service(app: "App", who: Callable[[], str | None] = lambda: None) -> Service:
    """Return the service that acts in this process; `who` says who it is to Microsoft Entra."""

    @cache
    def by() -> str:
        found = who()
        here = Actor.COMMAND_LINE.value
        return here if found is None else f"{found} on {here}"

    return Service(
        replications=_Replications(app=app, by=by),
        queues=_Queues(app=app, by=by),
        letters=_Letters(app=app, by=by),
        actions=_Actions(app=app),
        now=app.ports.clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replications:
    app: "App"
    by: Callable[[], str]

    def page(self, query: ListQuery) -> ReplicationPage:
        return self.app.queries.replications(query)

    def one(self, key: str) -> ReplicationDetail | None:
        return self.app.queries.replication(key)

    def plan(self, version_id: ImageVersionId) -> Plan | None:
        return self.app.planner.plan(version_id)

    def replicate(self, version_id: ImageVersionId) -> Taken:
        try:
            return replicate(self.app.operations, self.app.policy, version_id, by=self.by())
        except OutOfScopeError as error:
            raise NotAllowedError(str(error)) from error
        except UnknownVersionError as error:
            raise NotFoundError(str(error)) from error

    def cancel(self, key: str, *, remove: bool) -> Outcome | None:
        found = self.app.operations.cancel(key, remove=remove, by=self.by())
        if found is None:
            return None
        return Outcome(done=found.done, reason=found.reason, stands=found.stands)

    def release(self, key: str) -> Outcome | None:
        found = self.app.operations.release(key, by=self.by())
        return None if found is None else Outcome(done=found.done, reason=found.reason)

    def sweep(self, *, dry_run: bool) -> "SweepReport":
        return self.app.sweep.run(dry_run=dry_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queues:
    app: "App"
    by: Callable[[], str]

    def all(self) -> QueueList:
        return self.app.queries.queue_depths()

    def pause(self, queue: QueueName, *, reason: str) -> QueueChange:
        return QueueChange.of(queue, self.app.operations.pause(queue, by=self.by(), reason=reason))

    def resume(self, queue: QueueName) -> QueueChange:
        return QueueChange.of(queue, self.app.operations.resume(queue, by=self.by()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letters:
    app: "App"
    by: Callable[[], str]

    def page(self, query: LetterQuery) -> LetterList:
        return LetterList.of(self.app.dead_letters.find(query))

    def one(self, letter_id: str) -> LetterDetail:
        try:
            return LetterDetail.whole(self.app.dead_letters.get(letter_id))
        except UnknownLetterError as error:
            raise NotFoundError(str(error)) from error

    def act(self, letter_id: str, action: LetterAction) -> LetterActed:
        try:
            return LetterActed.of(self.app.operations.act(letter_id, action, by=self.by()))
        except UnknownLetterError as error:
            raise NotFoundError(str(error)) from error

    def select(self, query: LetterQuery, action: LetterAction) -> Selection:
        return Selection.of(self.app.dead_letters.select(query, action))

    def act_on_selection(
        self, query: LetterQuery, action: LetterAction, token: str
    ) -> list[LetterActed]:
        try:
            outcomes = self.app.operations.act_on_selection(query, action, token, by=self.by())
        except NewerFormatError:
            raise
        except MalformedError as error:
            raise UsageProblem(str(error)) from error
        return [LetterActed.of(outcome) for outcome in outcomes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Actions:
    app: "App"

    def page(self, *, cursor: str | None, limit: int) -> ActionPage:
        return ActionPage.of(self.app.operations.journal.page(cursor=cursor, limit=limit))
