"""Serve the handlers of the HTTP API on this machine, as the host does."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.core.pipeline.transport import RequestsTransport

import handlers.http.dead_letters as letters
from bootstrap import use
from bootstrap.app import App
from handlers.http import actions, costs, health, queues, replications
from handlers.http.access import AUTH_ENABLED, ENVIRONMENT, PLATFORM
from tests.support.fakes import World
from tests.support.http.calling import call

type Serve = Callable[[World], World]

# An address like that of a deployed app, which the transport below leads to the server here.
DEPLOYED = "https://app.example.net"
_FUNCTIONS = (
    health.health,
    replications.replications,
    replications.replication,
    queues.queues,
    actions.actions,
    replications.replicate,
    replications.cancel,
    replications.release,
    queues.pause,
    queues.resume,
    letters.list_letters,
    letters.show,
    letters.replay_many,
    letters.discard_many,
    letters.replay,
    letters.discard,
    costs.costs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that arrived; the names of headers are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """An answer that is given instead of the app's."""

    status: int = 200
    body: bytes = b"{}"
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None


@dataclass(slots=True, kw_only=True)
class Site:
    """The server: what it saw, and what it answers instead of the app, first one first.

    `platform` does what the platform in front of the app does to the headers.
    """

    root: str = ""
    seen: list[Seen] = field(default_factory=list)
    canned: list[Canned] = field(default_factory=list)
    platform: Callable[[dict[str, str]], None] = lambda _: None

    def answer(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Canned:
        self.seen.append(Seen(method=method, path=url, headers=dict(headers)))
        if self.canned:
            return self.canned.pop(0)
        self.platform(headers)
        parts = urlsplit(url)
        for function in _FUNCTIONS:
            trigger = function.build().get_trigger()
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", trigger.route)
            match = re.fullmatch(pattern, parts.path.strip("/"))
            if match and method in [one.value for one in trigger.methods]:
                answer = call(
                    function,
                    body=body,
                    route=match.groupdict(),
                    params=dict(parse_qsl(parts.query)),
                    headers=headers,
                    url=f"{self.root}{parts.path}",
                    method=method,
                )
                return Canned(
                    status=answer.status,
                    body=answer.text.encode(),
                    media_type=answer.media_type,
                    headers=answer.headers,
                )
        return Canned(status=404, body=b"", media_type="text/plain")


def develop(patch: pytest.MonkeyPatch) -> None:
    """Let the API see a developer's machine, which needs no sign-in."""
    patch.setenv(ENVIRONMENT, "Development")
    for name in (AUTH_ENABLED, *PLATFORM):
        patch.delenv(name, raising=False)


@contextmanager
def serving_app(app: App) -> Iterator[Site]:
    """Serve the API of an app, as on a developer's machine."""
    with pytest.MonkeyPatch.context() as patch, use(app), serving() as site:
        develop(patch)
        yield site


@contextmanager
def serving() -> Iterator[Site]:
    """Serve on a free port until the block ends."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = site.answer(self.command, self.path, headers, body)
            answer.before()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", answer.media_type)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_POST = do_GET  # noqa: N815 - the server's shape

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its shape
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing of a caller that gave up."""

    with Server(("127.0.0.1", 0), Handler) as server:
        site.root = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


class Detour(RequestsTransport):  # type: ignore[misc]  # requests carries no types
    """Leads what is sent to the deployed app to the server here, past the policies before."""

    def __init__(self, root: str) -> None:
        super().__init__(use_env_settings=False)
        self._root = root

    def send(self, request: Any, **options: Any) -> Any:
        request.url = request.url.replace(DEPLOYED, self._root)
        return super().send(request, **options)
