"""The adapters behind the ports, in Azure or on this machine."""

import random
import uuid
from datetime import UTC, datetime
from pathlib import Path

from azure.core import AzureClouds
from azure.mgmt.core.tools import get_arm_endpoints

from bootstrap.app import Ports
from costs.azure.blobs import StorageBlobs
from costs.azure.resource_graph import ResourceGraph
from costs.ports import CostPorts
from replication.azure.arm.clients import ArmClients, ArmEndpoint
from replication.azure.arm.gallery import ArmGallery
from replication.azure.arm.locations import ArmCatalogs
from replication.azure.outcome_topic import NoTopic, open_topic
from replication.azure.storage.clients import StorageAccount
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.azure.storage.history import TableHistory
from replication.azure.storage.job_store import TableJobStore
from replication.azure.storage.listing import TableListing
from replication.azure.storage.queues import StorageJobQueues
from replication.azure.storage.shared_state import TableControls
from replication.azure.storage.tables import Table
from replication.azure.webhook import open_teams, open_webhook
from replication.config.settings import Settings
from replication.dead_letters.index import ListedLetters
from replication.domain.urls import is_loopback
from replication.guards.rate_meter import RateMeter
from replication.notices.service import NoticeChannel
from replication.telemetry.port import NO_TELEMETRY, Telemetry

APP_ROOT = Path(__file__).resolve().parent.parent
_CLOUDS = {
    "AzurePublicCloud": AzureClouds.AZURE_PUBLIC_CLOUD,
    "AzureUSGovernment": AzureClouds.AZURE_US_GOVERNMENT,
    "AzureChinaCloud": AzureClouds.AZURE_CHINA_CLOUD,
}


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
        identity_id=storage.identity_id,
    )
    tables = account.tables()
    blobs = account.blobs()
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
        topic=open_topic(endpoint, settings.cloud) if endpoint else NoTopic(),
        clock=utc_now,
        chance=random.SystemRandom().random,
        new_owner=lambda: uuid.uuid4().hex,
        meter=meter,
        costs=CostPorts(
            blobs=None if blobs is None else StorageBlobs(blobs), consumers=ResourceGraph(clients)
        ),
        telemetry=telemetry,
        channels=_channels(settings),
    )


def _channels(settings: Settings) -> tuple[NoticeChannel, ...]:
    webhook, teams = settings.notice_webhook_url, settings.notice_teams_url
    return (
        *((open_webhook(webhook),) if webhook else ()),
        *((open_teams(teams),) if teams else ()),
    )


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
