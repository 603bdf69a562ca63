"""The sweep: every image version in scope is compared with its plan, and what was missed queued."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from replication.domain import formatting
from replication.domain.errors import (
    Operation,
    ThrottledError,
)
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.job import Phase, ReplicationJob
from replication.domain.plan import PlanSubject, plan
from replication.domain.policy import ReplicationPolicy
from replication.domain.regions import RegionCatalog
from replication.guards.guards import Guards
from replication.guards.throttling import ThrottleScope
from replication.intake.intake import Intake
from replication.listing.jobs import Listing
from replication.listing.repair import ListingMender
from replication.ports import Catalogs, DeadLetters, Gallery, JobPage, JobQuery, UnreadPart
from replication.records.repository import JobRepository
from replication.sweeping.drift import why_look
from replication.sweeping.report import BEGINNING, Finding, SweepPosition, SweepReport
from replication.telemetry.log import ERROR, INFO, log_outcome
from replication.telemetry.metrics import OUTCOME, SWEEP_FINDINGS, SWEEPS
from replication.telemetry.runtime import Runtime

_PAGE = 200
# Jobs that expect their version in Azure's list and look after themselves no more.
_AT_REST = (Phase.SUCCEEDED, Phase.PARTIAL, Phase.SKIPPED, Phase.FAILED)


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

    def run(
        self,
        *,
        start: SweepPosition = BEGINNING,
        until: datetime | None = None,
        dry_run: bool = False,
    ) -> SweepReport:
        """Sweep everything once, from `start` on; `until` a moment, if it takes longer.

        A part that fails is reported and does not stop the others. With `dry_run` nothing is
        queued.
        """
        report = SweepReport()
        at_rest: dict[str, set[str]] = {}
        if start.subscription_id is None:
            with report.part("the records"):
                self._sweep_records(report, at_rest, start.cursor, until, dry_run=dry_run)
        if report.goes_on_at is None:
            self._sweep_subscriptions(report, at_rest, start, until, dry_run=dry_run)
        log_outcome(
            "sweep.done",
            level=ERROR if report.errors else INFO,
            versions_seen=report.versions_seen,
            out_of_scope=report.out_of_scope,
            findings=len(report.findings),
            stuck_replicas=report.stuck,
            errors=report.errors,
            dry_run=dry_run,
            goes_on=report.goes_on_at is not None,
        )
        if not dry_run:
            outcome = "incomplete" if report.errors else "complete"
            if report.goes_on_at is not None and not report.errors:
                outcome = "goes_on"
            self.runtime.telemetry.counted(SWEEPS, {OUTCOME: outcome})
            self.runtime.telemetry.counted(SWEEP_FINDINGS, by=len(report.findings))
        return report

    def _sweep_records(
        self,
        report: SweepReport,
        at_rest: dict[str, set[str]],
        cursor: str | None,
        until: datetime | None,
        *,
        dry_run: bool,
    ) -> None:
        """Find jobs whose message was lost, Azure reachable or not; and count stuck replicas.

        `at_rest` takes the keys of the jobs that are over, by subscription.
        """
        mender = ListingMender(self.lists.jobs)
        for page in self._pages(cursor):
            report.errors += [f"record {row.key}: {row.reason}" for row in page.unreadable]
            for job in page.jobs:
                _note_at_rest(job, at_rest)
                if not dry_run:
                    with report.part("the listing"):
                        mender.mend(job)
                self._sweep_record(job, report, dry_run=dry_run)
            if page.next_cursor is not None and self._is_over(until):
                report.goes_on_at = SweepPosition(cursor=page.next_cursor)
                return  # the lists are mended by who has seen every record
        if cursor is None:
            with report.part("the listing"):
                mender.finish()

    def _sweep_record(self, job: ReplicationJob, report: SweepReport, *, dry_run: bool) -> None:
        now = self.runtime.clock()
        if not job.phase.is_end:
            report.stuck += sum(1 for one in job.replicas if one.stuck_since is not None)
        due = job.schedule.next_attempt_at
        late = now - timedelta(seconds=self.runtime.limits.overdue_after_s)
        if due is not None and due < late and not job.schedule.is_claimed(now):
            reason = f"overdue since {formatting.moment(due)}: its message was lost"
            with report.part(str(job.image_version_id)):
                self._queue(job.image_version_id, reason, report, dry_run=dry_run)

    def _sweep_subscriptions(
        self,
        report: SweepReport,
        at_rest: dict[str, set[str]],
        start: SweepPosition,
        until: datetime | None,
        *,
        dry_run: bool,
    ) -> None:
        if start != BEGINNING:
            with report.part("the records"):
                for page in self._pages(None):
                    for job in page.jobs:
                        _note_at_rest(job, at_rest)
        if not dry_run and start.subscription_id is None:
            with report.part("the list of dead letters"):
                self.lists.letters.mend()
        with report.part("subscriptions"):
            for subscription_id in self.gallery.subscriptions():
                at_rest.setdefault(subscription_id.lower(), set())
        for subscription_id, keys in sorted(at_rest.items()):
            is_done = subscription_id < (start.subscription_id or "")
            if is_done or self.policy.why_subscription_is_shut_out(subscription_id):
                continue
            behind = start.version_id if subscription_id == start.subscription_id else None
            with report.part(f"subscription {subscription_id}"):
                whole = self._sweep_subscription(
                    subscription_id, keys, report, behind, until, dry_run=dry_run
                )
                if whole:
                    self._sweep_unlisted(keys, report, dry_run=dry_run)
            if report.goes_on_at is not None:
                return

    def _sweep_subscription(
        self,
        subscription_id: str,
        keys: set[str],
        report: SweepReport,
        behind: str | None,
        deadline: datetime | None,
        *,
        dry_run: bool,
    ) -> bool:
        """Sweep what Azure lists, and take it from the keys; tell whether that was all of it.

        What stands before the version `behind` was swept by the run before, and is only seen.
        """
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
            keys.discard(version.id.key)
            if behind is not None:
                behind = None if str(version.id).lower() == behind else behind
                if behind is not None and self._is_over(deadline):
                    report.errors.append(
                        f"subscription {subscription_id}: its list alone takes longer than a run"
                    )
                    report.goes_on_at = SweepPosition(
                        subscription_id=subscription_id, version_id=behind
                    )
                    return False
                continue
            report.versions_seen += 1
            with report.part(str(version.id)):
                self._sweep_version(version, catalog, report, dry_run=dry_run)
            if self._is_over(deadline):
                report.goes_on_at = SweepPosition(
                    subscription_id=subscription_id, version_id=str(version.id).lower()
                )
                return False
        if behind is not None:
            # The version is gone, and with it where to go on: from the first one, next time.
            report.goes_on_at = SweepPosition(subscription_id=subscription_id)
            return False
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

    def _pages(self, cursor: str | None) -> Iterator[JobPage]:
        while True:
            page = self.jobs.find(JobQuery(limit=_PAGE, cursor=cursor))
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _is_over(self, until: datetime | None) -> bool:
        return until is not None and self.runtime.clock() >= until


def _found(version_id: ImageVersionId, reason: str, report: SweepReport, *, dry_run: bool) -> None:
    report.findings.append(Finding(image_version_id=version_id, reason=reason))
    log_outcome(
        "sweep.finding",
        key=version_id.key,
        image_version=str(version_id),
        reason=reason,
        dry_run=dry_run,
    )


def _note_at_rest(job: ReplicationJob, at_rest: dict[str, set[str]]) -> None:
    keys = at_rest.setdefault(job.image_version_id.subscription_id.lower(), set())
    if _is_at_rest(job):
        keys.add(job.key)


def _is_at_rest(job: ReplicationJob) -> bool:
    rests = job.phase in _AT_REST or job.held_by_budget
    return rests and job.schedule.next_attempt_at is None
