"""Publish outcomes to an Event Grid topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AccessToken, AzureKeyCredential, TokenCredential
from azure.core.exceptions import AzureError
from azure.eventgrid import EventGridEvent, EventGridPublisherClient

from replication.azure.identity import own_credential
from replication.domain.errors import FailureCode, PermanentError, TransientError
from replication.ports import OutcomeEvent

_DATA_VERSION = "1"
_SCOPES = {
    "AzurePublicCloud": "https://eventgrid.azure.net/.default",
    "AzureUSGovernment": "https://eventgrid.azure.us/.default",
    "AzureChinaCloud": "https://eventgrid.azure.cn/.default",
}


@dataclass(frozen=True, slots=True)
class EventGridTopic:
    """Implements the OutcomeTopic port."""

    client: EventGridPublisherClient

    def publish(self, events: Sequence[OutcomeEvent]) -> None:
        batch = [
            EventGridEvent(
                id=event.id,
                subject=event.subject,
                event_type=event.type,
                event_time=event.at,
                data=dict(event.data),
                data_version=_DATA_VERSION,
            )
            for event in events
        ]
        try:
            # This client takes no heed of `retry_total` when it is built, only here.
            self.client.send(batch, retry_total=0)
        except AzureError as error:
            raise TransientError(f"the outcome topic: {error}", code="topic") from error
        except ValueError as error:
            raise PermanentError(
                f"the outcome topic's address: {error}", code=FailureCode.INVALID_REQUEST
            ) from error


class NoTopic:
    """Stands where no topic is configured."""

    def publish(self, events: Sequence[OutcomeEvent]) -> None:
        """Publish nothing."""


@dataclass(frozen=True, slots=True)
class _OfCloud:
    """A credential for a cloud's Event Grid: the client asks for the public cloud's, always."""

    credential: TokenCredential
    scope: str

    def get_token(self, *_scopes: str, **options: Any) -> AccessToken:
        return self.credential.get_token(self.scope, **options)


def open_topic(endpoint: str, cloud: str) -> EventGridTopic:
    """Open the topic with the app's identity; a plain-http topic on this machine gets none."""
    credential: TokenCredential | AzureKeyCredential
    if endpoint.startswith("http://"):
        credential = AzureKeyCredential("local")
    else:
        credential = _OfCloud(own_credential(), _SCOPES[cloud])
    client = EventGridPublisherClient(endpoint, credential, connection_timeout=5, read_timeout=10)
    return EventGridTopic(client)
