"""The simulator's HTTP side: ARM's paths, headers and JSON."""

import asyncio
import json
import math
import re
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from localcloud.arm.clock import SimulatedClock
from localcloud.arm.cloud import Cloud, Operation, Plain
from localcloud.arm.control import Control
from localcloud.arm.errors import ArmError, bad_request
from localcloud.arm.events import EventGrid, resource_event
from localcloud.arm.faults import Faults
from localcloud.arm.prices import Prices
from localcloud.arm.regions import Regions
from localcloud.arm.throttling import Throttle, ThrottledError
from localcloud.arm.versions import ImageVersion

DEFAULT_SUBSCRIPTION_ID = "0b1f6471-1bf0-4dda-aec3-111122223333"
RETRY_AFTER_S = 60
MAX_BODY = 4 * 1024 * 1024
_KEEP_REQUESTS = 100_000
_SEGMENT = r"([^/]+)"
_GROUP = rf"/subscriptions/{_SEGMENT}/resourcegroups/{_SEGMENT}"
_GALLERY = rf"{_GROUP}/providers/microsoft\.compute/galleries/{_SEGMENT}"
_ROUTES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("version", re.compile(rf"{_GALLERY}/images/{_SEGMENT}/versions/{_SEGMENT}", re.IGNORECASE)),
    ("versions", re.compile(rf"{_GALLERY}/images/{_SEGMENT}/versions", re.IGNORECASE)),
    ("image", re.compile(rf"{_GALLERY}/images/{_SEGMENT}", re.IGNORECASE)),
    ("images", re.compile(rf"{_GALLERY}/images", re.IGNORECASE)),
    ("gallery", re.compile(_GALLERY, re.IGNORECASE)),
    (
        "galleries",
        re.compile(
            rf"/subscriptions/{_SEGMENT}(?:/resourcegroups/{_SEGMENT})?"
            r"/providers/microsoft\.compute/galleries",
            re.IGNORECASE,
        ),
    ),
    (
        "operation",
        re.compile(
            rf"/subscriptions/{_SEGMENT}/providers/microsoft\.compute/locations/{_SEGMENT}"
            rf"/capsoperations/{_SEGMENT}",
            re.IGNORECASE,
        ),
    ),
    ("locations", re.compile(rf"/subscriptions/{_SEGMENT}/locations", re.IGNORECASE)),
    (
        "provider",
        re.compile(rf"/subscriptions/{_SEGMENT}/providers/microsoft\.compute", re.IGNORECASE),
    ),
    ("subscription", re.compile(rf"/subscriptions/{_SEGMENT}", re.IGNORECASE)),
    ("subscriptions", re.compile(r"/subscriptions", re.IGNORECASE)),
)
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_GALLERY_VERSIONS = (
    "2018-06-01",
    "2019-03-01",
    "2019-07-01",
    "2019-12-01",
    "2020-09-30",
    "2021-07-01",
    "2021-10-01",
    "2022-01-03",
    "2022-03-03",
    "2022-08-03",
    "2023-07-03",
    "2024-03-03",
    "2025-03-03",
    "2026-03-03",
)


@dataclass(slots=True, kw_only=True)
class Simulator:
    """Everything behind one port."""

    cloud: Cloud
    throttle: Throttle
    events: EventGrid
    prices: Prices
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEEP_REQUESTS))
    counted: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request to ARM; every refusal has ARM's shape."""
        self.counted += 1
        seen: dict[str, Any] = {
            "n": self.counted,
            "at": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "status": 0,
        }
        self.requests.append(seen)
        try:
            answer = await self._faulted(request)
        except ThrottledError as error:
            wait_s = max(1, math.ceil(self.cloud.clock.real_s(error.wait_s)))
            answer = _json(error.body(), status=429, headers={"Retry-After": str(wait_s)})
        except ArmError as error:
            answer = _json(error.body(), status=error.status, headers=error.headers)
        seen["status"] = answer.status
        return answer

    async def _faulted(self, request: web.Request) -> web.StreamResponse:
        fault = self.cloud.faults.for_request(request.method, request.path)
        if fault is None:
            return await self._route(request)
        if fault.get("delay_s"):
            await asyncio.sleep(fault["delay_s"])
        if fault.get("drop_connection"):
            if request.transport is not None:
                request.transport.close()
            raise ArmError(599, "ConnectionDropped", "the connection was dropped")
        if fault.get("lose_write"):
            return await self._lose_write(request)
        if "status" not in fault:
            return await self._route(request)
        error = ArmError(
            fault["status"],
            str(fault.get("code") or "InjectedFault"),
            str(fault.get("message") or "A fault that was asked for."),
        )
        if "retry_after_s" in fault:
            error.headers["Retry-After"] = str(math.ceil(fault["retry_after_s"]))
        raise error

    async def _lose_write(self, request: web.Request) -> web.StreamResponse:
        """Answer a write as if it were done, and forget it."""
        kept = dict(self.cloud.versions)
        answer = await self._route(request, quiet=True)
        self.cloud.versions = kept
        return answer

    async def _route(self, request: web.Request, *, quiet: bool = False) -> web.StreamResponse:
        path = request.path.rstrip("/")
        if path.lower() == "/api/retail/prices":
            return _json(self.prices.answer(request), compact=True)
        for name, pattern in _ROUTES:
            match = pattern.fullmatch(path)
            if match is not None:
                _check_api_version(request, name)
                if name == "version":
                    return await self._version(request, path, match[1], quiet=quiet)
                if name in ("gallery", "image"):
                    return await self._plain(request, name, path, match[1])
                if request.method != "GET":
                    break
                return self._read(request, name, path, match)
        raise ArmError(
            405 if request.method != "GET" else 404,
            "InvalidResourceType",
            f"The resource type for {request.method} {path[:300]} could not be found.",
        )

    async def _version(
        self, request: web.Request, path: str, subscription_id: str, *, quiet: bool
    ) -> web.StreamResponse:
        now = self.cloud.clock.now()
        if request.method == "GET":
            header = self.throttle.take(subscription_id, "GetGalleryImageVersion", now)
            version = self.cloud.version(path)
            expand = "replicationstatus" in request.query.get("$expand", "").lower()
            return _json(self._body(version, expand=expand), headers=_remaining(header))
        if request.method == "DELETE":
            header = self.throttle.take(subscription_id, "DeleteGalleryImageVersion", now)
            if path.lower() not in self.cloud.versions:
                return web.Response(status=204)
            version = self.cloud.delete_version(path)
            operation = self._begin(version, deletes=True)
            headers = self._operation_headers(request, version, operation)
            headers["Location"] = headers["Azure-AsyncOperation"] + "&monitor=true"
            self._tell_when_done(version, operation, update=True)
            return web.Response(status=202, headers={**headers, **_remaining(header)})
        if request.method not in ("PUT", "PATCH"):
            raise ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed here.")
        header = self.throttle.take(subscription_id, "CreateUpdateGalleryImageVersion", now)
        body = await _read_body(request)
        version, created = self.cloud.put_version(
            path, body, replaces=request.method == "PUT", wall=datetime.now(UTC)
        )
        operation = self._begin(version, deletes=False)
        if not quiet:
            self._tell(version.id, operation.name, update=not created)
            self._tell_when_done(version, operation, update=not created)
        headers = {**self._operation_headers(request, version, operation), **_remaining(header)}
        answer = self._body(version, expand=False)
        if not created:
            answer["properties"]["provisioningState"] = "Updating"
        return _json(answer, status=201 if created else 200, headers=headers)

    async def _plain(
        self, request: web.Request, name: str, path: str, subscription_id: str
    ) -> web.StreamResponse:
        cloud, now = self.cloud, self.cloud.clock.now()
        kind = cloud.galleries if name == "gallery" else cloud.images
        label = "Gallery" if name == "gallery" else "GalleryImage"
        if request.method == "GET":
            header = self.throttle.take(subscription_id, f"Get{label}", now)
            found = kind.get(path.lower())
            if found is None:
                raise ArmError(
                    404, "ResourceNotFound", f"The Resource '{path[:300]}' was not found."
                )
            return _json(found.body, headers=_remaining(header))
        if request.method == "DELETE":
            return web.Response(status=200 if cloud.delete_plain(kind, path) else 204)
        if request.method not in ("PUT", "PATCH"):
            raise ArmError(405, "MethodNotAllowed", f"{request.method} is not allowed here.")
        header = self.throttle.take(subscription_id, f"CreateUpdate{label}", now)
        existed = path.lower() in kind
        body = await _read_body(request)
        put = cloud.put_gallery if name == "gallery" else cloud.put_image
        stored = put(path, body, merge=request.method == "PATCH")
        self._tell(stored.id, str(uuid.uuid4()), update=existed)
        return _json(stored.body, status=200 if existed else 201, headers=_remaining(header))

    def _read(  # noqa: PLR0911 - one list for each path
        self, request: web.Request, name: str, path: str, match: re.Match[str]
    ) -> web.StreamResponse:
        cloud = self.cloud
        if name == "operation":
            return self._operation(match[1], match[3])
        if name == "versions":
            now = cloud.clock.now()
            listing = "ListGalleryImageVersionsByGalleryImage"
            self.throttle.take(match[1], listing, now)
            found = cloud.versions_of(path.rsplit("/", 1)[0])
            return self._page(request, [self._body(one, expand=False) for one in found])
        if name == "images":
            return self._page(request, _under(cloud.images, f"{path.rsplit('/', 1)[0]}/images/"))
        if name == "galleries":
            prefix = path.lower().split("/providers/")[0] + "/"
            return self._page(request, _under(cloud.galleries, prefix))
        if name == "locations":
            return _json({"value": cloud.regions.locations_of(match[1])}, compact=True)
        if name == "provider":
            return _json(cloud.regions.provider_of(match[1]))
        if name == "subscription":
            return _json(_subscription(match[1]))
        known = {DEFAULT_SUBSCRIPTION_ID, *(key.split("/")[2] for key in cloud.galleries)}
        return _json({"value": [_subscription(one) for one in sorted(known)]}, compact=True)

    def _operation(self, subscription_id: str, name: str) -> web.Response:
        cloud = self.cloud
        header = self.throttle.take(subscription_id, "GetOperationStatus", cloud.clock.now())
        operation = cloud.operations.get(name.lower())
        if operation is None:
            raise ArmError(404, "NotFound", f"The operation '{name[:80]}' was not found.")
        body: dict[str, Any] = {"startTime": operation.started.isoformat()}
        headers = _remaining(header)
        if not cloud.finished(operation):
            headers["Retry-After"] = self._retry_after()
            return _json({**body, "status": "InProgress", "name": operation.name}, headers=headers)
        body |= {"endTime": datetime.now(UTC).isoformat(), "status": "Succeeded"}
        version = cloud.versions.get(operation.version_key)
        if version is not None and version.provisioning_state(cloud.clock.now()) == "Failed":
            now = cloud.clock.now()
            failed = [name for name, one in version.copies.items() if one.state(now) == "Failed"]
            body["status"] = "Failed"
            body["error"] = {
                "code": "CrpPirReplicationJobsNotCompleted",
                "message": "Replication job not completed at region: " + ", ".join(failed),
            }
        return _json({**body, "name": operation.name}, headers=headers)

    def _body(self, version: ImageVersion, *, expand: bool) -> dict[str, Any]:
        cloud = self.cloud
        return version.body(cloud.clock.now(), cloud.regions, cloud.behaviour, expand=expand)

    def _begin(self, version: ImageVersion, *, deletes: bool) -> Operation:
        operation = Operation(
            version_key=version.id.lower(),
            started=datetime.now(UTC),
            started_at=self.cloud.clock.now(),
            deletes=deletes,
        )
        self.cloud.operations[operation.name] = operation
        return operation

    def _operation_headers(
        self, request: web.Request, version: ImageVersion, operation: Operation
    ) -> dict[str, str]:
        subscription_id = version.id.split("/")[2]
        url = (
            f"{request.scheme}://{request.host}/subscriptions/{subscription_id}/providers"
            f"/Microsoft.Compute/locations/{version.home}/capsOperations/{operation.name}"
            f"?api-version={request.query['api-version']}"
        )
        return {
            "Azure-AsyncOperation": url,
            "Azure-AsyncNotification": "Enabled",
            "Retry-After": self._retry_after(),
        }

    def _retry_after(self) -> str:
        return str(max(1, math.ceil(self.cloud.clock.real_s(RETRY_AFTER_S))))

    def _page(self, request: web.Request, bodies: list[dict[str, Any]]) -> web.Response:
        """Answer a list, with a link to its next page on this very host."""
        skip_text = request.query.get("$skiptoken", "0")
        if not (skip_text.isascii() and skip_text.isdigit()) or len(skip_text) > 9:  # noqa: PLR2004
            raise bad_request("The $skiptoken is not one of this list.")
        skip, size = int(skip_text), self.cloud.behaviour.list_page_size
        page: dict[str, Any] = {"value": bodies[skip : skip + size]}
        if skip + size < len(bodies):
            query = {**request.query, "$skiptoken": str(skip + size)}
            page["nextLink"] = str(request.url.with_query(query))
        return _json(page, compact=True)

    def _tell(
        self, resource_id: str, correlation_id: str, *, update: bool, deleted: bool = False
    ) -> None:
        kind = "/versions" if "/versions/" in resource_id.lower() else ""
        if "/images/" in resource_id.lower():
            kind = f"/images{kind}"
        action = f"Microsoft.Compute/galleries{kind}/{'delete' if deleted else 'write'}"
        self.events.publish(
            resource_event(
                resource_id,
                action=action,
                deleted=deleted,
                correlation_id=correlation_id,
                schema=self.events.delivery.schema,
                update=update,
            )
        )

    def _tell_when_done(self, version: ImageVersion, operation: Operation, *, update: bool) -> None:
        """Send the event at the end as well; nobody could verify when Azure sends it."""

        async def wait() -> None:
            while True:
                if self.cloud.finished(operation):
                    break
                await asyncio.sleep(0.1)
            self._tell(version.id, operation.name, update=update, deleted=operation.deletes)

        self.events.spawn(wait())


@dataclass(slots=True, kw_only=True)
class RunningArm:
    """A simulator that answers at `url`."""

    url: str
    port: int
    simulator: Simulator
    runner: web.AppRunner

    async def stop(self) -> None:
        """Stop answering, and give up events under way."""
        await self.simulator.events.stop()
        await self.runner.cleanup()


async def start_arm(
    *,
    host: str = "127.0.0.1",
    port: int,
    time_scale: float,
    events_url: str | None,
    seed: int = 0,
) -> RunningArm:
    """Start the simulator; port 0 takes a free one. Raises OSError when the port is taken."""
    clock = SimulatedClock(time_scale)
    cloud = Cloud(clock=clock, regions=Regions(seed=seed), faults=Faults())
    events = EventGrid(clock)
    events.delivery.url = events_url
    simulator = Simulator(cloud=cloud, throttle=Throttle(), events=events, prices=Prices())
    app = web.Application(client_max_size=MAX_BODY)
    Control(simulator).add_routes(app)
    app.router.add_route("*", "/{path:.*}", simulator.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, shutdown_timeout=2)
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    bound = int(runner.addresses[0][1])
    return RunningArm(url=f"http://{host}:{bound}", port=bound, simulator=simulator, runner=runner)


async def _read_body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise bad_request(
            "The request content was invalid and could not be deserialized.",
            code="InvalidRequestContent",
        ) from error
    if not isinstance(body, dict):
        raise bad_request("The request content is not an object.", code="InvalidRequestContent")
    return body


def _check_api_version(request: web.Request, name: str) -> None:
    given = request.query.get("api-version")
    if not given:
        raise bad_request(
            "The api-version query parameter (?api-version=) is required for all requests.",
            code="MissingApiVersionParameter",
        )
    is_gallery = name in ("version", "versions", "image", "images", "gallery", "galleries")
    if is_gallery and given not in _GALLERY_VERSIONS:
        raise bad_request(
            f"No registered resource provider found for API version '{given[:40]}' for type "
            f"'galleries'. The supported api-versions are '{', '.join(_GALLERY_VERSIONS)}'.",
            code="NoRegisteredProviderFound",
        )
    if not _API_VERSION.fullmatch(given):
        raise bad_request(
            f"The api-version '{given[:40]}' is invalid.", code="InvalidApiVersionParameter"
        )


def _under(kind: Mapping[str, Plain], prefix: str) -> list[dict[str, Any]]:
    return [kind[key].body for key in sorted(kind) if key.startswith(prefix.lower())]


def _subscription(subscription_id: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription_id}",
        "subscriptionId": subscription_id,
        "displayName": "Local cloud",
        "state": "Enabled",
    }


def _remaining(header: str) -> dict[str, str]:
    return {"x-ms-ratelimit-remaining-resource": header} if header else {}


def _json(
    body: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    compact: bool = False,
) -> web.Response:
    """Write JSON as recorded: single resources indented with CRLF, lists compact."""
    if compact:
        text = json.dumps(body, separators=(",", ":"))
    else:
        text = json.dumps(body, indent=2).replace("\n", "\r\n")
    return web.Response(
        text=text,
        status=status,
        content_type="application/json",
        headers={"x-ms-request-id": str(uuid.uuid4()), **(headers or {})},
    )
