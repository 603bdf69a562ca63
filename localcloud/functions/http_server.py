"""The host's HTTP side: the app's routes, the Event Grid webhook and the admin calls."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus

from aiohttp import web
from multidict import CIMultiDict

from localcloud.functions.catalog import Catalog, HttpTrigger, ServedFunction
from localcloud.functions.event_grid import EXTENSION, METHODS, Delivery, EventGridWebhook
from localcloud.functions.keys import Keys, Level
from localcloud.functions.payloads import http_answer, http_payload
from localcloud.functions.routes.router import Router
from localcloud.functions.routes.targets import BadTargetError, Target, read_target
from localcloud.functions.timers.listener import Timer
from localcloud.functions.worker import Payload, Returned
from localcloud.same_machine import for_this_machine

_log = logging.getLogger("localcloud.functions")

# The real host's own limit.
MAX_BODY_BYTES = 100 * 1024 * 1024
# More headers than that, or more bytes of them, no function is asked about.
_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 32 * 1024
_AROUND_A_HEADER = len(": \r\n")
_SENDABLE = re.compile(r"[\t -~]*")
# Line breaks too, which a dot leaves out.
_ANY = r"[\s\S]*"
_WEBHOOKS = rf"/{{runtime:(?i:runtime)}}/{{hooks:(?i:webhooks)}}/{{to:{_ANY}}}"
_KEY_HEADER = "x-functions-key"
_KEY_QUERY = "code"
_HOME = "<!DOCTYPE html>\n<title>Local cloud</title>\nThe Functions host is running.\n"

Invoke = Callable[[ServedFunction, Payload], Awaitable[Returned]]


class HttpServer:
    """Routes requests; `keys` is None where no key is asked."""

    def __init__(
        self,
        catalog: Catalog,
        timers: Mapping[str, Timer],
        *,
        invoke: Invoke,
        run_in_background: Callable[[Awaitable[object]], None],
        keys: Keys | None,
    ) -> None:
        self._by_name = {function.name: function for function in catalog.functions}
        self._timers = timers
        self._invoke = invoke
        self._run_in_background = run_in_background
        self._keys = keys
        self._webhook = EventGridWebhook(catalog.started, invoke)
        self._router = Router(
            function.trigger.route
            for function in catalog.functions
            if isinstance(function.trigger, HttpTrigger)
        )

    def application(self) -> web.Application:
        app = web.Application(
            client_max_size=MAX_BODY_BYTES,
            # The app itself checks those who call its functions.
            middlewares=[_served, for_this_machine("/admin/", "/runtime/")],
        )
        app.router.add_route("*", _WEBHOOKS, self._hook)
        app.router.add_get("/admin/host/ping", self._ping)
        app.router.add_get("/admin/host/status", self._status)
        app.router.add_post("/admin/functions/{name}", self._run_by_hand)
        app.router.add_route("*", rf"/admin/{{tail:{_ANY}}}", _not_found)
        app.router.add_route("*", rf"/{{tail:{_ANY}}}", self._function)
        return app

    async def _hook(self, request: web.Request) -> web.Response:
        refused = self._refused(request, Level.SYSTEM)
        if refused is not None:
            return refused
        extension = request.match_info["to"].partition("/")[0].lower()
        if extension != EXTENSION or request.method not in METHODS:
            return web.Response(status=404)
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return web.Response(status=500)
        answer = await self._webhook.handle(
            Delivery(
                method=request.method,
                query=request.query_string,
                headers=_lowered(request.headers.items()),
                body=await request.read(),
            )
        )
        return web.Response(status=answer.status, text=answer.text, headers=answer.headers)

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def _status(self, request: web.Request) -> web.Response:
        refused = self._refused(request, Level.MASTER)
        return refused or web.json_response({"state": "Running"})

    async def _run_by_hand(self, request: web.Request) -> web.Response:
        refused = self._refused(request, Level.MASTER)
        if refused is not None:
            return refused
        asked = request.match_info["name"].lower()
        body = await request.read()
        if not body or "json" not in request.headers.get("Content-Type", "").lower():
            return web.Response(status=415, text='the body must be JSON: {"input": ""}')
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return web.Response(status=400, text='the body must be a JSON object: {"input": ""}')
        name = next((one for one in self._by_name if one.lower() == asked), None)
        if name is None:
            return web.Response(status=404)
        timer = self._timers.get(name)
        if timer is None:
            return web.Response(status=400, text=f"'{name}' has no timer; only timers run by hand")
        self._run_in_background(timer.fire())
        return web.Response(status=202)

    async def _function(self, request: web.Request) -> web.Response:
        try:
            target = read_target(request.method, request.raw_path)
            found = self._router.find(request.method, target.path)
        except BadTargetError as error:
            return web.Response(status=error.status)
        if found is None:
            if target.path == "/":
                return web.Response(text=_HOME, content_type="text/html")
            return web.Response(status=404)
        route, parameters = found
        function = self._by_name[route.function]
        trigger = function.trigger
        if function.disabled:
            return web.Response(status=404)
        level = trigger.level if isinstance(trigger, HttpTrigger) else Level.FUNCTION
        refused = self._refused(request, level)
        return refused or await self._answer(function, request, target, parameters)

    async def _answer(
        self,
        function: ServedFunction,
        request: web.Request,
        target: Target,
        parameters: Mapping[str, str],
    ) -> web.Response:
        if "Host" not in request.headers:
            _log.error("%s: a call without a host has no URL", function.name)
            return web.Response(status=500)
        if (request.content_length or 0) > MAX_BODY_BYTES:
            _log.error("%s: the body has more than %d bytes", function.name, MAX_BODY_BYTES)
            return web.Response(status=500)
        payload = http_payload(
            function.parameter,
            method=request.method,
            url=f"{request.scheme}://{request.host}{target.url_path}",
            headers=_lowered(request.headers.items()),
            # The worker is not told of a parameter without a value.
            query={name: value for name, value in target.query.items() if value},
            route=parameters,
            # Nor does a body arrive that comes in chunks.
            body=await request.read() if request.content_length else b"",
        )
        returned = await self._invoke(function, payload)
        if not returned.ok:
            return web.Response(status=500)
        try:
            answer = http_answer(returned.value)
        except TypeError as error:
            _log.error("%s: %s", function.name, error)
            return web.Response(status=500)
        headers = [*answer.headers.items(), *(("Set-Cookie", one) for one in answer.cookies)]
        unsendable = [name for name, value in headers if not _SENDABLE.fullmatch(name + value)]
        if unsendable:
            _log.error(
                "%s: invalid non-ASCII or control character in header %r",
                function.name,
                unsendable[0],
            )
            return web.Response(status=500)
        return web.Response(status=answer.status, body=answer.body, headers=CIMultiDict(headers))

    def _refused(self, request: web.Request, level: Level) -> web.Response | None:
        if self._keys is None:
            return None
        # The header wins by being there, right or wrong.
        offered = request.headers.get(_KEY_HEADER)
        if offered is None:
            named = (value for name, value in request.query.items() if name.lower() == _KEY_QUERY)
            offered = next(named, "")
        status = self._keys.refusal(offered.strip(), level)
        if status is None:
            return None
        own = status == HTTPStatus.UNAUTHORIZED and level in (Level.SYSTEM, Level.MASTER)
        return web.Response(status=status, headers={"WWW-Authenticate": "Bearer"} if own else None)


@web.middleware
async def _served(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse what the vendor's server refuses by itself."""
    headers = request.raw_headers
    size = sum(len(name) + len(value) + _AROUND_A_HEADER for name, value in headers)
    if len(headers) > _MOST_HEADERS or size > _MOST_HEADER_BYTES:
        return web.Response(status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    try:
        for _, value in headers:
            value.decode()
    except UnicodeDecodeError:
        return web.Response(status=HTTPStatus.BAD_REQUEST)
    return await handler(request)


async def _not_found(_request: web.Request) -> web.Response:
    return web.Response(status=404)


def _lowered(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers as functions see them: in small letters, and joined where they come twice."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined
