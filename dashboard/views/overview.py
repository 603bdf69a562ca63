"""Overview: what is stuck, what failed and what holds work up, the most urgent first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.schemas.replications import advice as advice_on
from bootstrap.app import App
from dashboard.views.common import PHASES, Cooldown, FailingRegion, HeldRegion, shared
from replication.domain.copy_progress import percent_per_min, stuck
from replication.domain.job import Phase, Replica, ReplicationJob
from replication.domain.limits import Limits
from replication.guards.pauses import QueuePause
from replication.listing.job_rows import STUCK, TIME_CLASSES_S, ListedJob
from replication.listing.jobs import HourOfCopies
from replication.listing.query import ListOrder, ListQuery
from replication.ports import QueueDepth

SHOWN_STUCK = 5
SHOWN_FAILED = 5
SHOWN_WAITING = 5
HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """A queue and its pause."""

    depth: QueueDepth
    pause: QueuePause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckRegion:
    """A copy that stands still: how far it came, since when, and how fast it was before.

    `allowed_s` is the longest time without progress that its speed explains.
    """

    region: str
    progress: int | None
    since: datetime
    percent_per_min: float | None
    allowed_s: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckJob:
    """A job with stuck copies, and what happens next; `regions` is empty if it was not read."""

    listed: ListedJob
    regions: tuple[StuckRegion, ...]
    next_attempt_at: datetime | None
    deadline_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedJob:
    """A job that ended badly; `transient` when it may work later without a person."""

    listed: ListedJob
    advice: str | None
    transient: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """The copies of an hour; `median_class_s` is the upper bound of the middle one's time.

    That is None for more than the highest bound, and `median_class` is 0 for no copy.
    """

    hour: datetime
    copies: int
    mean_s: float | None
    median_class: int
    median_class_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that the overview shows."""

    at: datetime
    queues: tuple[QueueLine, ...]
    stuck: tuple[StuckJob, ...]
    stuck_count: int
    failed: tuple[FailedJob, ...]
    failed_count: int
    letters_count: int
    held: tuple[HeldRegion, ...]
    failing: tuple[FailingRegion, ...]
    cooldowns: tuple[Cooldown, ...]
    phases: Mapping[str, int]
    waiting: tuple[ListedJob, ...]
    waiting_count: int
    hours: tuple[Hour, ...]
    absent_timers: Mapping[str, str]

    @property
    def paused(self) -> tuple[QueueLine, ...]:
        """The queues that an operator has paused."""
        return tuple(one for one in self.queues if one.pause is not None)

    @property
    def poison(self) -> int:
        """How many messages the host gave up that are not on the desk yet."""
        return sum(one.depth.poison_depth for one in self.queues)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits for a person and nothing is held up."""
        counts = (self.stuck_count, self.letters_count, self.poison)
        return not any((*counts, self.paused, self.held, self.cooldowns, self.absent_timers))


def overview(app: App, now: datetime) -> Overview:
    """Read the overview: a constant number of storage calls, docs/dashboard.md says how many."""
    known = shared(app.shared_state, now, app.settings.limits)
    counts = app.listing.counts()
    failed = sorted(
        (*_page(app, Phase.FAILED), *_page(app, Phase.PARTIAL)),
        key=lambda one: one.since,
        reverse=True,
    )
    waiting = ListQuery(
        phases=frozenset({Phase.WAITING}), order=ListOrder.OLDEST, limit=SHOWN_WAITING
    )
    since = now - timedelta(hours=HOURS - 1)
    return Overview(
        at=now,
        queues=tuple(
            QueueLine(depth=depth, pause=known.pauses.get(depth.name))
            for depth in app.queries.depths()
        ),
        stuck=tuple(
            _stuck(listed, job, app.settings.limits, now)
            for listed, job in app.queries.stuck(most=SHOWN_STUCK)
        ),
        stuck_count=counts.get(STUCK, 0),
        failed=tuple(_failed(one) for one in failed[:SHOWN_FAILED]),
        failed_count=counts.get(Phase.FAILED.value, 0) + counts.get(Phase.PARTIAL.value, 0),
        letters_count=sum(one.letters for one in app.dead_letters.causes()),
        held=known.held,
        failing=known.failing,
        cooldowns=known.cooldowns,
        phases={phase: counts.get(phase, 0) for phase in PHASES},
        waiting=app.listing.page(waiting).jobs,
        waiting_count=counts.get(Phase.WAITING.value, 0),
        hours=last_hours(app.listing.hours(since=since), now),
        absent_timers=app.settings.absent_timers,
    )


def last_hours(found: tuple[HourOfCopies, ...], now: datetime) -> tuple[Hour, ...]:
    """Return the last day hour by hour, those without a copy as well."""
    by_hour = {one.hour: one for one in found}
    this = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    moments = (this - timedelta(hours=back) for back in reversed(range(HOURS)))
    return tuple(_hour(by_hour.get(moment) or HourOfCopies(hour=moment)) for moment in moments)


def stuck_regions(job: ReplicationJob, limits: Limits, now: datetime) -> tuple[StuckRegion, ...]:
    """Return the copies of a job that stand still, the longest first."""
    found = [(one.stuck_since, one) for one in job.replicas if one.stuck_since is not None]
    found.sort(key=lambda one: one[0])
    return tuple(_stuck_region(since, one, limits, now) for since, one in found)


def _page(app: App, phase: Phase) -> tuple[ListedJob, ...]:
    query = ListQuery(phases=frozenset({phase}), limit=SHOWN_FAILED)
    return app.listing.page(query).jobs


def _stuck(
    listed: ListedJob, job: ReplicationJob | None, limits: Limits, now: datetime
) -> StuckJob:
    return StuckJob(
        listed=listed,
        regions=stuck_regions(job, limits, now) if job else (),
        next_attempt_at=job.schedule.next_attempt_at if job else None,
        deadline_at=job.schedule.deadline_at if job else None,
    )


def _stuck_region(since: datetime, replica: Replica, limits: Limits, now: datetime) -> StuckRegion:
    speed = percent_per_min(replica)
    known = stuck(replica, now=now, limits=limits)
    return StuckRegion(
        region=replica.region.name,
        progress=replica.progress,
        since=since,
        percent_per_min=None if speed is None else round(speed, 2),
        allowed_s=known.allowed_s if known else None,
        reason=replica.reason,
    )


def _failed(listed: ListedJob) -> FailedJob:
    advice = advice_on(listed.failure_code or "")
    return FailedJob(listed=listed, advice=advice["advice"], transient=advice["transient"])


def _hour(found: HourOfCopies) -> Hour:
    number = median_class(found.classes)
    bounded = number is not None and number < len(TIME_CLASSES_S)
    return Hour(
        hour=found.hour,
        copies=found.copies,
        mean_s=round(found.total_s / found.copies, 1) if found.copies else None,
        median_class=0 if number is None else number + 1,
        median_class_s=TIME_CLASSES_S[number] if number is not None and bounded else None,
    )


def median_class(classes: tuple[int, ...]) -> int | None:
    """Return the class of the copy in the middle, None where there is none."""
    half, seen = sum(classes) / 2, 0
    for number, count in enumerate(classes):
        seen += count
        if count and seen >= half:
            return number
    return None
