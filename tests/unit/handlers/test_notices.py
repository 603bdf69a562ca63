"""The timer of the notices, called as the runtime does."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bootstrap import use
from bootstrap.app import build_app
from dashboard.views.dead_letters import read_filters as read_letter_filters
from dashboard.views.replications import read_filters
from handlers.timers import notices
from replication.domain.errors import FailureCode
from replication.listing.job_rows import STUCK
from replication.notices.digest import Digest, cloud_event
from replication.notices.rules import Cause, Change, Notice
from tests.support.builders import NOON
from tests.support.fakes import World


@dataclass
class Channel:
    name: str = "webhook"
    heard: list[Digest] = field(default_factory=list)

    def send(self, digest: Digest) -> None:
        self.heard.append(digest)


def fire() -> None:
    function: Any = notices
    function.build().get_user_function()(SimpleNamespace())


def test_the_timer_tells_of_failures_with_links_to_the_app(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel()
    ports = replace(world.app.ports, channels=(channel,))
    monkeypatch.setenv("WEBSITE_HOSTNAME", "app.example")
    world.app.desk.event({"id": "1"}, event_id="1", cause="it has no data")
    with use(build_app(world.app.settings, world.app.policy, ports)):
        fire()
        fire()
    assert [(one.site, len(one.notices)) for one in channel.heard] == [("app.example", 1)]


def test_without_a_receiver_the_timer_does_nothing(world: World) -> None:
    fire()
    assert world.controls.rows == {}


@pytest.mark.parametrize("code", [*FailureCode, STUCK, "of_a_newer_release", "<b>"])
@pytest.mark.parametrize("region", ["westus3", None, "<i>", "größe"])
def test_every_link_leads_to_a_page_that_understands_it(code: str, region: str | None) -> None:
    cause = Cause(key=f"letter|{code}", code=code, jobs=1, since=NOON, region=region)
    notice = Notice(id="n", change=Change.NEW, cause=cause)
    event = cloud_event(Digest(id="d", at=NOON, notices=(notice,), site="app.example"))
    link = urlsplit(event["data"]["changes"][0]["dashboard"])
    asked = dict(parse_qsl(link.query))
    if code == STUCK:
        _, query = read_filters(asked)
        assert (link.path, query.stuck) == ("/dashboard/replications", True)
        return
    _, letters = read_letter_filters(asked)
    assert link.path == "/dashboard/dead-letters"
    assert letters.code == (code if code in list(FailureCode) else None)
    assert letters.region == (region if region == "westus3" else None)
