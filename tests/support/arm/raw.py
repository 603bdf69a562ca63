"""A server that answers with any bytes, headers and length, and gives up on endless questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.http.server import Handler, listening

MAX_REQUESTS = 25


@dataclass(slots=True)
class RawAnswer:
    """What the next requests get; `length` is what Content-Length claims, None for the truth."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(slots=True)
class RawArm:
    """Answers by how the path ends, in any letter case; the rest gets `other`.

    The answers in `first` come before all others, each once.
    """

    url: str = ""
    other: RawAnswer = field(default_factory=RawAnswer)
    by_ending: dict[str, RawAnswer] = field(default_factory=dict)
    first: list[RawAnswer] = field(default_factory=list)
    asked: int = 0

    def answer(self, given: RawAnswer, **by_ending: RawAnswer) -> None:
        """Answer anew, from no requests on."""
        self.other, self.by_ending, self.asked = given, dict(by_ending), 0

    def take(self, path: str) -> RawAnswer:
        self.asked += 1
        if self.asked > MAX_REQUESTS:
            return RawAnswer(status=500, body=b'{"error": {"code": "TooManyQuestions"}}')
        if self.first:
            return self.first.pop(0)
        plain = path.partition("?")[0].lower()
        for ending, given in self.by_ending.items():
            if plain.endswith(ending):
                return given
        return self.other


@contextmanager
def running_raw_arm() -> Iterator[RawArm]:
    """Serve on a free port until the block ends."""
    arm = RawArm()

    class Answers(Handler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.body()
            given = arm.take(self.path)
            self.send_response(given.status, "said")
            self.send_header("Content-Type", given.content_type)
            length = len(given.body) if given.length is None else given.length
            self.send_header("Content-Length", str(length))
            for name, value in given.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)
            self.close_connection = given.length is not None

        do_GET = do_PATCH = do_PUT = handle_any  # noqa: N815 - the base class looks for these names

    with listening(Answers) as arm.url:
        yield arm
