"""A server of a test: on a free port of this machine, in a thread, and silent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """What the handlers of the tests' servers have in common."""

    disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to standard error."""


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve until the block ends; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class Topic:
    """A topic of Event Grid, and the events that it received."""

    endpoint: str
    received: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def running_topic(status: int = 200) -> Iterator[Topic]:
    """Answer every delivery with a status."""
    received: list[dict[str, Any]] = []

    class Deliveries(Handler):
        def do_POST(self) -> None:
            received.extend(json.loads(self.body()))
            self.answer(status)

    with listening(Deliveries) as url:
        yield Topic(endpoint=f"{url}/api/events", received=received)
