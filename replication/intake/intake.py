"""Intake: what happened to an image version becomes a job on record and a look that is queued."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.actions import IntakeAction
from replication.domain.errors import (
    MalformedError,
    NewerFormatError,
    TransientError,
)
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import (
    HistoryEntry,
    Phase,
    Replica,
    ReplicationJob,
    Schedule,
    Tries,
    entry_id,
)
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import InvalidRegionNameError, Region, RegionCatalog
from replication.domain.trace_context import TraceParent
from replication.guards.region_health import RegionHealth
from replication.intake.events import (
    NotForUs,
    Reading,
    ReceivedEvent,
    VersionDeleted,
    check_size,
    read_event,
)
from replication.intake.next_look import bring_forward
from replication.intake.reader import VersionReader
from replication.intake.subscriptions import Subscriptions
from replication.ports import Catalogs
from replication.records.commit import JobCommits
from replication.telemetry.job_metrics import tell_first
from replication.telemetry.log import ERROR, WARNING, log_outcome
from replication.telemetry.metrics import ACTION, EVENTS
from replication.telemetry.port import MAX_SHOWN, PROCESS, Span, SpanKind, Telemetry, Value
from replication.telemetry.runtime import Runtime

# A message that is due is taken within a second or two, unless it is lost or the app is busy.
_PROBABLY_LOST = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """What became of an event or of a request, and why."""

    action: IntakeAction
    reason: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Turns events and requests into jobs; every call may be repeated without harm."""

    commits: JobCommits
    reader: VersionReader
    catalogs: Catalogs
    desk: DeadLetterDesk
    health: RegionHealth
    subscriptions: Subscriptions
    policy: ReplicationPolicy
    runtime: Runtime

    def receive(
        self, event: ReceivedEvent, raw: Any, *, traceparent: TraceParent | None = None
    ) -> IntakeResult:
        """Handle an event of any type; `traceparent` is the invocation's.

        Raises TransientError when Azure or the storage fails, and NewerFormatError for a record
        that a newer release wrote, so that the sender tries again.
        """
        with _event_span(self.runtime.telemetry, event, traceparent) as span:
            taken = self._receive(event, raw)
            span.set(ACTION, taken.action.value)
        self.runtime.telemetry.counted(EVENTS, {ACTION: taken.action.value})
        return taken

    def _receive(self, event: ReceivedEvent, raw: Any) -> IntakeResult:
        read: Reading | MalformedError
        try:
            check_size(raw)
            read = read_event(event)
        except MalformedError as error:
            read = error
        refused = self._why_refused(event, read)
        if refused is not None:
            log_outcome(
                "event.refused",
                level=WARNING,
                event_id=event.id[:MAX_SHOWN],
                event_type=event.type[:MAX_SHOWN],
                reason=refused,
            )
            return IntakeResult(action=IntakeAction.REFUSED, reason=refused)
        try:
            if isinstance(read, MalformedError):
                raise read
            taken = self._take(read)
        except NewerFormatError:
            raise  # the newer release is to take it; the sender tries again until then
        except MalformedError as error:
            return self._reject(event, raw, error)
        log_outcome(
            f"event.{taken.action}",
            event_id=event.id,
            event_type=event.type,
            key=taken.key,
            reason=taken.reason,
        )
        return taken

    def _why_refused(self, event: ReceivedEvent, read: Reading | MalformedError) -> str | None:
        if isinstance(read, NotForUs):
            return None
        try:
            return self.subscriptions.why_refused(event)
        except TransientError:
            if isinstance(read, MalformedError):
                return None  # a letter costs no call, and sending the event again mends nothing
            raise

    def _reject(self, event: ReceivedEvent, raw: Any, error: MalformedError) -> IntakeResult:
        letter = self.desk.event(raw, event_id=event.id, cause=str(error))
        log_outcome(
            "event.rejected",
            level=ERROR,
            event_id=event.id,
            event_type=event.type,
            reason=str(error),
            dead_letter=letter.id,
        )
        return IntakeResult(action=IntakeAction.REJECTED, reason=str(error))

    def request(
        self, version_id: ImageVersionId, *, trigger: str, correlation_id: str
    ) -> IntakeResult:
        """Run the replication now because somebody asked, whatever the record says."""
        with self.runtime.telemetry.span("request") as span:
            taken = self._request(version_id, trigger=trigger, correlation_id=correlation_id)
            span.set(ACTION, taken.action.value)
            log_outcome(
                "replication.requested",
                key=version_id.key,
                image_version=str(version_id),
                correlation_id=correlation_id,
                action=taken.action,
                trigger=trigger,
                reason=taken.reason,
            )
            return taken

    def _request(
        self, version_id: ImageVersionId, *, trigger: str, correlation_id: str
    ) -> IntakeResult:
        out_of_scope = self.policy.why_out_of_scope(version_id)
        if out_of_scope:
            return IntakeResult(
                action=IntakeAction.IGNORED, reason=out_of_scope, key=version_id.key
            )
        # What Azure refused before may be allowed by now: that is why somebody asks.
        self.health.forget_refusals(version_id.subscription_id)
        if self.commits.jobs.load(version_id.key) is None:
            return self._enrol(version_id, None, trigger=trigger, correlation_id=correlation_id)
        trace = self.runtime.telemetry.trace()
        return self._look(version_id, at=None, forced=True, why=trigger, trace=trace)

    def revisit(self, version_id: ImageVersionId, *, why: str) -> IntakeResult:
        """Queue a look at a version on record, because the sweep saw a reason."""
        return self._look(version_id, at=None, forced=False, why=why)

    def discover(self, version: ImageVersion, *, trigger: str) -> IntakeResult:
        """Enrol a version that the sweep found and no event told of."""
        with self.runtime.telemetry.span("discover", root=True):
            return self._enrol(
                version.id, None, trigger=trigger, correlation_id=version.id.key, seen=version
            )

    def _take(self, read: Reading) -> IntakeResult:
        if isinstance(read, NotForUs):
            return IntakeResult(action=IntakeAction.IGNORED, reason=read.reason)
        version_id = read.image_version_id
        out_of_scope = self.policy.why_out_of_scope(version_id)
        if out_of_scope:
            return IntakeResult(
                action=IntakeAction.IGNORED, reason=out_of_scope, key=version_id.key
            )
        if self.commits.jobs.load(version_id.key) is not None:
            trace = self.runtime.telemetry.trace()
            return self._look(version_id, at=read.at, forced=False, why=read.trigger, trace=trace)
        if isinstance(read, VersionDeleted):
            reason = "deleted, and never was on record"
            return IntakeResult(action=IntakeAction.IGNORED, reason=reason, key=version_id.key)
        return self._enrol(
            version_id,
            read.home_region,
            trigger=read.trigger,
            correlation_id=read.correlation_id,
        )

    def _enrol(
        self,
        version_id: ImageVersionId,
        home_region: str | None,
        *,
        trigger: str,
        correlation_id: str,
        seen: ImageVersion | None = None,
    ) -> IntakeResult:
        catalog = self.catalogs.of(version_id.subscription_id)
        tries = Tries()
        home = _known_region(home_region, catalog)
        if seen is None and home is None:
            tries = tries.one_call()
            seen = self.reader.read(version_id, catalog)
        if seen is not None:
            subject = PlanSubject.of(seen)
        elif home is not None:
            subject = PlanSubject(id=version_id, home_region=home)
        else:
            reason = "the image version does not exist (any more)"
            return IntakeResult(action=IntakeAction.NOT_FOUND, reason=reason, key=version_id.key)
        job = self._new_job(subject, catalog, trigger=trigger, correlation_id=correlation_id)
        job = replace(job, tries=tries, traceparent=self.runtime.telemetry.trace())
        if seen is not None and seen.is_changing and job.schedule.next_attempt_at is not None:
            # Nothing can be written yet; the next look finds how fast that goes.
            first_look = self.runtime.clock() + timedelta(
                seconds=self.runtime.limits.tracking_min_s
            )
            job = replace(job, schedule=replace(job.schedule, next_attempt_at=first_look))
        if not self.commits.insert(job):
            return self._look(version_id, at=None, forced=False, why=trigger)
        tell_first(self.runtime.telemetry, job)
        if job.phase is Phase.SKIPPED:
            return IntakeResult(action=IntakeAction.SKIPPED, reason=job.reason, key=job.key)
        return IntakeResult(action=IntakeAction.QUEUED, reason=job.reason, key=job.key)

    def _new_job(
        self, subject: PlanSubject, catalog: RegionCatalog, *, trigger: str, correlation_id: str
    ) -> ReplicationJob:
        now = self.runtime.clock()
        planned = plan(subject, self.policy, catalog)
        replicas = tuple(
            Replica(region=one.region, reason=one.reason, planned_at=now) for one in planned.wanted
        )
        first_look_at = now if replicas else None
        job = ReplicationJob(
            image_version_id=subject.id,
            reason=planned.reason,
            trigger=trigger,
            correlation_id=correlation_id,
            home_region=subject.home_region,
            geography=planned.geography,
            replicas=replicas,
            left_out=planned.left_out,
            policy_fingerprint=self.policy.fingerprint,
            catalog_source=planned.catalog_source,
            started_at=now,
            updated_at=now,
            schedule=Schedule(deadline_at=now).fresh(now, self.runtime.limits).at(first_look_at),
        )
        if not replicas:
            job = job.to(Phase.SKIPPED, planned.reason, at=now)
        entry = HistoryEntry(
            id=entry_id(now, 0),
            at=now,
            event="planned" if replicas else "skip",
            reason=planned.reason,
            details={"trigger": trigger, "catalog": planned.catalog_source},
        )
        return replace(job, entries=(entry,))

    def _look(
        self,
        version_id: ImageVersionId,
        *,
        at: datetime | None,
        forced: bool,
        why: str,
        trace: TraceParent | None = None,
    ) -> IntakeResult:
        """Bring the next look forward; the chain of messages stays one."""

        def change(job: ReplicationJob) -> tuple[ReplicationJob | None, str]:
            changed, reason = bring_forward(
                job,
                event_at=at,
                forced=forced,
                why=why,
                now=self.runtime.clock(),
                limits=self.runtime.limits,
            )
            return changed and _traced(job, changed, trace, anew=forced), reason

        changed = self.commits.change(version_id.key, change)
        if changed is None:
            return IntakeResult(
                action=IntakeAction.IGNORED, reason="the record is gone", key=version_id.key
            )
        before, after = changed.before, changed.after
        moved = after.schedule.sequence != before.schedule.sequence
        # A look that is late and not begun may have lost its message; a second one is harmless.
        if not moved and _is_overdue(after, self.runtime.clock()):
            self.commits.send(after)
        unmoved = IntakeAction.DUE if after.schedule.next_attempt_at else IntakeAction.IGNORED
        action = IntakeAction.QUEUED if moved else unmoved
        return IntakeResult(action=action, reason=changed.result, key=version_id.key)


def _known_region(name: str | None, catalog: RegionCatalog) -> Region | None:
    """Return the region that an event names, None where only Azure can tell."""
    if name is None:
        return None
    try:
        region = catalog.resolve(name)
    except InvalidRegionNameError:
        return None
    return region if region in catalog.details else None


def _is_overdue(job: ReplicationJob, now: datetime) -> bool:
    due = job.schedule.next_attempt_at
    return due is not None and now >= due + _PROBABLY_LOST and not job.schedule.is_claimed(now)


def _event_span(
    telemetry: Telemetry, event: ReceivedEvent, invocation: TraceParent | None
) -> AbstractContextManager[Span]:
    """Open the span of an event, with which the trace of a replication begins."""
    attributes: dict[str, Value] = {
        **PROCESS,
        "messaging.system": "eventgrid",
        "messaging.message.id": event.id[:MAX_SHOWN],
        "cloudevents.event_type": event.type[:MAX_SHOWN],
    }
    return telemetry.span(
        "process event", kind=SpanKind.CONSUMER, parent=invocation, attributes=attributes
    )


def _traced(
    before: ReplicationJob, after: ReplicationJob, trace: TraceParent | None, *, anew: bool
) -> ReplicationJob:
    """Let a new run belong to the trace that began it; one under way keeps its own."""
    begins = anew or before.phase.is_end or before.traceparent is None
    return replace(after, traceparent=trace) if begins and trace is not None else after
