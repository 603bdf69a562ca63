"""Post digests to a webhook. Its address holds a secret: no error, log line or repr shows it."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineContext, PipelineResponse
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse

from replication.azure.retry import BoundedRetry
from replication.domain.errors import (
    FailureCode,
    PermanentError,
    ReplicationError,
    ThrottledError,
    TransientError,
)
from replication.notices.digest import Digest, cloud_event, teams_message


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Implements the NoticeChannel port; `url` is https, or plain http to this machine.

    A blip is retried twice: a receiver tells doubles by the digest's id. A redirect is refused.
    """

    name: str
    url: str = field(repr=False)
    document: Callable[[Digest], dict[str, Any]]
    media_type: str
    timeout_s: float = 10.0
    first_pause_s: float = 0.4

    def send(self, digest: Digest) -> None:
        body = json.dumps(self.document(digest), ensure_ascii=False).encode()
        problem: ReplicationError | None
        # Raised below, so that no error that names the address hangs on to it.
        try:
            problem = self._post(body)
        except AzureError as error:
            kind = type(error).__name__
            problem = TransientError(f"the {self.name} gave no answer ({kind})", code="webhook")
        except (ValueError, OSError) as error:
            kind = type(error).__name__
            problem = PermanentError(
                f"the {self.name}'s address cannot be used ({kind})",
                code=FailureCode.INVALID_REQUEST,
            )
        if problem is not None:
            raise problem

    def _post(self, body: bytes) -> ReplicationError | None:
        request = HttpRequest(
            "POST", self.url, content=body, headers={"Content-Type": self.media_type}
        )
        with self._client() as client, _unlogged():
            # A stream, so that nothing waits for a body that nobody reads.
            response = client.send_request(
                request, stream=True, retry_on_methods=frozenset({"POST"})
            )
            response.close()
        status = response.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        # What it says is left unread: it may repeat the address.
        message = f"the {self.name} answered {status}"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return ThrottledError(message, retry_after_s=_retry_after_s(response))
        if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError(
                message, code=f"webhook_{status}", retry_after_s=_retry_after_s(response)
            )
        return PermanentError(message, code=FailureCode.INVALID_REQUEST)

    def _client(self) -> PipelineClient[HttpRequest, HttpResponse]:
        return PipelineClient(
            self.url,
            policies=[
                UserAgentPolicy("gallery-replicator"),
                BoundedRetry(
                    tries=2,
                    longest_wait_s=20.0,  # unless the next run comes before that
                    retry_backoff_factor=self.first_pause_s,
                    timeout=90,
                ),
            ],
            connection_timeout=5.0,
            read_timeout=self.timeout_s,
        )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Drop the lines in which the transport, when it is debugged, names paths and queries."""
    thread = threading.get_ident()
    transport = logging.getLogger("urllib3.connectionpool")

    def of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    transport.addFilter(of_another_thread)
    try:
        yield
    finally:
        transport.removeFilter(of_another_thread)


def open_webhook(url: str) -> Webhook:
    """Open the webhook that takes CloudEvents."""
    media_type = "application/cloudevents+json; charset=utf-8"
    return Webhook(name="webhook", url=url, document=cloud_event, media_type=media_type)


def open_teams(url: str) -> Webhook:
    """Open a Teams channel, by the webhook of a workflow."""
    media_type = "application/json; charset=utf-8"
    return Webhook(name="teams", url=url, document=teams_message, media_type=media_type)


def _retry_after_s(response: HttpResponse) -> float | None:
    answer = PipelineResponse(response.request, response, PipelineContext(None))
    return BoundedRetry().get_retry_after(answer)
