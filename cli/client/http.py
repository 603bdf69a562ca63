"""HTTP calls of a deployed app: who calls, what an answer means, and what is tried again.

A call goes to the one address that was named and is redirected nowhere, so that a token or a key
reaches nobody else; neither is logged. Only reading is tried again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import AzureKeyCredential, TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    ServiceRequestError,
)
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import (
    AzureKeyCredentialPolicy,
    BearerTokenCredentialPolicy,
    RetryPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import HttpTransport, RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from api.schemas.base import Answer, ShapeError
from cli.client.protocol import RefusedError, UnavailableError
from cli.terminal.errors import CommandError, ExitCode, NotAllowedError, NotFoundError, UsageProblem
from replication.domain.urls import is_loopback

KEY_HEADER = "x-functions-key"
_CONNECT_TIMEOUT_S = 10.0
# The front end of Azure gives up an answer after 230 seconds.
_ACT_TIMEOUT_S = 240.0
_MAX_WAIT_S = 10.0
_MAX_ANSWER = 32 * 1024 * 1024
_MAX_DETAIL = 1000
_PROBLEM = "application/problem+json"
# What problem details mean; what is not here is no mistake of the caller's.
_ERRORS: dict[int, Callable[[str], CommandError]] = {
    HTTPStatus.BAD_REQUEST: UsageProblem,
    HTTPStatus.LENGTH_REQUIRED: UsageProblem,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: UsageProblem,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: RefusedError,
}
_SIGN_IN = (
    "sign in (az login) and name the app's registration with --scope api://<client id>, "
    "or set GALLERY_REPLICATOR_KEY to a function key"
)


class _BoundedRetry(RetryPolicy[HttpRequest, HttpResponse]):
    """Waits as long as the app asks for, but no longer than a person does."""

    def sleep(self, settings: dict[str, Any], transport: Any, response: Any = None) -> None:
        """Wait, holding no connection of a call that is tried again."""
        if response is not None:
            response.http_response.close()
        super().sleep(settings, transport, response)

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Return how long to wait, in seconds."""
        asked_s = super().get_retry_after(response)
        return None if asked_s is None else min(asked_s, _MAX_WAIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Calls the API; raises CommandError in the words of the command line."""

    root: str
    client: PipelineClient[HttpRequest, HttpResponse]
    timeout_s: float

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def get[A: Answer](
        self, path: str, schema: type[A], params: Mapping[str, str] | None = None
    ) -> A:
        """Read; what is out of reach for a moment is tried again."""
        request = HttpRequest("GET", f"{self.root}/api/v1/{path}", params=dict(params or {}))
        return self._call(request, schema, read_timeout=self.timeout_s)

    def get_text(self, path: str, params: Mapping[str, str]) -> str:
        """Read what is no JSON document, such as a table."""
        request = HttpRequest("GET", f"{self.root}/api/v1/{path}", params=dict(params))
        response, content = self._send(request, read_timeout=self.timeout_s)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(response, _document(content))
        if "html" in _media_type(response):
            raise CommandError(self._no_json(response), exit_code=ExitCode.FAILED)
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise CommandError(
                f"{self.root} answers with something that is no text; is it the app?",
                exit_code=ExitCode.FAILED,
            ) from error

    def post[A: Answer](
        self, path: str, schema: type[A], body: Mapping[str, Any] | None = None
    ) -> A:
        """Act, once."""
        request = HttpRequest("POST", f"{self.root}/api/v1/{path}", json=dict(body or {}))
        timeout_s = max(self.timeout_s, _ACT_TIMEOUT_S)
        return self._call(request, schema, read_timeout=timeout_s, retry_total=0)

    def _call[A: Answer](self, request: HttpRequest, schema: type[A], **options: Any) -> A:
        response, content = self._send(request, **options)
        document = _document(content)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise self._refusal(response, document)
        return self._answer(response, document, schema)

    def _send(self, request: HttpRequest, **options: Any) -> tuple[HttpResponse, bytes]:
        try:
            response = self.client.send_request(request, stream=True, **options)
            try:
                return response, self._read(response)
            finally:
                response.close()
        except ClientAuthenticationError as error:
            raise NotAllowedError(f"no token for {self.root}: {_first_line(error)}") from error
        except ServiceRequestError as error:
            raise UnavailableError(f"{self.root} cannot be reached: {_reason(error)}") from error
        except AzureError as error:
            raise UnavailableError(self._unknown(request, error)) from error

    def _read(self, response: HttpResponse) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _MAX_ANSWER:
                raise UnavailableError(
                    f"the answer of {self.root} is longer than {_MAX_ANSWER} bytes"
                )
        return bytes(content)

    def _unknown(self, request: HttpRequest, error: AzureError) -> str:
        sentence = f"{self.root} was asked and gave no whole answer: {_reason(error)}"
        if request.method == "GET":
            return sentence
        return f"{sentence}; whether it was done is not known, look before you ask again"

    def _answer[A: Answer](self, response: HttpResponse, document: Any, schema: type[A]) -> A:
        if not isinstance(document, dict):
            raise CommandError(self._no_json(response), exit_code=ExitCode.FAILED)
        try:
            return schema.of_document(document)
        except ShapeError as error:
            raise CommandError(
                f"{self.root} answers in another shape than this release reads ({error}); "
                "is it the app, and of this release?",
                exit_code=ExitCode.FAILED,
            ) from error

    def _no_json(self, response: HttpResponse) -> str:
        if "html" in _media_type(response):
            return (
                f"{self.root} answers with a web page and not with JSON; it looks like a page to "
                f"sign in at, or is not the app: {_SIGN_IN}"
            )
        return f"{self.root} answers with something that is no JSON object; is it the app?"

    def _refusal(self, response: HttpResponse, document: Any) -> CommandError:
        status = response.status_code
        detail = document.get("detail") if isinstance(document, dict) else None
        ours = _media_type(response) == _PROBLEM and isinstance(detail, str)
        sentence = " ".join(detail.split())[:_MAX_DETAIL] if isinstance(detail, str) else ""
        if status < HTTPStatus.BAD_REQUEST:
            return self._redirected(response)
        if status == HTTPStatus.UNAUTHORIZED:
            return NotAllowedError(
                f"{self.root} does not know who calls ({sentence or 401}): {_SIGN_IN}"
            )
        if status == HTTPStatus.FORBIDDEN:
            return NotAllowedError(
                f"{self.root} forbids it: {sentence or 'it does not say why (403)'}"
            )
        return _ERRORS.get(status, UnavailableError)(sentence) if ours else self._stranger(status)

    def _redirected(self, response: HttpResponse) -> CommandError:
        target = _host(response.headers.get("Location", ""))
        return NotAllowedError(
            f"{self.root} sends the call elsewhere ({target}), as to a page to sign in at, and "
            f"calls follow nowhere: {_SIGN_IN}"
        )

    def _stranger(self, status: int) -> CommandError:
        if status == HTTPStatus.NOT_FOUND:
            return CommandError(
                f"{self.root} has no such call: is it the app, and of this release?",
                exit_code=ExitCode.FAILED,
            )
        return UnavailableError(f"{self.root} answers {status}, and the app does not say why")


def open_api(
    root: str,
    *,
    scope: str | None,
    key: str | None,
    credential: TokenCredential | None = None,
    transport: HttpTransport[Any, Any] | None = None,
    timeout_s: float,
) -> Api:
    """Return the API at an address; a credential is taken from the surroundings where needed."""
    policies: list[Any] = [
        UserAgentPolicy(base_user_agent="gallery-replicator"),
        _BoundedRetry(retry_total=2, retry_backoff_factor=0.4, retry_backoff_max=_MAX_WAIT_S),
    ]
    if scope is not None:
        policies.append(BearerTokenCredentialPolicy(credential or _credential(), scope))
    if key is not None:
        policies.append(AzureKeyCredentialPolicy(AzureKeyCredential(key), KEY_HEADER))
    used = transport or RequestsTransport(
        connection_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=timeout_s,
        # A proxy is for other machines.
        use_env_settings=not is_loopback(root),
    )
    client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
        root, transport=used, policies=policies
    )
    return Api(root=root, client=client, timeout_s=timeout_s)


def _credential() -> TokenCredential:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - only a token needs it

    return DefaultAzureCredential()


def _document(content: bytes) -> Any:
    """Return what the JSON says, None for what is no JSON."""
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _media_type(response: HttpResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "another page of its own")[:100]
    except ValueError:
        return "no address"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:_MAX_DETAIL]


def _reason(error: AzureError) -> str:
    """Return what happened, without the addresses of objects that the SDK prints."""
    inner = error.inner_exception
    text = str(inner if inner is not None else error)
    if "timed out" in text.lower():
        return "no answer in time"
    if "refused" in text.lower():
        return "nobody listens there"
    if "resolve" in text.lower() or "name or service" in text.lower():
        return "no such host is known"
    return f"{type(inner or error).__name__}: {text}"[:200]
