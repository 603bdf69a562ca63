"""The composition root: the only place where services, adapters and settings meet."""

import os
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from azure.core import AzureClouds
from azure.mgmt.core.tools import get_arm_endpoints
from tenacity import Retrying

from costs.azure.blobs import StorageBlobs
from costs.azure.resource_graph import ResourceGraph
from costs.estimates import Estimates
from costs.ports import LedgerBlobs
from costs.price_book import PriceBooks
from costs.pricing import EstimatePricing
from costs.sizes import OccupiedSizes
from costs.usage import Machines, NoMachines
from replication.acting import Actor
from replication.admission import Admissions
from replication.azure.arm_clients import ArmClients, ArmEndpoint
from replication.azure.control_store import TableControls
from replication.azure.dead_letters import TableDeadLetters
from replication.azure.gallery import ArmGallery
from replication.azure.history import TableHistory
from replication.azure.job_store import TableJobStore
from replication.azure.listing_table import TableListing
from replication.azure.locations import ArmCatalogs
from replication.azure.outcome_topic import NoTopic, open_topic
from replication.azure.queues import StorageJobQueues
from replication.azure.storage_clients import StorageAccount
from replication.azure.tables import Table
from replication.azure.webhook import open_teams, open_webhook
from replication.budget_guard import BudgetGuard, Pricing
from replication.cancelling import Canceller
from replication.controls import Controls
from replication.dead_letters import DeadLetterService
from replication.desk import DeadLetterDesk
from replication.intake import Intake
from replication.job_records import JobRecords, contention_retries
from replication.listed_letters import ListedLetters
from replication.listing import Listing
from replication.listing_store import ListingStore
from replication.notices.deciding import NoticeRules
from replication.notices.service import NoticeChannel, NoticeService
from replication.notices.sources import NoticeSources
from replication.pauses import Pauses
from replication.policy import ReplicationPolicy
from replication.policy_file import load_policy
from replication.ports import (
    Catalogs,
    ControlStore,
    DeadLetters,
    Gallery,
    History,
    JobQueues,
    JobStore,
    OutcomeTopic,
)
from replication.queries import Queries
from replication.rate_meter import RateMeter
from replication.reconciler import Reconciler
from replication.recovering import Recovery
from replication.region_health import RegionHealth
from replication.releasing import Releaser
from replication.settings import Settings, is_loopback
from replication.sweep import Sweep
from replication.telemetry.costs import LastDay
from replication.telemetry.duty import GaugeDuty, hold_s
from replication.telemetry.port import NO_TELEMETRY, Telemetry
from replication.telemetry.process import open_telemetry
from replication.telemetry.state import StateGauges, count_records

APP_ROOT = Path(__file__).resolve().parent.parent
_CLOUDS = {
    "AzurePublicCloud": AzureClouds.AZURE_PUBLIC_CLOUD,
    "AzureUSGovernment": AzureClouds.AZURE_US_GOVERNMENT,
    "AzureChinaCloud": AzureClouds.AZURE_CHINA_CLOUD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything outside that the services use.

    Without `pricing` plans cost their estimate; `blobs` is None where no address of them is set.
    """

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
    retries: Callable[[], Retrying] = contention_retries
    meter: RateMeter = field(default_factory=RateMeter)
    pricing: Pricing | None = None
    estimates: Estimates = field(default_factory=Estimates)
    blobs: LedgerBlobs | None = None
    machines: Machines = field(default_factory=NoMachines)
    telemetry: Telemetry = NO_TELEMETRY
    channels: tuple[NoticeChannel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The services, ready to be called by handlers and the CLI."""

    settings: Settings
    policy: ReplicationPolicy
    ports: Ports
    intake: Intake
    reconciler: Reconciler
    sweep: Sweep
    desk: DeadLetterDesk
    dead_letters: DeadLetterService
    canceller: Canceller
    releaser: Releaser
    pauses: Pauses
    listing: Listing
    queries: Queries
    gauges: StateGauges
    notices: NoticeService


def build_app(settings: Settings, policy: ReplicationPolicy, ports: Ports) -> App:
    """Wire the services to the ports."""
    listing = Listing(store=ports.listing, retries=ports.retries)
    records = JobRecords(store=ports.store, retries=ports.retries, written=listing.follow)
    controls = Controls(store=ports.controls, retries=ports.retries, clock=ports.clock)
    admissions = Admissions(
        controls=controls,
        meter=ports.meter,
        limits=settings.limits,
        clock=ports.clock,
        telemetry=ports.telemetry,
    )
    health = RegionHealth(controls=controls, limits=settings.limits, clock=ports.clock)
    desk = DeadLetterDesk(letters=ports.letters, clock=ports.clock, telemetry=ports.telemetry)
    intake = Intake(
        records=records,
        history=ports.history,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        queues=ports.queues,
        desk=desk,
        admissions=admissions,
        health=health,
        policy=policy,
        limits=settings.limits,
        clock=ports.clock,
        telemetry=ports.telemetry,
    )
    estimates = replace(ports.estimates, clock=ports.clock, currency=policy.currency)
    pauses = Pauses(controls=controls, clock=ports.clock)
    guard = BudgetGuard(
        controls=controls,
        store=ports.store,
        pricing=ports.pricing or EstimatePricing(estimates),
        policy=policy,
        clock=ports.clock,
    )
    recovery = Recovery(
        admissions=admissions,
        health=health,
        limits=settings.limits,
        clock=ports.clock,
        chance=ports.chance,
    )
    actor = Actor(
        records=records,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        admissions=admissions,
        health=health,
        guard=guard,
        pauses=pauses,
        policy=policy,
        limits=settings.limits,
        clock=ports.clock,
        chance=ports.chance,
        recovery=recovery,
        telemetry=ports.telemetry,
    )
    reconciler = Reconciler(
        records=records,
        history=ports.history,
        queues=ports.queues,
        desk=desk,
        topic=ports.topic,
        actor=actor,
        health=health,
        intake=intake,
        limits=settings.limits,
        clock=ports.clock,
        new_owner=ports.new_owner,
        chance=ports.chance,
        telemetry=ports.telemetry,
    )
    sweep = Sweep(
        records=records,
        listing=listing,
        letters=ports.letters,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        admissions=admissions,
        health=health,
        intake=intake,
        policy=policy,
        limits=settings.limits,
        clock=ports.clock,
    )
    queries = Queries(
        store=ports.store,
        records=records,
        history=ports.history,
        queues=ports.queues,
        gallery=ports.gallery,
        catalogs=ports.catalogs,
        guard=guard,
        pauses=pauses,
        policy=policy,
        clock=ports.clock,
        estimates=estimates,
    )
    return App(
        settings=settings,
        policy=policy,
        ports=ports,
        intake=intake,
        reconciler=reconciler,
        sweep=sweep,
        desk=desk,
        dead_letters=DeadLetterService(
            letters=ports.letters, intake=intake, queues=ports.queues, clock=ports.clock
        ),
        canceller=Canceller(
            records=records,
            history=ports.history,
            queues=ports.queues,
            desk=desk,
            limits=settings.limits,
            clock=ports.clock,
        ),
        pauses=pauses,
        listing=listing,
        releaser=Releaser(
            records=records,
            history=ports.history,
            queues=ports.queues,
            desk=desk,
            limits=settings.limits,
            clock=ports.clock,
        ),
        queries=queries,
        gauges=StateGauges(
            queues=ports.queues,
            controls=controls,
            counts=count_records(listing.totals, ports.letters),
            costs=LastDay(blobs=ports.blobs, clock=ports.clock),
            clock=ports.clock,
        ),
        notices=NoticeService(
            channels=ports.channels,
            sources=NoticeSources(
                letters=ports.letters,
                queues=ports.queues,
                controls=controls,
                listing=ports.listing,
                retries=ports.retries,
                clock=ports.clock,
                behind_s=settings.notice_queue_behind_s,
            ),
            controls=controls,
            rules=NoticeRules(repeat_s=settings.notice_repeat_s),
            clock=ports.clock,
            new_owner=ports.new_owner,
        ),
    )


def open_ports(settings: Settings, telemetry: Telemetry = NO_TELEMETRY) -> Ports:
    """Open the adapters to Azure, or to what stands in for it on this machine."""
    meter = RateMeter()
    clients = ArmClients(_arm_endpoint(settings), meter, telemetry)
    storage = settings.storage
    account = StorageAccount(
        connection_string=storage.connection_string,
        queue_url=storage.queue_url,
        table_url=storage.table_url,
        blob_url=storage.blob_url,
        client_id=storage.client_id,
    )
    tables = account.tables()
    blob_service = account.blobs()
    blobs = None if blob_service is None else StorageBlobs(blob_service)
    endpoint = settings.outcome_topic_endpoint
    return Ports(
        gallery=ArmGallery(clients),
        catalogs=ArmCatalogs(clients=clients, clock=utc_now, ttl_s=settings.catalog_ttl_s),
        store=TableJobStore(Table(tables, "replications")),
        history=TableHistory(Table(tables, "history")),
        letters=ListedLetters(
            store=TableDeadLetters(Table(tables, "deadletters")),
            listing=TableListing(Table(tables, "listing"), partition="letters"),
        ),
        controls=TableControls(Table(tables, "controls")),
        listing=TableListing(Table(tables, "listing")),
        queues=StorageJobQueues(service=account.queues(), clock=utc_now),
        topic=open_topic(endpoint) if endpoint else NoTopic(),
        clock=utc_now,
        chance=random.SystemRandom().random,
        new_owner=lambda: uuid.uuid4().hex,
        meter=meter,
        estimates=_estimates(blobs),
        blobs=blobs,
        machines=ResourceGraph(clients),
        telemetry=telemetry,
        channels=_channels(settings),
    )


def _channels(settings: Settings) -> tuple[NoticeChannel, ...]:
    webhook, teams = settings.notice_webhook_url, settings.notice_teams_url
    return (
        *((open_webhook(webhook),) if webhook else ()),
        *((open_teams(teams),) if teams else ()),
    )


def _estimates(blobs: LedgerBlobs | None) -> Estimates:
    if blobs is None:
        return Estimates()
    books = PriceBooks(blobs=blobs, clock=utc_now)
    return Estimates(book=books.current, sizes=OccupiedSizes(blobs=blobs).all)


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _arm_endpoint(settings: Settings) -> ArmEndpoint:
    defaults = get_arm_endpoints(_CLOUDS[settings.cloud])
    url = settings.resource_manager_url or str(defaults["resource_manager"]).rstrip("/")
    return ArmEndpoint(
        url=url,
        scope=str(defaults["credential_scopes"][0]),
        anonymous=url.startswith("http://") and is_loopback(url),
        # A write must be over before the claim on the job lapses.
        read_timeout_s=min(30.0, settings.limits.lease_s / 2),
    )


_lock = threading.Lock()
_app: App | None = None


def get_app() -> App:
    """Return the app of this process, built from the environment when first asked for.

    Raises SettingsError or PolicyFileError that say what to mend.
    """
    global _app  # noqa: PLW0603 - one app a process, made when the first trigger fires
    with _lock:
        if _app is None:
            settings = Settings.from_env(os.environ, app_root=APP_ROOT)
            telemetry = open_telemetry(os.environ)
            ports = open_ports(settings, telemetry)
            _app = build_app(settings, load_policy(settings.policy_path), ports)
            duty = GaugeDuty(
                gauges=_app.gauges,
                controls=_app.gauges.controls,
                clock=ports.clock,
                owner=telemetry.instance,
                hold_s=hold_s(os.environ),
            )
            telemetry.watch(duty.read)
        return _app
