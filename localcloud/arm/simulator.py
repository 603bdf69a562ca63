"""The simulator behind its port: the request log, faults, rate limits, and then the answer."""

import asyncio
import contextlib
import json
import math
import uuid
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from localcloud.arm.answers import Answer, ArmRequest, base_url, error_answer
from localcloud.arm.api import ArmApi
from localcloud.arm.api_versions import require_api_version
from localcloud.arm.errors import ArmError
from localcloud.arm.faults import Fault
from localcloud.arm.prices import PRICES_PATH, price_items, price_page
from localcloud.arm.resource_graph import RESOURCE_GRAPH_PATH, ResourceGraph
from localcloud.arm.resource_ids import parse_path
from localcloud.arm.throttling import Throttle, ThrottledError

MAX_BODY_BYTES = 4 * 1024 * 1024
_KEPT_REQUESTS = 100_000
_LONGEST_REFUSAL = 1_000
_WRITES = frozenset({"PUT", "PATCH", "DELETE"})


@dataclass(slots=True, kw_only=True)
class Simulator:
    """Answers every request outside /_localcloud; `own_url` is where it listens."""

    api: ArmApi
    own_url: str = ""
    throttle: Throttle = field(default_factory=Throttle)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT_REQUESTS))
    prices: list[dict[str, Any]] = field(default_factory=price_items)
    graph: ResourceGraph = field(default_factory=ResourceGraph)
    _counted: int = 0
    _answered: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Log and answer a request; every refusal has ARM's shape.

        `n` numbers the requests as they came and `done` as they were answered, which is the order
        in which they were carried out: a fault may hold one back.
        """
        self._counted += 1
        entry: dict[str, Any] = {
            "n": self._counted,
            "at": datetime.now(UTC).isoformat(),
            "method": request.method,
            "path": request.path,
            "query": dict(request.query),
            "status": None,
            "done": None,
        }
        self.requests.append(entry)
        correlation_id = str(uuid.uuid4())
        answer = await self._guarded(request, correlation_id, entry)
        self._answered += 1
        entry["done"] = self._answered
        if answer is None:
            # The log keeps status null: nobody was answered.
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError
        entry["status"] = answer.status
        return _response(answer, correlation_id)

    async def _guarded(
        self, request: web.Request, correlation_id: str, entry: dict[str, Any]
    ) -> Answer | None:
        """Return the answer; None to drop the connection."""
        try:
            arm_request = replace(await self._read(request, correlation_id), notes=entry)
            if self.api.behaviour.authorization:
                _require_token(request)
            fault = self._fault_for(arm_request)
            if fault is not None:
                entry["fault"] = fault.kind
                await asyncio.sleep(fault.delay_s)
                if fault.drop_connection:
                    return None
                if fault.status is not None:
                    return _fault_answer(fault)
                arm_request = replace(arm_request, lose_write=fault.lose_write)
            return self._answer(arm_request)
        except ArmError as error:
            if isinstance(error, ThrottledError):
                error.headers["Retry-After"] = self.api.clock.retry_after(error.wait_s)
            entry["refusal"] = f"{error.code}: {error}"[:_LONGEST_REFUSAL]
            return error_answer(error)

    def _answer(self, request: ArmRequest) -> Answer:
        if request.path.lower() == PRICES_PATH:
            if request.method != "GET":
                raise ArmError(405, "MethodNotAllowed", "Prices can only be read.")
            size = self.api.behaviour.price_page_size
            body = price_page(self.prices, request.query, request.base_url, size=size)
            return Answer(body=body, compact=True)
        if request.path.lower() == RESOURCE_GRAPH_PATH:
            return self.graph.answer(request)
        route = parse_path(request.path)
        if route is None:
            require_api_version(request.query.get("api-version"))
            raise ArmError(
                404,
                "InvalidResourceType",
                f"The resource type of '{request.path[:300]}' could not be found in this simulator:"
                " it knows subscriptions, locations, the provider Microsoft.Compute, its galleries,"
                " images and versions, capsOperations and Resource Graph.",
            )
        remaining = self.throttle.take(
            route.subscription,
            request.method,
            route.kind,
            self.api.clock.now(),
            enforce=self.api.behaviour.throttling,
        )
        try:
            answer = self.api.answer(request, route)
        except ArmError as error:
            error.headers = {**remaining, **error.headers}
            raise
        return replace(answer, headers={**remaining, **answer.headers})

    async def _read(self, request: web.Request, correlation_id: str) -> ArmRequest:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise ArmError(
                413,
                "RequestContentTooLarge",
                f"The request content size exceeds the maximum size of {MAX_BODY_BYTES} bytes.",
            ) from error
        path = request.path
        return ArmRequest(
            method=request.method,
            path=path.rstrip("/") or "/",
            query={name.lower(): value for name, value in request.query.items()},
            body=body,
            base_url=base_url(request.scheme, request.headers.get("Host", ""), self.own_url),
            correlation_id=correlation_id,
        )

    def _fault_for(self, request: ArmRequest) -> Fault | None:
        faults = self.api.faults
        named = self._regions_in(request) if faults.ask_for_regions else frozenset()
        return faults.for_request(request.method, request.path, named)

    def _regions_in(self, request: ArmRequest) -> frozenset[str]:
        """Return the short names of all regions that a request names."""
        regions = self.api.cloud.regions
        named = {one for one in request.path.lower().split("/") if regions.is_known(one)}
        body: Any = None
        if request.method in _WRITES:
            with contextlib.suppress(ValueError, RecursionError):
                body = json.loads(request.body)
        if isinstance(body, dict):
            found = [body.get("location")]
            properties = body.get("properties")
            profile = properties.get("publishingProfile") if isinstance(properties, dict) else None
            targets = profile.get("targetRegions") if isinstance(profile, dict) else None
            if isinstance(targets, list):
                found += [one.get("name") for one in targets if isinstance(one, dict)]
            named |= {regions.resolve(one) for one in found if isinstance(one, str)}
        return frozenset(named)


def _require_token(request: web.Request) -> None:
    """Raise the refusal of a call that nobody signed; any token will do, prices need none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if request.path.lower() == PRICES_PATH or (scheme.lower() == "bearer" and token.strip()):
        return
    raise ArmError(
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers={
            "WWW-Authenticate": 'Bearer authorization_uri="https://login.windows.net/", '
            'error="invalid_token", error_description="The authentication failed because of '
            "missing 'Authorization' header.\""
        },
    )


def _fault_answer(fault: Fault) -> Answer:
    error = ArmError(fault.status or 500, fault.code, fault.message)
    if fault.retry_after_s is not None:
        error.headers["Retry-After"] = str(math.ceil(fault.retry_after_s))
    return error_answer(error)


def _response(answer: Answer, correlation_id: str) -> web.Response:
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "x-ms-request-id": str(uuid.uuid4()),
        "x-ms-correlation-request-id": correlation_id,
        "x-ms-throttling-version": "v2",
        **answer.headers,
    }
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(
        text=answer.text(),
        status=answer.status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )
