"""The app elsewhere, over its HTTP API."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from cli.client.protocol import Acted, ConflictError, Document, Service
from cli.client.remote_shapes import (
    ACTED,
    ACTION_PAGE,
    LETTER,
    LETTER_PAGE,
    OUTCOMES,
    PAUSE,
    QUEUE_LIST,
    REPLICATION,
    REPLICATION_PAGE,
    SELECTION,
    TAKEN,
)
from cli.terminal.errors import NotAllowedError, NotFoundError, UsageProblem
from replication.config.settings import is_loopback
from replication.dead_letters.filter import filter_fields
from replication.domain.image_version import ImageVersionId
from replication.listing.query import ListQuery
from replication.ports import LetterQuery, QueueName

if TYPE_CHECKING:
    from cli.client.http import Api
    from replication.operations.dead_letters import LetterAction
    from replication.sweep import SweepReport

URL_VARIABLE = "GALLERY_REPLICATOR_URL"
SCOPE_VARIABLE = "GALLERY_REPLICATOR_SCOPE"
KEY_VARIABLE = "GALLERY_REPLICATOR_KEY"
LEAVE_OUT = f"leave --url (and {URL_VARIABLE}) out"
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[!-~]{1,300}")
_KEY = re.compile(r"[!-~]{1,512}")
_DEFAULT = "/.default"
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where a deployed app is, and what its callers prove themselves with."""

    url: str
    scope: str | None = None
    key: str | None = None
    timeout_s: float = _TIMEOUT_S

    @classmethod
    def read(cls, url: str | None, scope: str | None, env: Mapping[str, str]) -> "Remote | None":
        """Read the options and the environment, None for no deployed app; raises UsageProblem.

        A key is taken from the environment alone: everybody on a machine can read arguments.
        """
        address = url if url is not None else env.get(URL_VARIABLE, "").strip() or None
        wanted = scope if scope is not None else env.get(SCOPE_VARIABLE, "").strip() or None
        if address is None:
            if scope is not None:
                raise UsageProblem("--scope goes with --url")
            return None
        root = read_root(address)
        key = env.get(KEY_VARIABLE, "").strip() or None
        if key is not None and not _KEY.fullmatch(key):
            raise UsageProblem(f"{KEY_VARIABLE} is no function key: it holds what no header can")
        if key is not None and wanted is not None:
            raise UsageProblem(
                f"a token (--scope, {SCOPE_VARIABLE}) and a key ({KEY_VARIABLE}) are given; "
                "leave one out"
            )
        if wanted is not None and not root.startswith("https:"):
            raise UsageProblem("--scope goes with an https address: a token is sent over no other")
        return cls(url=root, scope=None if wanted is None else _read_scope(wanted), key=key)


def read_root(text: str) -> str:
    """Return the address of an app without a slash at its end; raises UsageProblem."""
    with suppress(ValueError):  # of an address or a port that is none
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text))
        bare = parts.path in ("", "/") and not parts.query and not parts.fragment
        plain = text.isascii() and text.isprintable() and _HOST.fullmatch(parts.netloc)
        if is_safe and bare and plain and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc}"
    raise UsageProblem(
        f"--url is {text[:80]!r}; it is https and a host alone, such as "
        "https://app.azurewebsites.net, or http to this machine"
    )


def remote_service(api: "Api") -> Service:
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
    api: "Api"

    def page(self, query: ListQuery) -> Document:
        phases = None if query.phases is None else ",".join(sorted(query.phases))
        params = {
            "phase": phases,
            "gallery": query.gallery,
            "geography": query.geography,
            "search": query.search,
            "stuck": "yes" if query.stuck else None,
            "sort": query.order.value,
            "cursor": query.cursor,
            "limit": str(query.limit),
        }
        return self.api.get("replications", REPLICATION_PAGE, _given(params))

    def one(self, key: str) -> Document | None:
        try:
            return self.api.get(f"replications/{key}", REPLICATION)
        except NotFoundError:
            return None

    def plan(self, version_id: ImageVersionId) -> NoReturn:  # noqa: ARG002 - the service's shape
        raise UsageProblem(
            f"a deployed app plans for itself and not for callers: {LEAVE_OUT} to plan from here, "
            "or see the plan of a version on record with: gallery-replicator status ID"
        )

    def replicate(self, version_id: ImageVersionId) -> Document:
        try:
            return self.api.post("replications", TAKEN, {"image_version_id": str(version_id)})
        except ConflictError as error:  # out of the policy's scope
            raise NotAllowedError(str(error)) from error

    def cancel(self, key: str, *, remove: bool) -> Acted | None:
        return self._act(f"replications/{key}/cancel", {"remove": remove})

    def release(self, key: str) -> Acted | None:
        return self._act(f"replications/{key}/release", {})

    def sweep(self, *, dry_run: bool) -> "SweepReport":  # noqa: ARG002 - the service's shape
        raise UsageProblem(
            f"a deployed app sweeps on its own schedule and not for callers: {LEAVE_OUT} to sweep "
            "from here, or have one version looked at with: gallery-replicator replicate ID"
        )

    def _act(self, path: str, body: Mapping[str, Any]) -> Acted | None:
        try:
            answer = self.api.post(path, ACTED, body)
        except NotFoundError:
            return None
        except ConflictError as error:
            return Acted(done=False, reason=str(error))
        return Acted(done=answer["done"], reason=answer["reason"], stands=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queues:
    api: "Api"

    def all(self) -> list[Document]:
        items: list[Document] = self.api.get("queues", QUEUE_LIST)["items"]
        return items

    def pause(self, queue: QueueName, *, reason: str) -> Document:
        return self.api.post(f"queues/{queue.value}/pause", PAUSE, {"reason": reason})

    def resume(self, queue: QueueName) -> Document:
        return self.api.post(f"queues/{queue.value}/resume", PAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letters:
    api: "Api"

    def page(self, query: LetterQuery) -> Document:
        # In an address `code` is the host's, for its key.
        fields = filter_fields(query)
        params = {
            **{name: value for name, value in fields.items() if name != "code"},
            "failure_code": query.code,
            "cursor": query.cursor,
            "limit": str(query.limit),
        }
        return self.api.get("dead-letters", LETTER_PAGE, _given(params))

    def one(self, letter_id: str) -> Document:
        return self.api.get(f"dead-letters/{letter_id}", LETTER)

    def act(self, letter_id: str, action: "LetterAction") -> Acted:
        try:
            answer = self.api.post(f"dead-letters/{letter_id}/{action.value}", ACTED)
        except ConflictError as error:
            return Acted(done=False, reason=str(error))
        return Acted(done=answer["done"], reason=answer["reason"])

    def select(self, query: LetterQuery, action: "LetterAction") -> Document:
        body = {"filter": filter_fields(query), "dry_run": True}
        return self.api.post(f"dead-letters/{action.value}", SELECTION, body)

    def act_on_selection(
        self, query: LetterQuery, action: "LetterAction", token: str
    ) -> list[Document]:
        body = {"filter": filter_fields(query), "token": token}
        answer = self.api.post(f"dead-letters/{action.value}", OUTCOMES, body)
        items: list[Document] = answer["items"]
        return items


@dataclass(frozen=True, slots=True, kw_only=True)
class _Actions:
    api: "Api"

    def page(self, *, cursor: str | None, limit: int) -> Document:
        return self.api.get("actions", ACTION_PAGE, _given({"cursor": cursor, "limit": str(limit)}))


def _given(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def _read_scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise UsageProblem(
            f"--scope is {text[:80]!r}; it is the id URI of the app's registration, such as "
            "api://00000000-0000-0000-0000-000000000000"
        )
    return text if text.endswith(_DEFAULT) else f"{text}{_DEFAULT}"
