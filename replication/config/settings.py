"""The settings of the app, read once from the environment and checked whole."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from replication.config.schedules import absent_timers
from replication.domain.errors import GalleryReplicatorError
from replication.domain.limits import Limits
from replication.domain.urls import is_loopback

CLOUDS = ("AzurePublicCloud", "AzureUSGovernment", "AzureChinaCloud")
STORAGE_SETTING = "AzureWebJobsStorage"
DEFAULT_PRICES_URL = "https://prices.azure.com/api/retail/prices"
_STORAGE_SUFFIX = {
    "AzurePublicCloud": "core.windows.net",
    "AzureUSGovernment": "core.usgovcloudapi.net",
    "AzureChinaCloud": "core.chinacloudapi.cn",
}
_WEEK_S = 7 * 24 * 3600
_MAX_TRIES = 10_000
_MAX_DIGITS = 9
_MAX_TEXT = 1024
_MAX_SHOWN = 80
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


_IDENTITY_ID = re.compile(
    r"/subscriptions/[\w-]+/resourceGroups/[\w.()-]+/providers/Microsoft\.ManagedIdentity"
    r"/userAssignedIdentities/[\w-]+",
    re.IGNORECASE,
)
# Hosts of a cloud that may be shown a token; the first is the Resource Manager's own.
_ARM_HOSTS = {
    "AzurePublicCloud": "management.azure.com",
    "AzureUSGovernment": "management.usgovcloudapi.net",
    "AzureChinaCloud": "management.chinacloudapi.cn",
}
_TOPIC_HOSTS = {
    "AzurePublicCloud": "eventgrid.azure.net",
    "AzureUSGovernment": "eventgrid.azure.us",
    "AzureChinaCloud": "eventgrid.azure.cn",
}
# Stricter than clients, which do not agree on where a host ends behind other characters.
_PLAIN_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")


class SettingsError(GalleryReplicatorError):
    """Settings that cannot be used; the text names each and says what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """The app's storage account: a connection string, or its endpoints for an identity.

    The identity is named by its client id or its resource id, or not at all.
    """

    connection_string: str | None = None
    queue_url: str | None = None
    table_url: str | None = None
    blob_url: str | None = None
    client_id: str | None = None
    identity_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Whose tokens the app believes: of these tenants, made out to these audiences."""

    tenants: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read both as they are; letter case does not count."""
        return cls(
            tenants=_listed(env.get("SIGN_IN_TENANTS", "")),
            audiences=_listed(env.get("SIGN_IN_AUDIENCES", "")),
        )

    @property
    def is_set(self) -> bool:
        """Whether anybody can sign in."""
        return bool(self.tenants and self.audiences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; docs/settings.md explains each.

    The addresses for notices are secrets.
    """

    storage: StorageSettings
    cloud: str
    resource_manager_url: str | None
    policy_path: Path
    outcome_topic_endpoint: str | None
    limits: Limits
    catalog_ttl_s: float
    retail_prices_url: str = DEFAULT_PRICES_URL
    notice_webhook_url: str | None = field(default=None, repr=False)
    notice_teams_url: str | None = field(default=None, repr=False)
    notice_repeat_s: float = 24 * 3600.0
    notice_queue_behind_s: float = 900.0
    allowed_subscriptions: frozenset[str] = frozenset()
    sign_in: SignIn = SignIn()
    absent_timers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, app_root: Path) -> Self:
        """Read the settings; raises SettingsError that names every mistake.

        A relative policy path is taken from the app's folder, whatever the working folder is.
        """
        reader = _Reader(env)
        cloud = reader.one_of("AZURE_CLOUD", CLOUDS, default=CLOUDS[0])
        settings = cls(
            storage=reader.storage(cloud),
            cloud=cloud,
            resource_manager_url=reader.cloud_url("AZURE_RESOURCE_MANAGER_URL", cloud, _ARM_HOSTS),
            policy_path=app_root / reader.path("REPLICATION_POLICY", "replication-policy.yaml"),
            outcome_topic_endpoint=reader.cloud_url("OUTCOME_TOPIC_ENDPOINT", cloud, _TOPIC_HOSTS),
            limits=_limits(reader),
            catalog_ttl_s=reader.number("REGION_CATALOG_TTL_S", 6 * 3600, at_least=1),
            retail_prices_url=reader.url("RETAIL_PRICES_URL", DEFAULT_PRICES_URL)
            or DEFAULT_PRICES_URL,
            notice_webhook_url=reader.secret_url("NOTICE_WEBHOOK_URL"),
            notice_teams_url=reader.secret_url("NOTICE_TEAMS_URL"),
            notice_repeat_s=3600 * reader.number("NOTICE_REPEAT_H", 24, at_least=1),
            notice_queue_behind_s=reader.number("NOTICE_QUEUE_BEHIND_S", 900, at_least=1),
            allowed_subscriptions=reader.ids("ALLOWED_SUBSCRIPTIONS", of="subscription"),
            sign_in=reader.sign_in(),
            absent_timers=absent_timers(env),
        )
        if reader.problems:
            raise SettingsError("\n".join(reader.problems))
        return settings


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").lower().split())


def _is_safe_url(text: str) -> bool:
    # A client would drop line ends, and stumble over the rest only when it is used.
    if not text.isprintable() or set(text) & set(" \\") or len(text) > _MAX_TEXT:
        return False
    with suppress(ValueError):  # of a port or of an address in brackets that is none
        parts = urlsplit(text)
        if parts.port == 0 or not parts.hostname:
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text))
    return False


def _shown(text: str) -> str:
    return repr(text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…")


def _limits(reader: "_Reader") -> Limits:
    base = Limits()
    limits = Limits(
        tracking_min_s=reader.number("TRACKING_MIN_DELAY_S", base.tracking_min_s),
        tracking_max_s=reader.number("TRACKING_MAX_DELAY_S", base.tracking_max_s),
        retry_base_s=reader.number("RETRY_BASE_DELAY_S", base.retry_base_s),
        retry_max_s=reader.number("RETRY_MAX_DELAY_S", base.retry_max_s),
        lease_s=reader.number("LEASE_DURATION_S", base.lease_s, at_least=1),
        deadline_s=3600
        * reader.number("REPLICATION_DEADLINE_H", base.deadline_s / 3600, at_least=0.001),
        overdue_after_s=reader.number("OVERDUE_AFTER_S", base.overdue_after_s),
        refusal_memory_s=3600
        * reader.number("REGION_REFUSAL_MEMORY_H", base.refusal_memory_s / 3600),
        stuck_min_s=reader.number("STUCK_MIN_S", base.stuck_min_s),
        circuit_hold_s=reader.number("CIRCUIT_HOLD_S", base.circuit_hold_s),
        circuit_memory_s=3600 * reader.number("CIRCUIT_MEMORY_H", base.circuit_memory_s / 3600),
        circuit_probe_s=3600 * reader.number("CIRCUIT_PROBE_H", base.circuit_probe_s / 3600),
        retry_max_attempts=reader.count("RETRY_MAX_ATTEMPTS", base.retry_max_attempts),
        region_max_attempts=reader.count("REGION_MAX_ATTEMPTS", base.region_max_attempts),
        write_max_attempts=reader.count("WRITE_MAX_ATTEMPTS", base.write_max_attempts),
        unknown_max_attempts=reader.count("UNKNOWN_MAX_ATTEMPTS", base.unknown_max_attempts),
        circuit_failures=reader.count("CIRCUIT_FAILURES", base.circuit_failures),
    )
    for low, high, names in (
        (limits.tracking_min_s, limits.tracking_max_s, "TRACKING_MIN_DELAY_S"),
        (limits.retry_base_s, limits.retry_max_s, "RETRY_BASE_DELAY_S"),
    ):
        if low > high:
            partner = names.replace("MIN", "MAX").replace("BASE", "MAX")
            reader.problems.append(f"{names} ({low:g}) is more than {partner} ({high:g})")
    return limits


class _Reader:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._env.get(name, "").strip() or default

    def one_of(self, name: str, words: tuple[str, ...], *, default: str) -> str:
        word = self.text(name, default)
        if word not in words:
            self.problems.append(f"{name} is {_shown(word)}; it is one of {', '.join(words)}")
        return word

    def ids(self, name: str, *, of: str) -> frozenset[str]:
        """Read ids with commas or blanks between them; they have no letter case."""
        found = _listed(self.text(name, ""))
        wrong = next((one for one in found if not _GUID.fullmatch(one)), None)
        if wrong is not None:
            self.problems.append(
                f"{name} holds {_shown(wrong)}; it is a list of {of} ids, such as "
                "11111111-2222-3333-4444-555555555555"
            )
        return found

    def sign_in(self) -> SignIn:
        self.ids("SIGN_IN_TENANTS", of="tenant")
        found = SignIn.from_env(self._env)
        wrong = next((one for one in found.audiences if not one.isprintable()), None)
        if wrong is not None:
            self.problems.append(
                f"SIGN_IN_AUDIENCES holds {_shown(wrong)}; it is a list of client ids or of "
                "addresses such as api://11111111-2222-3333-4444-555555555555"
            )
        if bool(found.tenants) != bool(found.audiences):
            self.problems.append(
                "SIGN_IN_TENANTS and SIGN_IN_AUDIENCES go together; one of them is missing"
            )
        return found

    def path(self, name: str, default: str) -> str:
        text = self.text(name, default)
        if not text.isprintable() or len(text) > _MAX_TEXT:
            self.problems.append(f"{name} is {_shown(text)}; it is the path of a file")
        return text

    def number(self, name: str, default: float, *, at_least: float = 0.0) -> float:
        text = self.text(name, str(default))
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not at_least <= value <= _WEEK_S:
            self.problems.append(
                f"{name} is {_shown(text)}; it is a number from {at_least:g} to {_WEEK_S}"
            )
            return default
        return value

    def count(self, name: str, default: int) -> int:
        text = self.text(name, str(default))
        digits = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        if not digits or not 1 <= int(text) <= _MAX_TRIES:
            self.problems.append(
                f"{name} is {_shown(text)}; it is a whole number from 1 to {_MAX_TRIES}"
            )
            return default
        return int(text)

    def url(self, name: str, default: str = "") -> str | None:
        text = self.text(name, default).rstrip("/")
        if not text:
            return None
        if _is_safe_url(text):
            return text
        self.problems.append(
            f"{name} is {_shown(text)}; it is an https URL, or plain http to this machine only"
        )
        return None

    def cloud_url(self, name: str, cloud: str, hosts: Mapping[str, str]) -> str | None:
        """Read the address of a service that is shown a token: this cloud's or this machine's."""
        url = self.url(name)
        if url is None:
            return None
        host = hosts.get(cloud, hosts[CLOUDS[0]])
        netloc = urlsplit(url).netloc.lower()
        is_of_cloud = f".{netloc.partition(':')[0]}".endswith(f".{host}")
        if _PLAIN_HOST.fullmatch(netloc) and (is_of_cloud or is_loopback(url)):
            return url
        self.problems.append(
            f"{name} is {_shown(url)}; the app would show its token there, so it is this machine, "
            f"or {host} or a host below it, as AZURE_CLOUD says"
        )
        return None

    def secret_url(self, name: str) -> str | None:
        """Read a URL that no message may show."""
        text = self.text(name, "")
        if not text or _is_safe_url(text):
            return text or None
        self.problems.append(
            f"{name} is not an https URL, nor plain http to this machine; it is not shown here"
        )
        return None

    def storage(self, cloud: str) -> StorageSettings:
        connection_string = self.text(STORAGE_SETTING, "")
        if connection_string:
            return StorageSettings(connection_string=connection_string)
        account = self.text(f"{STORAGE_SETTING}__accountName", "")
        if account and not _ACCOUNT.fullmatch(account):
            self.problems.append(
                f"{STORAGE_SETTING}__accountName is {_shown(account)}; it has 3 to 24 small "
                "letters and digits"
            )
            account = "unusable"
        suffix = _STORAGE_SUFFIX.get(cloud, _STORAGE_SUFFIX[CLOUDS[0]])
        queue_default = f"https://{account}.queue.{suffix}" if account else ""
        table_default = f"https://{account}.table.{suffix}" if account else ""
        found = len(self.problems)
        queue_url = self.url(f"{STORAGE_SETTING}__queueServiceUri", queue_default)
        table_url = self.url(f"{STORAGE_SETTING}__tableServiceUri", table_default)
        if not (queue_url and table_url) and len(self.problems) == found:
            self.problems.append(
                f"{STORAGE_SETTING} is missing: set a connection string, or "
                f"{STORAGE_SETTING}__accountName, or both {STORAGE_SETTING}__queueServiceUri and "
                f"{STORAGE_SETTING}__tableServiceUri"
            )
        # Only the cost audit needs blobs; who names both others has the third beside them.
        beside = queue_default or queue_url or ""
        blob_default = beside.replace(".queue.", ".blob.")
        has_blobs = blob_default != beside
        blob_url = self.url(f"{STORAGE_SETTING}__blobServiceUri", blob_default if has_blobs else "")
        return StorageSettings(
            queue_url=queue_url,
            table_url=table_url,
            blob_url=blob_url,
            client_id=self.text(f"{STORAGE_SETTING}__clientId", "") or None,
            identity_id=self._identity_id(),
        )

    def _identity_id(self) -> str | None:
        name = f"{STORAGE_SETTING}__managedIdentityResourceId"
        text = self.text(name, "")
        if text and not _IDENTITY_ID.fullmatch(text):
            self.problems.append(
                f"{name} is {_shown(text)}; it is the resource id of a user-assigned identity, "
                "/subscriptions/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…"
            )
        if text and self.text(f"{STORAGE_SETTING}__clientId", ""):
            self.problems.append(
                f"{name} and {STORAGE_SETTING}__clientId name an identity each; set one of them"
            )
        return text or None
