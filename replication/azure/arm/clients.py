"""Build the ARM clients: identity, no retries inside a call, no polling threads."""

import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from replication.azure.arm.rate_headers import RateHeaderPolicy
from replication.azure.arm.telemetry import ArmTelemetryPolicy
from replication.azure.identity import own_credential
from replication.guards.rate_meter import RateMeter
from replication.telemetry.port import NO_TELEMETRY, Telemetry

MAX_CLIENTS = 50
_CONNECT_TIMEOUT_S = 5.0


class _NoRegistration(SansIOHTTPPolicy[HttpRequest, HttpResponse]):
    """Keep the client from registering a provider on its own, which sleeps until that is done."""

    def on_response(
        self,
        request: PipelineRequest[HttpRequest],
        response: PipelineResponse[HttpRequest, HttpResponse],
    ) -> None:
        del request
        answer = response.http_response
        if answer.status_code == HTTPStatus.CONFLICT:
            answer.read()
            if "MissingSubscriptionRegistration" in answer.text():
                raise HttpResponseError(response=answer)


class _NoCredential:
    """Stands where a client insists on a credential that is never used."""

    def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        raise AssertionError(f"no token may be asked for {scopes}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmEndpoint:
    """Where ARM answers; `anonymous` for a plain-http ARM on this machine, which gets no token."""

    url: str
    scope: str
    anonymous: bool
    read_timeout_s: float = 30.0


@dataclass(slots=True)
class ArmClients:
    """One client a subscription, made when first used and shared by all threads.

    At most `MAX_CLIENTS` are kept, those that were used last.
    """

    endpoint: ArmEndpoint
    meter: RateMeter = field(default_factory=RateMeter)
    telemetry: Telemetry = NO_TELEMETRY
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _compute: dict[str, ComputeManagementClient] = field(default_factory=dict)
    _credential: TokenCredential | None = None
    _subscriptions: SubscriptionClient | None = None

    def compute(self, subscription_id: str) -> ComputeManagementClient:
        """Return the Compute client of a subscription."""
        with self._lock:
            client = self._compute.pop(subscription_id, None) or ComputeManagementClient(
                self._any_credential(), subscription_id, **self._options()
            )
            self._compute[subscription_id] = client
            if len(self._compute) > MAX_CLIENTS:
                # The one that was used last stands last. Whoever still uses the first keeps it.
                del self._compute[next(iter(self._compute))]
            return client

    def subscriptions(self) -> SubscriptionClient:
        """Return the client for subscriptions and their locations."""
        with self._lock:
            if self._subscriptions is None:
                self._subscriptions = SubscriptionClient(self._any_credential(), **self._options())
            return self._subscriptions

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._compute.values():
                client.close()
            if self._subscriptions is not None:
                self._subscriptions.close()

    def _any_credential(self) -> TokenCredential:
        if self.endpoint.anonymous:
            return _NoCredential()
        if self._credential is None:
            self._credential = own_credential()
        return self._credential

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "base_url": self.endpoint.url,
            "credential_scopes": [self.endpoint.scope],
            # azure-core would sleep through a Retry-After and send a stale body again.
            "retry_total": 0,
            "per_retry_policies": [
                _NoRegistration(),
                RateHeaderPolicy(self.meter),
                ArmTelemetryPolicy(self.telemetry),
            ],
            "connection_timeout": _CONNECT_TIMEOUT_S,
            "read_timeout": self.endpoint.read_timeout_s,
        }
        if self.endpoint.anonymous:
            options["authentication_policy"] = SansIOHTTPPolicy()
        return options
