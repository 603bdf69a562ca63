"""The webhook against a server on this machine: what is sent, what is tried again, what is told."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from email.message import Message

import pytest

from replication.azure.webhook import Webhook, open_teams, open_webhook
from replication.domain.errors import (
    PermanentError,
    ReplicationError,
    ThrottledError,
    TransientError,
)
from replication.notices.digest import CAUSES_CHANGED, Digest
from replication.notices.rules import Cause, Change, Notice
from tests.support.builders import NOON
from tests.support.http.server import Handler, listening

SECRET = "sig-of-the-workflow"  # noqa: S105 - made up, to see that it is shown nowhere
CAUSE = Cause(
    key="letter|locked", code="locked", jobs=2, since=NOON, galleries=frozenset({"größe"})
)
DIGEST = Digest(
    id="digest-1", at=NOON, notices=(Notice(id="n", change=Change.NEW, cause=CAUSE),), site=None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    hangs_up: bool = False
    waits: threading.Event | None = None


@dataclass
class Site:
    """A receiver; answers with the replies in their order, and then with the last one."""

    replies: list[Reply] = field(default_factory=lambda: [Reply()])
    heard: list[tuple[str, Message, bytes]] = field(default_factory=list)
    root: str = ""

    @property
    def url(self) -> str:
        return f"{self.root}/hook?{SECRET}"


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Receipts(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class looks for it
            body = self.body()
            reply = site.replies[min(len(site.heard), len(site.replies) - 1)]
            site.heard.append((self.path, self.headers, body))
            if reply.waits:
                reply.waits.wait(20)
            if reply.hangs_up or reply.waits:
                self.close_connection = True
                return
            # A receiver may repeat the address in what it says.
            said = self.path.encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(said))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # of a client that is gone
                self.wfile.write(said)

    with listening(Receipts) as site.root:
        yield site


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def quick(webhook: Webhook) -> Webhook:
    return replace(webhook, first_pause_s=0.01, timeout_s=5.0)


def refused(site: Site) -> ReplicationError:
    with pytest.raises(ReplicationError) as caught:
        quick(open_webhook(site.url)).send(DIGEST)
    return caught.value


def test_a_webhook_gets_a_structured_cloud_event(site: Site) -> None:
    quick(open_webhook(site.url)).send(DIGEST)
    ((path, headers, body),) = site.heard
    event = json.loads(body)
    assert path == f"/hook?{SECRET}"
    assert headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", "digest-1", CAUSES_CHANGED)
    assert event["data"]["changes"][0]["galleries"] == ["größe"]


def test_teams_gets_a_message_with_a_card(site: Site) -> None:
    quick(open_teams(site.url)).send(DIGEST)
    ((_, headers, body),) = site.heard
    message = json.loads(body)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert message["attachments"][0]["content"]["version"] == "1.5"


@pytest.mark.parametrize(
    "first",
    [Reply(status=500), Reply(status=502), Reply(status=429), Reply(hangs_up=True)],
)
def test_a_blip_is_tried_again_with_the_same_body(site: Site, first: Reply) -> None:
    site.replies = [first, Reply(status=200)]
    quick(open_webhook(site.url)).send(DIGEST)
    assert len(site.heard) == 2
    assert site.heard[0][2] == site.heard[1][2]


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (500, TransientError, 3),
        (503, TransientError, 3),
        (408, TransientError, 3),
        (429, ThrottledError, 3),
        (400, PermanentError, 1),
        (404, PermanentError, 1),
    ],
)
def test_a_refusal_is_told_after_bounded_tries(
    site: Site, status: int, kind: type[ReplicationError], tries: int
) -> None:
    site.replies = [Reply(status=status)]
    error = refused(site)
    assert (type(error), str(error)) == (kind, f"the webhook answered {status}")
    assert len(site.heard) == tries


def test_a_short_pause_is_waited_for(site: Site) -> None:
    site.replies = [Reply(status=429, headers={"Retry-After": "1"}), Reply()]
    quick(open_webhook(site.url)).send(DIGEST)
    assert len(site.heard) == 2


@pytest.mark.parametrize(("text", "pause_s"), [("600", 600.0), ("9" * 30, 1e30)])
def test_a_long_pause_is_left_to_the_next_runs(site: Site, text: str, pause_s: float) -> None:
    site.replies = [Reply(status=429, headers={"Retry-After": text})]
    error = refused(site)
    assert isinstance(error, ThrottledError)
    assert (error.retry_after_s, len(site.heard)) == (pause_s, 1)


def test_a_pause_that_cannot_be_read_is_tried_again_as_if_none_was_asked_for(site: Site) -> None:
    site.replies = [Reply(status=429, headers={"Retry-After": "soon"}) for _ in range(3)]
    error = refused(site)
    assert isinstance(error, ThrottledError)
    assert (error.retry_after_s, len(site.heard)) == (None, 3)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(site: Site, status: int) -> None:
    with serving() as elsewhere:
        site.replies = [Reply(status=status, headers={"Location": elsewhere.url})]
        error = refused(site)
        assert isinstance(error, PermanentError)
        assert (len(site.heard), elsewhere.heard) == (1, [])


def test_one_who_does_not_answer_in_time_is_given_up(site: Site) -> None:
    over = threading.Event()
    site.replies = [Reply(waits=over)]
    try:
        with pytest.raises(TransientError, match=r"the webhook gave no answer \(\w+\)"):
            replace(quick(open_webhook(site.url)), timeout_s=0.2).send(DIGEST)
    finally:
        over.set()
    assert len(site.heard) == 3


@pytest.mark.parametrize(
    "reply", [Reply(status=500), Reply(status=400), Reply(status=302), Reply(hangs_up=True)]
)
def test_the_address_stands_in_no_error_no_log_and_no_repr(
    site: Site, reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    site.replies = [reply]
    with caplog.at_level(logging.DEBUG):
        error: BaseException | None = refused(site)
    assert SECRET not in repr(open_teams(site.url)) + repr(open_webhook(site.url)) + caplog.text
    while error is not None:
        assert SECRET not in f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__


def test_an_address_where_nobody_listens_is_told_without_it() -> None:
    with serving() as site:
        pass
    error = refused(site)
    assert isinstance(error, TransientError)
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    "url", ["https://[{}", "https://a..b/{}", "https://name:中{}@127.0.0.1:1/"]
)
def test_an_address_that_cannot_be_used_is_told_without_it(url: str) -> None:
    with pytest.raises(ReplicationError) as caught:
        quick(open_webhook(url.format(SECRET))).send(DIGEST)
    assert SECRET not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
