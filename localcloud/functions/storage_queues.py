"""The queue service of a storage account over plain HTTP, signed with the shared key.

The SDK's client limits the rate to a few hundred calls a second on one core; this one, made for
five operations, leaves the core to the app. Errors become those of `queue_ports`.
"""

import base64
import hashlib
import hmac
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Self, cast
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import aiohttp
from yarl import URL

from localcloud.functions.errors import RefusedFunctionError
from localcloud.functions.payloads import QueueMessage
from localcloud.functions.queue_ports import QueueServiceError
from localcloud.functions.storage_tries import Answer, tried

_API_VERSION = "2021-12-02"
# The tries have a limit of their own.
_TIMEOUT = aiohttp.ClientTimeout(total=None)
_CARRIAGE_RETURN = {"\r": "&#13;"}
_REFUSED = 400
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where an account's queues are and the key that opens them."""

    name: str
    key: bytes
    endpoint: str

    @classmethod
    def parse(cls, connection_string: str, *, setting: str) -> Self:
        """Read a connection string; raise RefusedFunctionError naming the setting and the lack."""
        parts = _connection_parts(connection_string)
        if parts.get("usedevelopmentstorage", "").lower() == "true":
            parts = _connection_parts(_EMULATOR)
        missing = [name for name in ("AccountName", "AccountKey") if name.lower() not in parts]
        if missing:
            raise RefusedFunctionError(
                f"the setting {setting} is not a storage connection string: no {missing[0]} in it"
            )
        name = parts["accountname"]
        endpoint = parts.get("queueendpoint") or (
            f"{parts.get('defaultendpointsprotocol', 'https')}://{name}.queue."
            f"{parts.get('endpointsuffix', 'core.windows.net')}"
        )
        try:
            key = base64.b64decode(parts["accountkey"], validate=True)
        except ValueError:
            raise RefusedFunctionError(
                f"the AccountKey in the setting {setting} is not base64"
            ) from None
        return cls(name=name, key=key, endpoint=endpoint.rstrip("/"))


Exchange = Callable[[str, URL, Mapping[str, str], bytes], Awaitable[Answer]]


class _Http:
    """Requests over HTTP; raises OSError where there is no answer."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)

    async def close(self) -> None:
        await self._session.close()

    async def __call__(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        try:
            async with self._session.request(
                method,
                url,
                data=body or None,
                headers=headers,
                # A type that the client adds by itself would not be in the signature.
                skip_auto_headers=("Content-Type",),
            ) as response:
                text = await response.text("utf-8")
                return Answer(status=response.status, headers=response.headers, text=text)
        except aiohttp.ClientError as error:
            raise ConnectionError(type(error).__name__) from None


class StorageQueues:
    """The queues of one account, with the tries of the vendor's client; close it when done.

    `exchange` carries a request to the service and raises OSError where there is no answer.
    """

    def __init__(
        self,
        account: Account,
        *,
        exchange: Exchange | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._account = account
        self._http = _Http() if exchange is None else None
        self._exchange: Exchange = exchange or cast("_Http", self._http)
        self._uniform = uniform

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    async def exists(self, queue: str) -> bool:
        try:
            await self._call("GET", queue, {"comp": "metadata"})
        except QueueServiceError as error:
            if (error.status, error.code) == (404, "QueueNotFound"):
                return False
            raise
        return True

    async def receive(self, queue: str, *, count: int, lock_s: float) -> list[QueueMessage]:
        query = {"numofmessages": str(count), "visibilitytimeout": _whole_seconds(lock_s)}
        answer = await self._call("GET", f"{queue}/messages", query)
        return [_message(node) for node in _parse(answer.text).iter("QueueMessage")]

    async def hide(self, queue: str, message_id: str, receipt: str, *, for_s: float) -> str:
        query = {"popreceipt": receipt, "visibilitytimeout": _whole_seconds(for_s)}
        answer = await self._call("PUT", f"{queue}/messages/{message_id}", query)
        return answer.headers["x-ms-popreceipt"]

    async def delete(self, queue: str, message_id: str, receipt: str) -> None:
        await self._call("DELETE", f"{queue}/messages/{message_id}", {"popreceipt": receipt})

    async def send(self, queue: str, text: str) -> None:
        # A bare carriage return would come back as a line feed.
        told = escape(text, _CARRIAGE_RETURN)
        body = f"<QueueMessage><MessageText>{told}</MessageText></QueueMessage>"
        await self._call("POST", f"{queue}/messages", {}, body.encode())

    async def create(self, queue: str) -> None:
        try:
            await self._call("PUT", queue, {})
        except QueueServiceError as error:
            if error.code != "QueueAlreadyExists":
                raise

    async def _call(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        names = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        url = URL(f"{self._account.endpoint}/{path}{'?' if names else ''}{names}", encoded=True)

        async def ask() -> Answer:
            headers = signed_headers(self._account, method, url, body, datetime.now(UTC))
            return await self._exchange(method, url, headers, body)

        try:
            answer = await tried(ask, self._uniform)
        except OSError as error:
            raise QueueServiceError(
                f"no answer from {self._account.endpoint} ({str(error) or type(error).__name__})",
                silent=isinstance(error, TimeoutError),
            ) from None
        if answer.status < _REFUSED:
            return answer
        code = answer.headers.get("x-ms-error-code", "") or _code_in(answer.text)
        raise QueueServiceError(
            f"{method} {path} was answered {answer.status} {code}".rstrip(),
            status=answer.status,
            code=code,
        )


def signed_headers(
    account: Account, method: str, url: URL, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers of a request with its Shared Key signature."""
    content_type = "application/xml" if body else ""
    stamps = {"x-ms-date": format_datetime(now, usegmt=True), "x-ms-version": _API_VERSION}
    resource = f"/{account.name}{url.raw_path}" + "".join(
        f"\n{name}:{url.query[name]}" for name in sorted(url.query)
    )
    lines = [method, "", "", str(len(body) or ""), "", content_type, "", "", "", "", "", ""]
    text = "\n".join([*lines, *(f"{k}:{v}" for k, v in sorted(stamps.items())), resource])
    digest = hmac.new(account.key, text.encode(), hashlib.sha256).digest()
    stamps["Authorization"] = f"SharedKey {account.name}:{base64.b64encode(digest).decode()}"
    if content_type:
        stamps["Content-Type"] = content_type
    return stamps


def _message(node: ET.Element) -> QueueMessage:
    def text_of(name: str) -> str:
        return node.findtext(name) or ""

    return QueueMessage(
        message_id=text_of("MessageId"),
        pop_receipt=text_of("PopReceipt"),
        dequeue_count=int(text_of("DequeueCount")),
        inserted_at=parsedate_to_datetime(text_of("InsertionTime")),
        expires_at=parsedate_to_datetime(text_of("ExpirationTime")),
        next_visible_at=parsedate_to_datetime(text_of("TimeNextVisible")),
        text=text_of("MessageText"),
    )


def _parse(text: str) -> ET.Element:
    try:
        # The account that the user configured answers here; expat itself bounds entity growth.
        return ET.fromstring(text.lstrip("\ufeff"))  # noqa: S314 - see the line above
    except ET.ParseError as error:
        raise QueueServiceError(f"the answer is not XML: {error}") from None


def _code_in(text: str) -> str:
    try:
        return _parse(text).findtext("Code") or ""
    except QueueServiceError:
        return ""


def _connection_parts(connection_string: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in connection_string.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _whole_seconds(seconds: float) -> str:
    # The service takes whole seconds; the vendor's client cuts the rest off.
    return str(int(seconds))
