"""Jobs on Azure Table Storage: one row a job, its replicas within.

A point read and a conditional write are one round trip each, and no half-written job can exist
(docs/adr/0005).
"""

import base64
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, UpdateMode

from replication.azure.storage.errors import classify
from replication.azure.storage.tables import Table, check_row, join_text, split_text
from replication.domain.errors import MalformedError, NewerFormatError, RecordChangedError
from replication.domain.job import ReplicationJob
from replication.ports import JobPage, JobQuery, StoredJob, UnreadableRow
from replication.records.job_codec import FORMAT_VERSION, decode_job, encode_job
from replication.records.retries import blip_retries
from replication.telemetry.log import log_outcome

_ROW = "job"
_MAX_CONTINUATION = 1024
# As many as the client keeps connections for.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class TableJobStore:
    """Implements the JobStore port."""

    table: Table

    def load(self, key: str) -> StoredJob | None:
        try:
            row: Any = self.table.call(lambda table: table.get_entity(key, _ROW))
        except ResourceNotFoundError:
            return None
        except HttpResponseError as error:
            raise classify(error) from error
        return StoredJob(job=_decode(row, key), etag=str(row.metadata["etag"]))

    def load_many(self, keys: Sequence[str]) -> tuple[ReplicationJob, ...]:
        # Each stands in a partition of its own, so that no one question finds several at once.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return tuple(job for job in pool.map(self._readable, keys) if job is not None)

    def insert(self, job: ReplicationJob) -> StoredJob:
        row = job_row(job)
        try:
            written = self.table.call(lambda table: table.create_entity(row))
        except ResourceExistsError as error:
            raise RecordChangedError(f"{job.key} is on record already") from error
        except HttpResponseError as error:
            raise classify(error) from error
        return StoredJob(job=job, etag=str(written["etag"]))

    def replace(self, stored: StoredJob, job: ReplicationJob) -> StoredJob:
        row = job_row(job)
        try:
            written = self.table.call(
                lambda table: table.update_entity(
                    row,
                    mode=UpdateMode.REPLACE,
                    etag=stored.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise RecordChangedError(f"{job.key} was changed meanwhile") from error
        except HttpResponseError as error:
            raise classify(error) from error
        return StoredJob(job=job, etag=str(written["etag"]))

    def find(self, query: JobQuery) -> JobPage:
        token = _cursor(query.cursor)
        jobs: list[ReplicationJob] = []
        unreadable: list[UnreadableRow] = []
        # A page of the service may hold fewer rows than asked for, even none.
        while True:
            rows, token = blip_retries()(self._rows, query, token, query.limit - len(jobs))
            for row in rows:
                key = str(row.get("PartitionKey"))
                try:
                    jobs.append(_decode(row, key))
                except MalformedError as error:
                    # One that cannot be read must not hide the others.
                    unreadable.append(_unreadable(key, error))
            if token is None or len(jobs) >= query.limit:
                return JobPage(
                    jobs=tuple(jobs), next_cursor=_text(token), unreadable=tuple(unreadable)
                )

    def _readable(self, key: str) -> ReplicationJob | None:
        try:
            stored = blip_retries()(self.load, key)
        except MalformedError as error:
            _unreadable(key, error)
            return None
        return None if stored is None else stored.job

    def _rows(self, query: JobQuery, token: Any, count: int) -> tuple[list[Any], Any]:
        def ask(table: TableClient) -> tuple[list[Any], Any]:
            found = table.query_entities(_filter(query), results_per_page=count)
            pages: Any = found.by_page(continuation_token=token)
            rows = list(next(pages, ()))
            return rows, pages.continuation_token

        try:
            return self.table.call(ask)
        except HttpResponseError as error:
            raise classify(error) from error


def job_row(job: ReplicationJob) -> dict[str, Any]:
    """Return the job as a row of the table: its document, and columns for who looks into it."""
    row: dict[str, Any] = {
        "PartitionKey": job.key,
        "RowKey": _ROW,
        "v": FORMAT_VERSION,
        "image_version_id": str(job.image_version_id),
        "gallery": job.image_version_id.gallery.lower(),
        "geography": job.geography or "",
        "phase": job.phase.value,
        "updated_at": job.updated_at,
        **split_text("document", encode_job(job)),
    }
    if job.schedule.next_attempt_at is not None:
        row["next_attempt_at"] = job.schedule.next_attempt_at
    return row


def _decode(row: Any, key: str) -> ReplicationJob:
    check_row(row, what=f"the record {key}", reads=FORMAT_VERSION)
    job = decode_job(join_text("document", row))
    if job.key != key:
        # Written back, it would land on another job's row.
        raise MalformedError(f"the record {key} is about {job.image_version_id}")
    return job


def _unreadable(key: str, error: MalformedError) -> UnreadableRow:
    log_outcome("record.unreadable", level=logging.ERROR, key=key, reason=str(error))
    return UnreadableRow(key=key, reason=str(error), newer=isinstance(error, NewerFormatError))


def _filter(query: JobQuery) -> str:
    wanted = f"RowKey eq '{_ROW}'"
    if query.gallery is not None:
        wanted += f" and gallery eq {_quoted(query.gallery.lower())}"
    return wanted


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text(token: Any) -> str | None:
    if token is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


def _cursor(text: str | None) -> Any:
    if text is None:
        return None
    try:
        token = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, RecursionError) as error:
        raise MalformedError("the cursor is not one that this API gave out") from error
    known = isinstance(token, dict) and {"PartitionKey", "RowKey"} == token.keys()
    if not known or not all(_is_continuation(part) for part in token.values()):
        raise MalformedError("the cursor is not one that this API gave out")
    return token


def _is_continuation(part: object) -> bool:
    if not isinstance(part, str) or len(part) > _MAX_CONTINUATION:
        return False
    return part.isascii() and part.isprintable()
