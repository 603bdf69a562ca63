"""An ARM of canned answers: records what it was asked, knows nothing of galleries."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from replication.azure.arm.clients import ArmClients, ArmEndpoint
from tests.support.http.server import Handler, listening


@dataclass(frozen=True, slots=True, kw_only=True)
class Canned:
    """One answer; a text goes as it is, anything else as JSON; `drop` hangs up instead.

    It is given when the event is set that it `waits_for`.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    waits_for: threading.Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class StubArm:
    """Answers by the end of the path, letter case ignored; the last answer of a list stays."""

    url: str = ""
    answers: dict[tuple[str, str], list[Canned]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, method: str, path: str, *canned: Canned) -> None:
        self.answers[method, path.lower()] = list(canned)

    def take(self, method: str, path: str) -> Canned:
        for (wanted, ending), canned in self.answers.items():
            if method == wanted and path.lower().endswith(ending):
                return canned.pop(0) if len(canned) > 1 else canned[0]
        error = {"code": "NotFoundInStub", "message": f"no answer for {method} {path}"}
        return Canned(status=501, body={"error": error})


@contextmanager
def running_stub() -> Iterator[StubArm]:
    """Serve on a free port until the block ends."""
    stub = StubArm()

    class Answers(Handler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            stub.asked.append(
                Asked(
                    method=self.command,
                    path=parts.path,
                    query=parse_qs(parts.query),
                    headers=dict(self.headers),
                    body=self.body(),
                )
            )
            canned = stub.take(self.command, parts.path)
            if canned.waits_for is not None:
                canned.waits_for.wait(10)
            if canned.drop:
                self.close_connection = True
                return
            text = canned.body if isinstance(canned.body, str) else json.dumps(canned.body)
            headers = {"Content-Type": "application/json; charset=utf-8", **canned.headers}
            self.answer(canned.status, text.encode(), **headers)

        do_GET = do_PATCH = do_POST = do_PUT = handle_any  # noqa: N815 - the base class looks for these names

    with listening(Answers) as stub.url:
        yield stub


def open_clients(url: str) -> ArmClients:
    """Return the app's clients for an ARM that takes no credentials."""
    return ArmClients(ArmEndpoint(url=url, scope="unused/.default", anonymous=True))
