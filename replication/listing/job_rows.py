"""The rows of the listing: every job under each order and filter that a page asks for.

Table storage answers only what stands side by side in the order of its row keys. So a job stands
there once for each view, and a page reads as many rows as it shows and one more, however many jobs
there are. One row of its own says where a job stands and what was counted of it; all rows of a job
change in one transaction, so that lists and counts agree with one another. Towards the records the
listing may lag: it follows them level-triggered, and the sweep mends what was missed.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from replication.domain.errors import MalformedError, NewerFormatError
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.listing.keys import newest_first, oldest_first, part

FORMAT_VERSION = 1
# Since 2 it knows which replicas were counted. An older release would drop that and have them
# counted twice, so it has to leave such a row alone.
STANDING_VERSION = 2
# So many rows share a count, so that instances rarely meet at one.
SHARDS = 8
# Upper bounds in seconds of the time from plan to a usable copy; the last class has none.
TIME_CLASSES_S = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400)
STUCK = "stuck"
# Among the counts, and no word of a phase.
REPLICAS = "replicas"
# In the place of a phase, so that no view's rows stand among those of another.
ANY_PHASE = "any"
_MAX_REASON = 300
# Their reasons change with every look, and say no more than the regions do.
_QUIET = (Phase.APPLYING, Phase.TRACKING)

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """What a list shows of a job; `since` is when it came into its phase."""

    key: str
    image_version_id: str
    gallery: str
    image: str
    version: str
    phase: str
    since: datetime
    reason: str
    home_region: str
    geography: str
    started_at: datetime
    wanted: int
    completed: int
    failed_regions: tuple[str, ...] = ()
    stuck_regions: tuple[str, ...] = ()
    stuck_since: datetime | None = None
    failure_code: str | None = None
    letter_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands in the listing, and which of its copies were counted, by region.

    `revision` is that of the record: one that is older changes nothing any more. `replicas` are
    those that were counted, by state; None where an older release counted none.
    """

    listed: ListedJob
    revision: int
    copies: Mapping[str, datetime] = field(default_factory=dict)
    replicas: Mapping[str, int] | None = None


def list_job(job: ReplicationJob, before: Standing | None) -> ListedJob:
    """Return what lists show of a job; `before` tells since when it is in its phase."""
    same = before is not None and before.listed.phase == job.phase.value
    since = before.listed.since if before is not None and same else job.updated_at
    wanted = [one for one in job.replicas if one.state is not ReplicaState.REMOVED]
    stuck = [one for one in wanted if one.stuck_since is not None]
    version = job.image_version_id
    reason = job.reason
    if job.phase in _QUIET:
        reason = ""
    return ListedJob(
        key=job.key,
        image_version_id=str(version),
        gallery=version.gallery,
        image=version.image,
        version=version.version,
        phase=job.phase.value,
        since=since,
        reason=reason if len(reason) <= _MAX_REASON else f"{reason[: _MAX_REASON - 1]}…",
        home_region=job.home_region.name,
        geography=job.geography or "",
        started_at=job.started_at,
        wanted=len(wanted),
        completed=sum(one.state is ReplicaState.COMPLETED for one in wanted),
        failed_regions=_names(one for one in wanted if one.state is ReplicaState.FAILED),
        stuck_regions=_names(stuck),
        stuck_since=min((one.stuck_since for one in stuck if one.stuck_since), default=None),
        failure_code=job.failure.code.value if job.failure else None,
        letter_id=job.letter_id,
    )


def copies_of(job: ReplicationJob) -> dict[str, tuple[datetime, datetime]]:
    """Return when each copy of this app's was planned and when it was usable, by region."""
    return {
        one.region.name: (one.planned_at, one.completed_at)
        for one in job.replicas
        if one.managed and one.state is ReplicaState.COMPLETED and one.completed_at is not None
    }


def replicas_of(job: ReplicationJob) -> dict[str, int]:
    """Return how many replicas a job has of each state that one of them is in."""
    return dict(Counter(one.state.value for one in job.replicas))


def shard_of(key: str) -> int:
    """Return which of the counting rows a job counts in."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % SHARDS


def standing_key(key: str) -> str:
    """Return the row that says where a job stands."""
    return f"job|{key}"


def count_key(what: str, shard: int) -> str:
    """Return a row that counts jobs of a phase, or with a stuck copy."""
    return f"count|{what}|{shard}"


def replicas_key(shard: int) -> str:
    """Return a row that counts the replicas of jobs, by state."""
    return f"count|{REPLICAS}|{shard}"


def hour_key(moment: datetime, shard: int) -> str:
    """Return a row that counts the copies of an hour."""
    return f"hour|{moment.astimezone(UTC):%Y-%m-%dT%H}|{shard}"


def view_keys(one: ListedJob) -> Iterator[str]:
    """Yield the rows under which a job is listed."""
    newest, oldest = newest_first(one.since), oldest_first(one.since)
    gallery, geography, phase = part(one.gallery), part(one.geography), one.phase
    for scope in ("all", f"gallery={gallery}", f"geography={geography}"):
        for of in (ANY_PHASE, phase):
            yield f"new|{scope}|{of}|{newest}|{one.key}"
    for of in (ANY_PHASE, phase):
        yield f"old|{of}|{oldest}|{one.key}"
    image, version = part(one.image), part(one.version)
    yield f"name|{gallery}|{image}|{version}|{one.key}"
    yield f"image|{image}|{version}|{one.key}"
    if one.stuck_since is not None:
        yield f"old|{STUCK}|{oldest_first(one.stuck_since)}|{one.key}"


def counted_as(one: ListedJob) -> frozenset[str]:
    """Return the counts that a job is part of."""
    return frozenset({one.phase} | ({STUCK} if one.stuck_since is not None else set()))


def time_class(seconds: float) -> int:
    """Return the class of TIME_CLASSES_S that a time falls into."""
    return next((n for n, top in enumerate(TIME_CLASSES_S) if seconds <= top), len(TIME_CLASSES_S))


def encode_listed(one: ListedJob) -> Document:
    """Return what a list shows as a JSON object."""
    return {
        "v": FORMAT_VERSION,
        "key": one.key,
        "image_version_id": one.image_version_id,
        "gallery": one.gallery,
        "image": one.image,
        "version": one.version,
        "phase": one.phase,
        "since": one.since.isoformat(),
        "reason": one.reason,
        "home_region": one.home_region,
        "geography": one.geography,
        "started_at": one.started_at.isoformat(),
        "wanted": one.wanted,
        "completed": one.completed,
        "failed_regions": list(one.failed_regions),
        "stuck_regions": list(one.stuck_regions),
        "stuck_since": one.stuck_since.isoformat() if one.stuck_since else None,
        "failure_code": one.failure_code,
        "letter_id": one.letter_id,
    }


def decode_listed(document: Mapping[str, Any]) -> ListedJob:
    """Read what a list shows; raises MalformedError, or NewerFormatError for a newer release's."""
    _check_version(document)
    try:
        stuck_since = document["stuck_since"]
        return ListedJob(
            **{name: _text(document[name]) for name in _TEXTS},
            since=_moment(document["since"]),
            started_at=_moment(document["started_at"]),
            wanted=_count(document["wanted"]),
            completed=_count(document["completed"]),
            failed_regions=tuple(_text(name) for name in document["failed_regions"]),
            stuck_regions=tuple(_text(name) for name in document["stuck_regions"]),
            stuck_since=None if stuck_since is None else _moment(stuck_since),
            failure_code=_text_or_none(document["failure_code"]),
            letter_id=_text_or_none(document["letter_id"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"a row of the listing cannot be read: {error!r:.200}") from error


def encode_standing(one: Standing) -> Document:
    """Return where a job stands as a JSON object."""
    copies = {region: at.isoformat() for region, at in one.copies.items()}
    listed = encode_listed(one.listed)
    return {
        "v": STANDING_VERSION,
        "revision": one.revision,
        "listed": listed,
        "copies": copies,
        "replicas": None if one.replicas is None else dict(one.replicas),
    }


def decode_standing(document: Mapping[str, Any]) -> Standing:
    """Read where a job stands; raises MalformedError, or NewerFormatError for a newer release's."""
    _check_version(document, reads=STANDING_VERSION)
    try:
        copies = {_text(name): _moment(at) for name, at in document["copies"].items()}
        counted = document["replicas"] if document["v"] > 1 else None
        return Standing(
            listed=decode_listed(document["listed"]),
            revision=_count(document["revision"]),
            copies=copies,
            replicas=None if counted is None else {_text(k): _count(n) for k, n in counted.items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MalformedError(f"a row of the listing cannot be read: {error!r:.200}") from error


def digest(one: ListedJob) -> str:
    """Return a short text that differs where lists would show something else."""
    text = json.dumps(encode_listed(one), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


_TEXTS = (
    *("key", "image_version_id", "gallery", "image", "version"),
    *("phase", "reason", "home_region", "geography"),
)


def _names(replicas: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted(one.region.name for one in replicas))


def _check_version(document: Mapping[str, Any], *, reads: int = FORMAT_VERSION) -> None:
    version = document.get("v")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise MalformedError("a row of the listing has no format version 'v'")
    if version > reads:
        raise NewerFormatError(
            f"a row of the listing has format {str(version)[:20]}; this release reads {reads}"
        )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{str(value)[:20]!r} is no count")
    return value
