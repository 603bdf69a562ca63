"""The app: the services, wired to whatever stands behind their ports."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from api.health import HealthCheck
from api.planner import Planner
from api.queries import Queries
from costs.gauges import LastDay
from costs.ports import CostPorts
from costs.pricing.budget_pricing import EstimatePricing
from costs.pricing.estimator import open_estimates
from costs.report.cache import ReportCache
from replication.config.settings import Settings
from replication.dead_letters.desk import DeadLetterDesk
from replication.domain.policy import ReplicationPolicy
from replication.gauges import (
    DUTIES,
    QueueGauges,
    RecordGauges,
    SharedStateGauges,
    StateGauges,
)
from replication.guards.admission import GATES, AdmissionControl
from replication.guards.budget_guard import SPENDINGS, BudgetGuard, Pricing
from replication.guards.guards import Guards
from replication.guards.pauses import PAUSES, Pauses
from replication.guards.rate_meter import RateMeter
from replication.guards.region_health import CIRCUITS, REFUSALS, RegionHealth
from replication.intake.event_queue import EventQueue
from replication.intake.intake import Intake
from replication.intake.reader import VersionReader
from replication.intake.subscriptions import Subscriptions
from replication.listing.jobs import Listing
from replication.listing.store import ListingStore
from replication.notices.rules import NoticeRules
from replication.notices.service import NOTICE_BOOKS, NoticeChannel, NoticeService
from replication.notices.sources import NoticeSources, Watch
from replication.operations.cancel import Canceller
from replication.operations.dead_letters import DeadLetterService
from replication.operations.journal import Journal
from replication.operations.operations import Operations
from replication.operations.release import Releaser
from replication.ports import (
    Catalogs,
    DeadLetters,
    Gallery,
    History,
    JobQueues,
    JobStore,
    OutcomeTopic,
    Retries,
)
from replication.reconcile.executor import Executor
from replication.reconcile.reconciler import Reconciler
from replication.reconcile.recovery import Recovery
from replication.records.commit import JobCommits
from replication.records.repository import JobRepository
from replication.records.retries import contention_retries
from replication.shared_state.port import ControlStore
from replication.shared_state.state import SharedState
from replication.sweeping.rounds import SWEEP_BOOKMARKS, SweepRounds
from replication.sweeping.sweep import Lists, Sweep
from replication.telemetry.port import NO_TELEMETRY, Telemetry
from replication.telemetry.runtime import Runtime

SHARED_KINDS = (GATES, CIRCUITS, REFUSALS, SPENDINGS, PAUSES, NOTICE_BOOKS, DUTIES, SWEEP_BOOKMARKS)

if TYPE_CHECKING:
    from costs.service import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that the services use; without `pricing` plans cost their estimate."""

    gallery: Gallery
    catalogs: Catalogs
    store: JobStore
    history: History
    letters: DeadLetters
    controls: ControlStore
    listing: ListingStore
    queues: JobQueues
    topic: OutcomeTopic
    clock: Callable[[], datetime]
    chance: Callable[[], float]
    new_owner: Callable[[], str]
    retries: Retries = contention_retries
    meter: RateMeter = field(default_factory=RateMeter)
    pricing: Pricing | None = None
    costs: CostPorts = field(default_factory=CostPorts)
    telemetry: Telemetry = NO_TELEMETRY
    channels: tuple[NoticeChannel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The services, ready to be called by handlers and the CLI."""

    settings: Settings
    policy: ReplicationPolicy
    ports: Ports
    intake: Intake
    event_queue: EventQueue
    reconciler: Reconciler
    sweep: Sweep
    sweep_rounds: SweepRounds
    desk: DeadLetterDesk
    dead_letters: DeadLetterService
    shared_state: SharedState
    pauses: Pauses
    operations: Operations
    listing: Listing
    queries: Queries
    health: HealthCheck
    planner: Planner
    gauges: StateGauges
    notices: NoticeService
    open_costs: Callable[[], "Costs"]

    @property
    def costs(self) -> "Costs":
        """The cost audit at the prices of now; raises SettingsError without blobs."""
        return self.open_costs()


def build_app(settings: Settings, policy: ReplicationPolicy, ports: Ports) -> App:
    """Wire the services to the ports."""
    policy = replace(policy, subscriptions=settings.allowed_subscriptions)
    runtime = Runtime(
        clock=ports.clock,
        chance=ports.chance,
        new_id=ports.new_owner,
        limits=settings.limits,
        telemetry=ports.telemetry,
    )
    listing = Listing(store=ports.listing, retries=ports.retries)
    jobs = JobRepository(store=ports.store, retries=ports.retries, written=listing.follow)
    shared_state = SharedState(
        store=ports.controls, kinds=SHARED_KINDS, retries=ports.retries, clock=ports.clock
    )
    desk = DeadLetterDesk(letters=ports.letters, clock=ports.clock, telemetry=ports.telemetry)
    commits = JobCommits(
        jobs=jobs, history=ports.history, letters=desk, queues=ports.queues, runtime=runtime
    )
    estimates = open_estimates(ports.costs.blobs, policy.currency, ports.clock)

    shown = ReportCache()

    def open_costs() -> "Costs":
        from bootstrap.costs import build_costs  # noqa: PLC0415 - DuckDB, 0.1 s that only this needs

        return build_costs(
            ports.costs,
            settings,
            policy,
            store=ports.store,
            gallery=ports.gallery,
            catalogs=ports.catalogs,
            estimates=estimates,
            clock=ports.clock,
            shown=shown,
        )

    last_day = LastDay(
        ledger=(lambda: open_costs().ledger) if ports.costs.blobs else None, clock=ports.clock
    )
    guards = Guards(
        admission=AdmissionControl(
            shared_state=shared_state,
            meter=ports.meter,
            limits=settings.limits,
            clock=ports.clock,
            telemetry=ports.telemetry,
        ),
        health=RegionHealth(shared_state=shared_state, limits=settings.limits, clock=ports.clock),
        budget=BudgetGuard(
            shared_state=shared_state,
            store=ports.store,
            pricing=ports.pricing or EstimatePricing(estimates),
            policy=policy,
            clock=ports.clock,
        ),
        pauses=Pauses(shared_state=shared_state, clock=ports.clock),
    )
    intake = Intake(
        commits=commits,
        reader=VersionReader(gallery=ports.gallery, admission=guards.admission, clock=ports.clock),
        catalogs=ports.catalogs,
        desk=desk,
        health=guards.health,
        subscriptions=Subscriptions(policy=policy, gallery=ports.gallery, clock=ports.clock),
        policy=policy,
        runtime=runtime,
    )
    executor = Executor(
        jobs=jobs,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        guards=guards,
        recovery=Recovery(admission=guards.admission, health=guards.health, runtime=runtime),
        policy=policy,
        runtime=runtime,
    )
    reconciler = Reconciler(
        commits=commits,
        desk=desk,
        topic=ports.topic,
        executor=executor,
        health=guards.health,
        intake=intake,
        runtime=runtime,
    )
    sweep = Sweep(
        jobs=jobs,
        lists=Lists(jobs=listing, letters=ports.letters),
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        guards=guards,
        intake=intake,
        policy=policy,
        runtime=runtime,
    )
    queries = Queries(
        jobs=jobs,
        listing=listing,
        history=ports.history,
        queues=ports.queues,
        pauses=guards.pauses,
        policy=policy,
        clock=ports.clock,
        estimates=estimates,
    )
    health = HealthCheck(
        jobs=jobs,
        queues=ports.queues,
        policy=policy,
        clock=ports.clock,
        absent_timers=settings.absent_timers,
    )
    planner = Planner(
        jobs=jobs,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        guard=guards.budget,
        policy=policy,
        clock=ports.clock,
        estimates=estimates,
    )
    dead_letters = DeadLetterService(
        letters=ports.letters,
        intake=intake,
        commits=commits,
        queues=ports.queues,
        clock=ports.clock,
    )
    operations = Operations(
        intake=intake,
        canceller=Canceller(commits=commits, runtime=runtime),
        releaser=Releaser(commits=commits, runtime=runtime),
        pauses=guards.pauses,
        dead_letters=dead_letters,
        jobs=jobs,
        journal=Journal(history=ports.history, clock=ports.clock, new_id=ports.new_owner),
        new_id=ports.new_owner,
    )
    return App(
        settings=settings,
        policy=policy,
        ports=ports,
        intake=intake,
        event_queue=EventQueue(intake=intake, desk=desk),
        reconciler=reconciler,
        sweep=sweep,
        sweep_rounds=SweepRounds(sweep=sweep, shared_state=shared_state, clock=ports.clock),
        desk=desk,
        dead_letters=dead_letters,
        pauses=guards.pauses,
        shared_state=shared_state,
        operations=operations,
        listing=listing,
        queries=queries,
        health=health,
        planner=planner,
        open_costs=open_costs,
        gauges=StateGauges(
            sources=(
                QueueGauges(ports.queues),
                SharedStateGauges(shared_state, ports.clock),
                RecordGauges(listing.totals, ports.letters),
                last_day,
            ),
            clock=ports.clock,
        ),
        notices=NoticeService(
            channels=ports.channels,
            sources=NoticeSources(
                letters=ports.letters,
                queues=ports.queues,
                shared_state=shared_state,
                listing=ports.listing,
                retries=ports.retries,
                clock=ports.clock,
                watch=Watch(
                    behind_s=settings.notice_queue_behind_s,
                    absent_timers=settings.absent_timers,
                ),
            ),
            shared_state=shared_state,
            rules=NoticeRules(repeat_s=settings.notice_repeat_s),
            clock=ports.clock,
            new_owner=ports.new_owner,
        ),
    )
