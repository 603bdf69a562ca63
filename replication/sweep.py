"""The sweep: every image version in scope is compared with its plan, and what was missed queued."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from replication.domain import formatting
from replication.domain.errors import (
    FailureCode,
    Operation,
    PermanentError,
    ReplicationError,
    ThrottledError,
)
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import Phase, ReplicaState, ReplicationJob
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import Region, RegionCatalog
from replication.guards.guards import Guards
from replication.guards.throttling import ThrottleScope
from replication.intake.intake import Intake
from replication.listing.jobs import Listing
from replication.listing.repair import ListingMender
from replication.ports import Catalogs, DeadLetters, Gallery, JobQuery, UnreadPart
from replication.reconcile.observe import withheld_regions
from replication.records.repository import JobRepository
from replication.telemetry.log import ERROR, INFO, log_outcome
from replication.telemetry.metrics import OUTCOME, SWEEP_FINDINGS, SWEEPS
from replication.telemetry.runtime import Runtime

_PAGE = 200
# How often a job that ended badly is looked at again: what was wrong may have been mended.
_RECHECK_S = 3600.0
_DAY_S = 86_400.0
# Jobs that expect their version in Azure's list and look after themselves no more.
_AT_REST = (Phase.SUCCEEDED, Phase.PARTIAL, Phase.SKIPPED, Phase.FAILED)


class SweepIncompleteError(ReplicationError):
    """Parts of the sweep failed; everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One version that needs a look, and why."""

    image_version_id: ImageVersionId
    reason: str


@dataclass(slots=True, kw_only=True)
class SweepReport:
    """What a sweep saw and queued; `errors` names the parts that could not be swept.

    `stuck` counts the replicas without progress for longer than their speed explains.
    """

    versions_seen: int = 0
    out_of_scope: int = 0
    findings: list[Finding] = field(default_factory=list)
    stuck: int = 0
    errors: list[str] = field(default_factory=list)
    not_authorised: bool = False

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Report the failure of one part, and go on with the others."""
        try:
            yield
        except ReplicationError as error:
            self.failed(name, error)

    def failed(self, name: str, error: ReplicationError) -> None:
        """Report a part that failed."""
        self.errors.append(f"{name}: {error}")
        refused = isinstance(error, PermanentError) and error.code is FailureCode.NOT_AUTHORISED
        self.not_authorised = self.not_authorised or refused

    def raise_if_incomplete(self) -> None:
        """Raise if a part could not be swept, so that the run shows red.

        PermanentError where a right is missing, SweepIncompleteError else.
        """
        if self.not_authorised:
            raise PermanentError("; ".join(self.errors), code=FailureCode.NOT_AUTHORISED)
        if self.errors:
            raise SweepIncompleteError("; ".join(self.errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The lists of jobs and of dead letters, which miss something now and then."""

    jobs: Listing
    letters: DeadLetters


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The safety net: stateless, driven by a timer, harmless to run twice at once."""

    jobs: JobRepository
    lists: Lists
    gallery: Gallery
    catalogs: Catalogs
    guards: Guards
    intake: Intake
    policy: ReplicationPolicy
    runtime: Runtime

    def run(self, *, dry_run: bool = False) -> SweepReport:
        """Sweep everything once.

        A part that fails is reported and does not stop the others. With `dry_run` nothing is
        queued.
        """
        report = SweepReport()
        at_rest: dict[str, set[str]] = {}
        with report.part("the records"):
            self._sweep_records(report, at_rest, dry_run=dry_run)
        if not dry_run:
            with report.part("the list of dead letters"):
                self.lists.letters.mend()
        with report.part("subscriptions"):
            for subscription_id in self.gallery.subscriptions():
                at_rest.setdefault(subscription_id.lower(), set())
        for subscription_id, keys in sorted(at_rest.items()):
            if self.policy.why_subscription_is_shut_out(subscription_id):
                continue
            with report.part(f"subscription {subscription_id}"):
                whole = self._sweep_subscription(subscription_id, keys, report, dry_run=dry_run)
                if whole:
                    self._sweep_unlisted(keys, report, dry_run=dry_run)
        log_outcome(
            "sweep.done",
            level=ERROR if report.errors else INFO,
            versions_seen=report.versions_seen,
            out_of_scope=report.out_of_scope,
            findings=len(report.findings),
            stuck_replicas=report.stuck,
            errors=report.errors,
            dry_run=dry_run,
        )
        if not dry_run:
            outcome = "incomplete" if report.errors else "complete"
            self.runtime.telemetry.counted(SWEEPS, {OUTCOME: outcome})
            self.runtime.telemetry.counted(SWEEP_FINDINGS, by=len(report.findings))
        return report

    def _sweep_records(
        self, report: SweepReport, at_rest: dict[str, set[str]], *, dry_run: bool
    ) -> None:
        """Find jobs whose message was lost, Azure reachable or not; and count stuck replicas.

        `at_rest` takes the keys of the jobs that are over, by subscription.
        """
        now = self.runtime.clock()
        late = now - timedelta(seconds=self.runtime.limits.overdue_after_s)
        mender = ListingMender(self.lists.jobs)
        for job in self._jobs(JobQuery(limit=_PAGE), report):
            keys = at_rest.setdefault(job.image_version_id.subscription_id.lower(), set())
            if _is_at_rest(job):
                keys.add(job.key)
            if not job.phase.is_end:
                report.stuck += sum(1 for one in job.replicas if one.stuck_since is not None)
            if not dry_run:
                with report.part("the listing"):
                    mender.mend(job)
            due = job.schedule.next_attempt_at
            if due is not None and due < late and not job.schedule.is_claimed(now):
                reason = f"overdue since {formatting.moment(due)}: its message was lost"
                with report.part(str(job.image_version_id)):
                    self._queue(job.image_version_id, reason, report, dry_run=dry_run)
        with report.part("the listing"):
            mender.finish()

    def _sweep_subscription(
        self, subscription_id: str, keys: set[str], report: SweepReport, *, dry_run: bool
    ) -> bool:
        """Sweep what Azure lists, and take it from the keys; tell whether that was all of it."""
        whole = True
        until = self.guards.admission.closed_until(subscription_id, Operation.READ)
        if until is not None:
            report.errors.append(
                f"subscription {subscription_id}: Azure asked for a pause until "
                f"{formatting.moment(until)}; the next sweep looks at it"
            )
            return False
        catalog = self.catalogs.of(subscription_id)
        for version in self.gallery.versions(subscription_id, catalog):
            if isinstance(version, UnreadPart):
                whole = False
                report.failed(f"subscription {subscription_id}, {version.name}", version.error)
                if isinstance(version.error, ThrottledError):
                    scope = ThrottleScope(
                        subscription_id=subscription_id.lower(), operation=Operation.READ
                    )
                    self.guards.admission.refused_scope(scope, version.error)
                    break
                continue
            report.versions_seen += 1
            keys.discard(version.id.key)
            with report.part(str(version.id)):
                self._sweep_version(version, catalog, report, dry_run=dry_run)
        return whole

    def _sweep_unlisted(self, keys: set[str], report: SweepReport, *, dry_run: bool) -> None:
        """Look again at what is on record and not in Azure: no event told of its deletion."""
        for key in sorted(keys):
            with report.part(f"record {key}"):
                stored = self.jobs.load(key)
                if stored is not None and _is_at_rest(stored.job):
                    version_id = stored.job.image_version_id
                    reason = "on record, and no longer in Azure's list"
                    self._queue(version_id, reason, report, dry_run=dry_run)

    def _sweep_version(
        self, version: ImageVersion, catalog: RegionCatalog, report: SweepReport, *, dry_run: bool
    ) -> None:
        if self.policy.why_out_of_scope(version.id) is not None:
            report.out_of_scope += 1
            return
        stored = self.jobs.load(version.id.key)
        if stored is None:
            self._sweep_unknown(version, catalog, report, dry_run=dry_run)
            return
        now = self.runtime.clock()
        refused = self.guards.health.refused(version.id.subscription_id)
        reason = why_look(stored.job, version, self.policy, catalog, refused, now=now)
        if reason is not None:
            self._queue(version.id, reason, report, dry_run=dry_run)

    def _sweep_unknown(
        self, version: ImageVersion, catalog: RegionCatalog, report: SweepReport, *, dry_run: bool
    ) -> None:
        refused = self.guards.health.refused(version.id.subscription_id)
        planned = plan(PlanSubject.of(version), self.policy, catalog, refused)
        if all(one.already_listed for one in planned.wanted):
            return
        _found(version.id, f"no event told of it: {planned.reason}", report, dry_run=dry_run)
        if not dry_run:
            self.intake.discover(version, trigger="sweep: no event told of it")

    def _queue(
        self, version_id: ImageVersionId, reason: str, report: SweepReport, *, dry_run: bool
    ) -> None:
        _found(version_id, reason, report, dry_run=dry_run)
        if not dry_run:
            self.intake.revisit(version_id, why=f"sweep: {reason}")

    def _jobs(self, query: JobQuery, report: SweepReport) -> Iterator[ReplicationJob]:
        while True:
            page = self.jobs.find(query)
            yield from page.jobs
            report.errors += [f"record {row.key}: {row.reason}" for row in page.unreadable]
            if page.next_cursor is None:
                return
            query = JobQuery(limit=query.limit, cursor=page.next_cursor)


def _found(version_id: ImageVersionId, reason: str, report: SweepReport, *, dry_run: bool) -> None:
    report.findings.append(Finding(image_version_id=version_id, reason=reason))
    log_outcome(
        "sweep.finding",
        key=version_id.key,
        image_version=str(version_id),
        reason=reason,
        dry_run=dry_run,
    )


def _is_at_rest(job: ReplicationJob) -> bool:
    rests = job.phase in _AT_REST or job.held_by_budget
    return rests and job.schedule.next_attempt_at is None


def why_look(
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    refused: Mapping[Region, str],
    *,
    now: datetime,
) -> str | None:
    """Return why a job on record needs another look, None when it does not.

    Jobs in flight look after themselves, or are overdue.
    """
    if job.schedule.next_attempt_at is not None or job.phase is Phase.CANCELLED:
        return None
    age_s = (now - (job.schedule.observed_at or job.started_at)).total_seconds()
    if job.held_by_budget:
        return _why_ask_again(job, policy, age_s)
    if job.phase in (Phase.FAILED, Phase.PARTIAL):
        return f"it ended {job.phase.value}; has that been mended?" if age_s > _RECHECK_S else None
    if not job.phase.is_end:
        return None
    return _why_drifted(job, version, policy, catalog, refused, now=now)


def _why_ask_again(job: ReplicationJob, policy: ReplicationPolicy, age_s: float) -> str | None:
    if job.policy_fingerprint != policy.fingerprint:
        return "it is held by a budget, and the policy has changed"
    return "it is held by a budget; does it fit by now?" if age_s > _DAY_S else None


def _why_drifted(
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    refused: Mapping[Region, str],
    *,
    now: datetime,
) -> str | None:
    """Compare what is listed with what the record says, and with what is planned."""
    withheld = {**refused, **withheld_regions(job, version, policy, now=now)}
    planned = plan(PlanSubject.of(version), policy, catalog, withheld)
    missing = [one.region.name for one in planned.wanted if not one.already_listed]
    gone = [
        one.region.name
        for one in job.replicas
        if one.state is ReplicaState.COMPLETED and one.region not in version.listed
    ]
    if job.phase is Phase.SUPERSEDED and not version.is_going:
        return "it was thought gone and is there"
    if gone:
        return f"removed since it was Completed: {', '.join(gone)}"
    if missing:
        return f"in the plan and not in the list: {', '.join(missing)}"
    return None
