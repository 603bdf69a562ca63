"""The app in this process, straight on its storage."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from api.views import action_page_view, letter_detail_view, letter_view
from cli.client.protocol import Acted, Document, Service
from cli.terminal.errors import NotAllowedError, NotFoundError, UsageProblem
from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.image_version import ImageVersionId
from replication.guards.pauses import PauseChange
from replication.listing.query import ListQuery
from replication.operations.dead_letters import LetterAction, UnknownLetterError
from replication.ports import LetterQuery, QueueName

if TYPE_CHECKING:
    from bootstrap.app import App
    from replication.sweep import SweepReport

# Who acts, in records and logs: never a person's or a machine's name.
BY = "the command line"


def local_service(app: "App", who: Callable[[], str | None] = lambda: None) -> Service:
    """Return the service that acts in this process; `who` says who it is to Microsoft Entra."""

    @cache
    def by() -> str:
        found = who()
        return BY if found is None else f"{found} on {BY}"

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

    def page(self, query: ListQuery) -> Document:
        return self.app.queries.replications(query)

    def one(self, key: str) -> Document | None:
        return self.app.queries.replication(key)

    def plan(self, version_id: ImageVersionId) -> Document | None:
        return self.app.queries.plan(version_id)

    def replicate(self, version_id: ImageVersionId) -> Document:
        out_of_scope = self.app.policy.why_out_of_scope(version_id)
        if out_of_scope:
            raise NotAllowedError(out_of_scope)
        taken = self.app.operations.replicate(version_id, by=self.by())
        if taken.action == "not_found":
            raise NotFoundError(f"{version_id}: {taken.reason}")
        return {
            "action": taken.action,
            "reason": taken.reason,
            "image_version_id": str(version_id),
            "key": version_id.key,
        }

    def cancel(self, key: str, *, remove: bool) -> Acted | None:
        found = self.app.operations.cancel(key, remove=remove, by=self.by())
        if found is None:
            return None
        return Acted(done=found.done, reason=found.reason, stands=found.stands)

    def release(self, key: str) -> Acted | None:
        found = self.app.operations.release(key, by=self.by())
        return None if found is None else Acted(done=found.done, reason=found.reason)

    def sweep(self, *, dry_run: bool) -> "SweepReport":
        return self.app.sweep.run(dry_run=dry_run)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queues:
    app: "App"
    by: Callable[[], str]

    def all(self) -> list[Document]:
        return self.app.queries.queue_depths()

    def pause(self, queue: QueueName, *, reason: str) -> Document:
        return _changed(queue, self.app.operations.pause(queue, by=self.by(), reason=reason))

    def resume(self, queue: QueueName) -> Document:
        return _changed(queue, self.app.operations.resume(queue, by=self.by()))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letters:
    app: "App"
    by: Callable[[], str]

    def page(self, query: LetterQuery) -> Document:
        page = self.app.dead_letters.find(query)
        items = [letter_view(one) for one in page.letters]
        return {"items": items, "next": page.next_cursor}

    def one(self, letter_id: str) -> Document:
        try:
            return letter_detail_view(self.app.dead_letters.get(letter_id))
        except UnknownLetterError as error:
            raise NotFoundError(str(error)) from error

    def act(self, letter_id: str, action: LetterAction) -> Acted:
        try:
            outcome = self.app.operations.act(letter_id, action, by=self.by())
        except UnknownLetterError as error:
            raise NotFoundError(str(error)) from error
        return Acted(done=outcome.done, reason=outcome.reason)

    def select(self, query: LetterQuery, action: LetterAction) -> Document:
        counted = self.app.dead_letters.select(query, action)
        return {"count": counted.count, "by_code": counted.by_code, "token": counted.token}

    def act_on_selection(
        self, query: LetterQuery, action: LetterAction, token: str
    ) -> list[Document]:
        try:
            outcomes = self.app.operations.act_on_selection(query, action, token, by=self.by())
        except NewerFormatError:
            raise
        except MalformedError as error:
            raise UsageProblem(str(error)) from error
        return [{"id": one.letter_id, "done": one.done, "reason": one.reason} for one in outcomes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Actions:
    app: "App"

    def page(self, *, cursor: str | None, limit: int) -> Document:
        return action_page_view(self.app.operations.journal.page(cursor=cursor, limit=limit))


def _changed(queue: QueueName, change: PauseChange) -> Document:
    return {
        "name": queue.value,
        "paused": change.pause is not None,
        "done": change.done,
        "reason": change.reason,
    }
