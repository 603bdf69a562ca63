"""Compare every image version in scope with its plan, and queue again what was missed."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from replication.errors import MalformedError, ReplicationError
from replication.evolution import withheld_regions
from replication.image_version import ImageVersion, ImageVersionId
from replication.intake import Intake
from replication.job import Phase, ReplicaState, ReplicationJob
from replication.job_records import JobRecords
from replication.limits import Limits
from replication.log import log_outcome
from replication.planning import PlanSubject, plan
from replication.policy import ReplicationPolicy
from replication.ports import Catalogs, Gallery, JobQuery, JobStore
from replication.regions import RegionCatalog

_PAGE = 200
# How often a job that ended badly is looked at again: what was wrong may have been mended.
_RECHECK_S = 3600.0


class SweepIncompleteError(ReplicationError):
    """Parts of the sweep failed; everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One version that needs a look, and why."""

    image_version_id: ImageVersionId
    reason: str


@dataclass(slots=True, kw_only=True)
class SweepReport:
    """What a sweep saw and queued; `errors` names the parts that could not be swept."""

    versions_seen: int = 0
    out_of_scope: int = 0
    findings: list[Finding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def raise_if_incomplete(self) -> None:
        """Raise SweepIncompleteError if a part could not be swept, so that the run shows red."""
        if self.errors:
            raise SweepIncompleteError("; ".join(self.errors))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The safety net: stateless, driven by a timer, harmless to run twice at once."""

    store: JobStore
    records: JobRecords
    gallery: Gallery
    catalogs: Catalogs
    intake: Intake
    policy: ReplicationPolicy
    limits: Limits
    clock: Callable[[], datetime]

    def run(self, *, dry_run: bool = False) -> SweepReport:
        """Sweep everything once.

        A part that fails is reported and does not stop the others. With `dry_run` nothing is
        queued.
        """
        report = SweepReport()
        subscriptions: set[str] = set()
        self._sweep_overdue(report, subscriptions, dry_run=dry_run)
        try:
            subscriptions |= {one.lower() for one in self.gallery.subscriptions()}
        except ReplicationError as error:
            report.errors.append(f"subscriptions: {error}")
        for subscription_id in sorted(subscriptions):
            try:
                self._sweep_subscription(subscription_id, report, dry_run=dry_run)
            except ReplicationError as error:
                report.errors.append(f"subscription {subscription_id}: {error}")
        log_outcome(
            "sweep.done",
            level=logging.ERROR if report.errors else logging.INFO,
            versions_seen=report.versions_seen,
            out_of_scope=report.out_of_scope,
            findings=len(report.findings),
            errors=report.errors,
            dry_run=dry_run,
        )
        return report

    def _sweep_overdue(
        self, report: SweepReport, subscriptions: set[str], *, dry_run: bool
    ) -> None:
        """Find jobs whose message was lost, Azure reachable or not."""
        now = self.clock()
        late = now - timedelta(seconds=self.limits.overdue_after_s)
        for job in self._jobs(JobQuery(limit=_PAGE)):
            subscriptions.add(job.image_version_id.subscription_id.lower())
            leased = job.lease is not None and job.lease.expires_at > now
            if job.next_attempt_at is not None and job.next_attempt_at < late and not leased:
                reason = f"overdue since {job.next_attempt_at.isoformat()}: its message was lost"
                self._queue(job.image_version_id, reason, report, dry_run=dry_run)

    def _sweep_subscription(
        self, subscription_id: str, report: SweepReport, *, dry_run: bool
    ) -> None:
        catalog = self.catalogs.of(subscription_id)
        for version in self.gallery.versions(subscription_id, catalog):
            report.versions_seen += 1
            if self.policy.why_out_of_scope(version.id) is not None:
                report.out_of_scope += 1
                continue
            try:
                stored = self.records.load(version.id.key)
            except MalformedError as error:
                report.errors.append(f"{version.id}: {error}")
                continue
            if stored is None:
                self._sweep_unknown(version, catalog, report, dry_run=dry_run)
                continue
            reason = why_look(
                stored.job, version, self.policy, catalog, now=self.clock(), recheck_s=_RECHECK_S
            )
            if reason is not None:
                self._queue(version.id, reason, report, dry_run=dry_run)

    def _sweep_unknown(
        self, version: ImageVersion, catalog: RegionCatalog, report: SweepReport, *, dry_run: bool
    ) -> None:
        planned = plan(PlanSubject.of(version), self.policy, catalog)
        if all(one.already_listed for one in planned.wanted):
            return
        report.findings.append(
            Finding(image_version_id=version.id, reason="no event told of it: " + planned.reason)
        )
        if not dry_run:
            self.intake.discover(version, trigger="sweep: no event told of it")

    def _queue(
        self, version_id: ImageVersionId, reason: str, report: SweepReport, *, dry_run: bool
    ) -> None:
        report.findings.append(Finding(image_version_id=version_id, reason=reason))
        if not dry_run:
            self.intake.revisit(version_id, why=f"sweep: {reason}")

    def _jobs(self, query: JobQuery) -> Iterator[ReplicationJob]:
        while True:
            page = self.store.find(query)
            yield from page.jobs
            if page.next_cursor is None:
                return
            query = JobQuery(limit=query.limit, cursor=page.next_cursor)


def why_look(
    job: ReplicationJob,
    version: ImageVersion,
    policy: ReplicationPolicy,
    catalog: RegionCatalog,
    *,
    now: datetime,
    recheck_s: float,
) -> str | None:
    """Return why a job on record needs another look, None when it does not.

    Jobs in flight look after themselves, or are overdue.
    """
    if not job.phase.is_end or job.next_attempt_at is not None or job.phase is Phase.CANCELLED:
        return None
    withheld = withheld_regions(job, version, policy, now=now)
    planned = plan(PlanSubject.of(version), policy, catalog, withheld)
    missing = [one.region.name for one in planned.wanted if not one.already_listed]
    gone = [
        one.region.name
        for one in job.replicas
        if one.state is ReplicaState.COMPLETED and one.region not in version.listed
    ]
    age_s = (now - (job.observed_at or job.started_at)).total_seconds()
    if job.phase in (Phase.FAILED, Phase.PARTIAL):
        return f"it ended {job.phase.value}; has that been mended?" if age_s > recheck_s else None
    if job.phase is Phase.SUPERSEDED and not version.is_changing:
        return "it was thought gone and is there"
    if gone:
        return f"removed since it was Completed: {', '.join(gone)}"
    if missing:
        return f"in the plan and not in the list: {', '.join(missing)}"
    return None
