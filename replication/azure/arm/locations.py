"""The region catalog of each subscription, from ARM, with a shipped snapshot behind it.

The snapshot serves where ARM refuses to answer, for good. A trouble that passes is no reason to
plan with it: it would name regions that this subscription may not use.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from replication.azure.arm.clients import ArmClients
from replication.azure.arm.errors import classify
from replication.domain.errors import TransientError
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import RegionCatalog, build_catalog
from replication.telemetry.log import log_outcome

MAX_KEPT = 200
_MAX_REASON = 400
_PROVIDER_API_VERSION = "2021-04-01"
_VERSION_TYPE = "galleries/images/versions"
# An answer of another shape than ARM's shows as one of those after the first.
_UNREADABLE = (AzureError, ValueError, TypeError, AttributeError, LookupError, RecursionError)


@dataclass(slots=True)
class _Known:
    """What is known of one subscription, and until when; Azure is asked under the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    answer: tuple[datetime, RegionCatalog] | None = None


@dataclass(slots=True, kw_only=True)
class ArmCatalogs:
    """Implements the Catalogs port; asks ARM again after `ttl_s`, sooner after a failure.

    At most `MAX_KEPT` subscriptions are remembered, those that were asked for last.
    """

    clients: ArmClients
    clock: Callable[[], datetime]
    ttl_s: float = 6 * 3600
    retry_s: float = 60
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[str, _Known] = field(default_factory=dict)

    def of(self, subscription_id: str) -> RegionCatalog:
        key = subscription_id.lower()
        with self._lock:
            known = self._known[key] = self._known.pop(key, _Known())
            if len(self._known) > MAX_KEPT:  # the one that was asked for last stands last
                del self._known[next(iter(self._known))]
        # One thread asks, and the others that want the same subscription wait for its answer.
        with known.lock:
            now, last = self.clock(), known.answer
            if last is not None and now < last[0]:
                return last[1]
            catalog, complete = self._fetch(subscription_id, last[1] if last else None)
            lasts_s = self.ttl_s if complete else self.retry_s
            known.answer = (now + timedelta(seconds=lasts_s), catalog)
            return catalog

    def _fetch(
        self, subscription_id: str, last: RegionCatalog | None
    ) -> tuple[RegionCatalog, bool]:
        try:
            found = self.clients.subscriptions().subscriptions.list_locations(subscription_id)
            locations = [location.as_dict() for location in found]
            if not locations:
                raise ValueError("an empty list of regions")
        except _UNREADABLE as error:
            self._log(subscription_id, "locations", error)
            return last or _unless_it_passes(error, shipped_catalog()), False
        offered = None
        source = f"Azure Resource Manager, {self.clock():%Y-%m-%d %H:%M} UTC"
        try:
            offered = self._offered(subscription_id)
        except _UNREADABLE as error:
            self._log(subscription_id, "providers/Microsoft.Compute", error)
            if last is not None:
                return last, False
            _unless_it_passes(error, None)
        # An answer that does not name the type is as good as none, and not kept for long.
        complete = offered is not None
        if offered is None:
            source += "; where gallery image versions are offered could not be asked"
        return build_catalog(locations, provider_locations=offered, source=source), complete

    def _offered(self, subscription_id: str) -> list[str]:
        request = HttpRequest(
            "GET",
            f"/subscriptions/{subscription_id}/providers/Microsoft.Compute",
            params={"api-version": _PROVIDER_API_VERSION},
        )
        response = self.clients.subscriptions().send_request(request)
        response.raise_for_status()
        body: Any = response.json()
        for one in body.get("resourceTypes") or ():
            if str(one.get("resourceType")).lower() == _VERSION_TYPE:
                return [name for name in one["locations"] if isinstance(name, str)]
        raise LookupError(f"the answer does not name {_VERSION_TYPE}")

    def _log(self, subscription_id: str, what: str, error: Exception) -> None:
        reason = (
            str(classify(error)) if isinstance(error, AzureError) else repr(error)[:_MAX_REASON]
        )
        log_outcome(
            "catalog.unavailable",
            level=logging.WARNING,
            subscription_id=subscription_id,
            asked=what,
            reason=reason,
        )


def _unless_it_passes[Catalog](error: Exception, fallback: Catalog) -> Catalog:
    """Return the fallback for a refusal; raises TransientError for a trouble that passes."""
    if isinstance(error, AzureError):
        meant = classify(error)
        if isinstance(meant, TransientError):
            raise meant from error
    return fallback
