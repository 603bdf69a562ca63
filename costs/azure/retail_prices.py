"""The Retail Prices API: public, without a token, read page by page."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse

from costs.ports import SOURCE
from replication.azure.retry import BoundedRetry
from replication.domain.errors import (
    FailureCode,
    MalformedError,
    PermanentError,
    ReplicationError,
    ThrottledError,
    TransientError,
)

# The first one whose filters tell upper from lower case.
_API_VERSION = "2023-01-01-preview"
_AZURE_HOST = "prices.azure.com"
_MAX_MESSAGE = 300
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class RetailPrices:
    """Implements the RetailList port; `url` is https, or plain http to this machine.

    A blip is retried four times, with growing pauses or those that the service asks for. A
    redirect is refused.
    """

    url: str
    read_timeout_s: float = 30.0
    first_pause_s: float = 0.4
    # A meter has some seventy rows, a page up to a thousand; more pages than this are a circle.
    max_pages: int = 100

    @property
    def source(self) -> str:
        """Say where the prices come from: another address than Azure's own is named."""
        host = urlsplit(self.url).netloc
        return SOURCE if host == _AZURE_HOST else f"{SOURCE} at {host}"

    def rows(self, filter_text: str, currency: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of every page.

        Raises MalformedError for an answer that is no list of prices, ThrottledError,
        TransientError, and PermanentError for a question that the service refuses.
        """
        query = {
            "api-version": _API_VERSION,
            "currencyCode": f"'{currency}'",
            "meterRegion": "'primary'",
            "$filter": filter_text,
        }
        with self._client() as client:
            request = HttpRequest("GET", self.url, params=query)
            for _ in range(self.max_pages):
                page = _page(client, request)
                yield from _items(page)
                link = page.get("NextPageLink")
                if not link:
                    return
                request = HttpRequest("GET", self._checked(link))
        raise MalformedError(
            f"the price list has more than {self.max_pages} pages for {filter_text}"
        )

    def _client(self) -> PipelineClient[HttpRequest, HttpResponse]:
        return PipelineClient(
            self.url,
            policies=[
                UserAgentPolicy("gallery-replicator"),
                BoundedRetry(
                    tries=4,
                    longest_wait_s=60.0,  # a person waits
                    retry_backoff_factor=self.first_pause_s,
                    timeout=180,
                ),
            ],
            connection_timeout=5.0,
            read_timeout=self.read_timeout_s,
        )

    def _checked(self, link: object) -> str:
        """Return the link to the next page; raises MalformedError where it leads elsewhere."""
        if not isinstance(link, str) or _origin(link) != _origin(self.url):
            raise MalformedError(
                f"the price list links its next page to {str(link)[:80]!r}, not to {self.url}"
            )
        return link


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port; Azure's own links name the port 443."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _page(
    client: PipelineClient[HttpRequest, HttpResponse], request: HttpRequest
) -> Mapping[str, Any]:
    try:
        response = client.send_request(request)
        text = response.text()
    except AzureError as error:
        message = " ".join(str(error).split())[:_MAX_MESSAGE]
        raise TransientError(f"the price list: {message}", code="prices_unreachable") from error
    except UnicodeDecodeError as error:
        raise MalformedError("the price list answered in no known encoding") from error
    if response.status_code != HTTPStatus.OK:
        raise _refusal(response, text)
    try:
        # As Decimal, so that 0.05 stays 0.05.
        page = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"the price list answered no JSON: {error}") from error
    if not isinstance(page, dict):
        raise MalformedError("the price list answered no JSON object")
    return page


def _items(page: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    items = page.get("Items")
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise MalformedError("the price list answered a page without a list of Items")
    yield from items


def _refusal(response: HttpResponse, text: str) -> ReplicationError:
    status = response.status_code
    message = f"the price list answered {status}: {' '.join(text.split())[:_MAX_MESSAGE]}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(message)
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError(message, code=f"prices_{status}")
    return PermanentError(message, code=FailureCode.INVALID_REQUEST)
