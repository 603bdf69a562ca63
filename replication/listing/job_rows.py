"""The rows of the jobs' index: what lists show of a job, under which keys, and what is counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from replication.codec import Codec, Form
from replication.domain.job import Phase, Replica, ReplicaState, ReplicationJob
from replication.listing.keys import newest_first, oldest_first, part

FORMAT_VERSION = 1
# Since 2 it knows which replicas were counted. An older release would drop that and have them
# counted twice, so it has to leave such a row alone.
STANDING_VERSION = 2
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
    copies: dict[str, datetime] = field(default_factory=dict)
    replicas: dict[str, int] | None = None


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


def stand(job: ReplicationJob, before: Standing | None) -> Standing:
    """Return where a job stands now; a copy that was counted once stays so."""
    return Standing(
        listed=list_job(job, before),
        revision=job.revision,
        copies={**(before.copies if before else {}), **copies_of(job)},
        replicas=replicas_of(job),
    )


def shown_of(job: ReplicationJob) -> tuple[object, ...]:
    """Return of a record what the listing shows or counts, and little more.

    It is taken of every record that is written; most of them show nothing new.
    """
    replicas = [
        (one.region, one.state, one.managed, one.planned_at, one.stuck_since, one.completed_at)
        for one in job.replicas
    ]
    reason = "" if job.phase in _QUIET else job.reason
    code = job.failure and job.failure.code
    place = job.image_version_id, job.home_region, job.geography
    return *place, job.phase, reason, code, job.letter_id, job.started_at, replicas


def copies_of(job: ReplicationJob) -> dict[str, datetime]:
    """Return when each copy of this app's was usable, by region."""
    return {
        one.region.name: one.completed_at
        for one in job.replicas
        if one.managed and one.state is ReplicaState.COMPLETED and one.completed_at is not None
    }


def replicas_of(job: ReplicationJob) -> dict[str, int]:
    """Return how many replicas a job has of each state that one of them is in."""
    return dict(Counter(one.state.value for one in job.replicas))


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


def decode_standing(document: Mapping[str, Any]) -> Standing:
    """Read where a job stands; raises MalformedError, or NewerFormatError for a newer release's."""
    if document.get("v") == 1:
        document = {**document, "replicas": None}
    return _STANDINGS.decode(document)


_LISTED = Codec(
    shape=ListedJob,
    what="a row of the listing",
    version=FORMAT_VERSION,
    required={
        ListedJob: ("failed_regions", "stuck_regions", "stuck_since", "failure_code", "letter_id")
    },
)
encode_listed, decode_listed = _LISTED.encode, _LISTED.decode
_STANDINGS = Codec(
    shape=Standing,
    what="a row of the listing",
    version=STANDING_VERSION,
    required={Standing: ("copies", "replicas")},
    forms={Standing: {"listed": Form(decode_listed, encode_listed)}},
)
encode_standing = _STANDINGS.encode


def _names(replicas: Iterable[Replica]) -> tuple[str, ...]:
    return tuple(sorted(one.region.name for one in replicas))
