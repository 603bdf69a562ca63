"""`notices`: what is told, what would be, and whether receivers are reached."""

from dataclasses import dataclass, field, replace

import pytest

from bootstrap.app import build_app
from cli.terminal.errors import ExitCode
from replication.domain.errors import ReplicationError, TransientError
from replication.notices.digest import Digest
from replication.ports import DeadLetter
from tests.support.builders import NOON
from tests.support.fakes import World
from tests.support.shell import Shell

LETTER = DeadLetter(
    id="0" * 32,
    at=NOON,
    source="job",
    code="locked",
    cause="a lock",
    attempts=1,
    correlation_id="corr",
    image_version_id=None,
    raw="",
)


@dataclass
class Channel:
    name: str = "webhook"
    heard: list[Digest] = field(default_factory=list)
    failure: ReplicationError | None = None

    def send(self, digest: Digest) -> None:
        if self.failure is not None:
            raise self.failure
        self.heard.append(digest)


@pytest.fixture
def channel(world: World) -> Channel:
    channel = Channel()
    ports = replace(world.app.ports, channels=(channel,))
    world.app = build_app(world.app.settings, world.app.policy, ports)
    world.letters.put(LETTER)
    return channel


def test_a_run_tells_what_is_new_and_then_nothing(shell: Shell, channel: Channel) -> None:
    answer = shell("notices")
    assert (answer.code, len(channel.heard)) == (0, 1)
    assert answer.out.splitlines()[0] == "webhook was told: Replication failures: 1 new."
    assert "  gallery-replicator dead-letters list --code locked" in answer.out.splitlines()
    assert shell("notices").out == "webhook: nothing new.\n"


def test_a_dry_run_tells_nobody(shell: Shell, channel: Channel) -> None:
    answer = shell("notices", "--dry-run", "--json")
    (one,) = answer.json["channels"]
    assert (one["channel"], one["problem"]) == ("webhook", None)
    assert one["event"]["data"]["changes"][0]["code"] == "locked"
    assert "webhook would be told:" in shell("notices", "--dry-run").out
    assert channel.heard == []


def test_a_test_is_sent_and_a_receiver_that_fails_is_named(shell: Shell, channel: Channel) -> None:
    assert shell("notices", "--test").code == 0
    assert [one.test for one in channel.heard] == [True]
    channel.failure = TransientError("the webhook answered 503")
    answer = shell("notices", "--test")
    assert (answer.code, answer.out) == (ExitCode.FAILED, "webhook: the webhook answered 503\n")


def test_links_lead_to_the_app_that_the_environment_names(shell: Shell, channel: Channel) -> None:
    shell.env["WEBSITE_HOSTNAME"] = "app.example"
    shell("notices")
    assert [one.site for one in channel.heard] == ["app.example"]


def test_without_a_receiver_it_says_what_to_set(shell: Shell) -> None:
    answer = shell("notices")
    assert answer.code == ExitCode.WRONG_USAGE
    assert "set NOTICE_WEBHOOK_URL or NOTICE_TEAMS_URL" in " ".join(answer.err.split())
    assert shell("notices", "--dry-run").out == "nobody: nothing new.\n"


def test_a_dry_run_and_a_test_exclude_each_other(shell: Shell) -> None:
    assert shell("notices", "--dry-run", "--test").code == ExitCode.WRONG_USAGE
