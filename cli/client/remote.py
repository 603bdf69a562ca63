"""Remote app: elsewhere, over its HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from api.parameters import letter_list_params, list_params
from api.schemas.dead_letters import (
    LetterActed,
    LetterDetail,
    LetterList,
    Selection,
    SelectionActed,
)
from api.schemas.operations import ActionPage, QueueChange, QueueList
from api.schemas.replications import Acted, ReplicationDetail, ReplicationPage, Taken
from cli.client.address import LEAVE_OUT
from cli.client.http import Api
from cli.client.protocol import Outcome, RefusedError, Service
from cli.terminal.errors import NotAllowedError, NotFoundError, UsageProblem
from replication.dead_letters.filter import filter_fields
from replication.domain.image_version import ImageVersionId
from replication.listing.query import ListQuery
from replication.ports import LetterAction, LetterQuery, QueueName
from replication.sweeping.report import SweepReport


def remote_service(api: Api) -> Service:
    """Return the service that calls a deployed app."""
    return Service(
        replications=_Replications(api=api),
        queues=_Queues(api=api),
        letters=_Letters(api=api),
        actions=_Actions(api=api),
        now=lambda: datetime.now(UTC),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replications:
    api: Api

    def page(self, query: ListQuery) -> ReplicationPage:
        return self.api.get("replications", ReplicationPage, list_params(query))

    def one(self, key: str) -> ReplicationDetail | None:
        try:
            return self.api.get(f"replications/{key}", ReplicationDetail)
        except NotFoundError:
            return None

    def plan(self, version_id: ImageVersionId) -> NoReturn:  # noqa: ARG002 - the service's shape
        raise UsageProblem(
            f"a deployed app plans for itself and not for callers: {LEAVE_OUT} to plan from here, "
            "or see the plan of a version on record with: gallery-replicator status ID"
        )

    def replicate(self, version_id: ImageVersionId) -> Taken:
        try:
            return self.api.post("replications", Taken, {"image_version_id": str(version_id)})
        except RefusedError as error:  # out of the policy's scope
            raise NotAllowedError(str(error)) from error

    def cancel(self, key: str, *, remove: bool) -> Outcome | None:
        return self._act(f"replications/{key}/cancel", {"remove": remove})

    def release(self, key: str) -> Outcome | None:
        return self._act(f"replications/{key}/release", {})

    def sweep(self, *, dry_run: bool) -> SweepReport:  # noqa: ARG002 - the service's shape
        raise UsageProblem(
            f"a deployed app sweeps on its own schedule and not for callers: {LEAVE_OUT} to sweep "
            "from here, or have one version looked at with: gallery-replicator replicate ID"
        )

    def _act(self, path: str, body: Mapping[str, Any]) -> Outcome | None:
        try:
            answer = self.api.post(path, Acted, body)
        except NotFoundError:
            return None
        except RefusedError as error:
            return Outcome(done=False, reason=str(error))
        return Outcome(done=answer.done, reason=answer.reason, stands=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queues:
    api: Api

    def all(self) -> QueueList:
        return self.api.get("queues", QueueList)

    def pause(self, queue: QueueName, *, reason: str) -> QueueChange:
        return self.api.post(f"queues/{queue.value}/pause", QueueChange, {"reason": reason})

    def resume(self, queue: QueueName) -> QueueChange:
        return self.api.post(f"queues/{queue.value}/resume", QueueChange)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letters:
    api: Api

    def page(self, query: LetterQuery) -> LetterList:
        return self.api.get("dead-letters", LetterList, letter_list_params(query))

    def one(self, letter_id: str) -> LetterDetail:
        return self.api.get(f"dead-letters/{letter_id}", LetterDetail)

    def act(self, letter_id: str, action: LetterAction) -> LetterActed:
        try:
            return self.api.post(f"dead-letters/{letter_id}/{action.value}", LetterActed)
        except RefusedError as error:
            return LetterActed(id=letter_id, done=False, reason=str(error))

    def select(self, query: LetterQuery, action: LetterAction) -> Selection:
        body = {"filter": filter_fields(query), "dry_run": True}
        return self.api.post(f"dead-letters/{action.value}", Selection, body)

    def act_on_selection(
        self, query: LetterQuery, action: LetterAction, token: str
    ) -> list[LetterActed]:
        body = {"filter": filter_fields(query), "token": token}
        return self.api.post(f"dead-letters/{action.value}", SelectionActed, body).items


@dataclass(frozen=True, slots=True, kw_only=True)
class _Actions:
    api: Api

    def page(self, *, cursor: str | None, limit: int) -> ActionPage:
        params = (
            {"limit": str(limit)} if cursor is None else {"limit": str(limit), "cursor": cursor}
        )
        return self.api.get("actions", ActionPage, params)
