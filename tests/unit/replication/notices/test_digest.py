"""What a notice says, as an event and as a card."""

import json
from dataclasses import replace
from typing import Any

import pytest

from replication.domain.errors import FailureCode
from replication.listing.job_rows import STUCK
from replication.notices.digest import (
    CAUSES_CHANGED,
    Digest,
    cloud_event,
    lines,
    summary,
    teams_message,
)
from replication.notices.rules import (
    QUEUE_BEHIND,
    TIMER_ABSENT,
    Cause,
    Change,
    Notice,
)
from tests.support.builders import NOON
from tests.support.documents import PROJECT, anchors
from tests.support.scenarios.causes import RULES, cause

HOSTILE = "\u202e<script>alert(1)</script>\x1b[31m\ud800[click](https://evil.example)" + "x" * 400


def digest(*notices: Notice, site: str | None = "app.example", **more: Any) -> Digest:
    return Digest(id="one", at=NOON, notices=notices, site=site, **more)


def notice(about: Cause, change: Change = Change.NEW, **more: Any) -> Notice:
    return Notice(id="n", change=change, cause=about, **more)


REGION = Cause(
    key="region|westus3",
    code="region_held_back",
    jobs=240,
    since=NOON,
    region="westus3",
    regions=frozenset({"westus3"}),
    galleries=frozenset(f"gallery{n:02}" for n in range(24)),
    at_least=True,
    next_step="It is tried again at noon.",
)


BEHIND = Cause(
    key="queue|replication-tracking",
    code=QUEUE_BEHIND,
    jobs=31,
    since=NOON,
    next_step="Nothing is lost.",
)


@pytest.mark.parametrize(
    ("site", "runbook"),
    [
        (None, "docs/runbook.md#queue_behind"),
        ("app.example", "https://app.example/dashboard/runbook#queue_behind"),
    ],
)
def test_a_queue_that_is_behind_is_named_with_what_to_type(site: str | None, runbook: str) -> None:
    assert list(lines(notice(BEHIND), site=site)) == [
        "New: queue_behind: replication-tracking",
        "Messages are due, and nobody takes them or too few.",
        "31 messages, since 2026-11-23T12:00+00:00.",
        "Next: Nothing is lost.",
        "gallery-replicator queues",
        f"Runbook: {runbook}",
    ]
    over = replace(BEHIND, next_step="")
    told = list(lines(notice(over, Change.RESOLVED, lasted_s=7200.0)))
    assert told[0] == "Resolved: queue_behind: replication-tracking"
    (change,) = cloud_event(digest(notice(BEHIND), site=site))["data"]["changes"]
    assert (change["queue"], change["region"]) == ("replication-tracking", None)
    assert change.get("dashboard") == (f"https://{site}/dashboard" if site else None)


def test_a_timer_that_does_not_run_is_named_and_nothing_can_be_typed_for_it() -> None:
    absent = Cause(
        key="timer|sweep",
        code=TIMER_ABSENT,
        jobs=1,
        since=NOON,
        next_step="SWEEP_SCHEDULE is missing.",
    )
    assert list(lines(notice(absent), site="app.example")) == [
        "New: timer_absent: sweep",
        "A timer of the app does not run, for its schedule is missing or wrong.",
        "1 timer, since 2026-11-23T12:00+00:00.",
        "Next: SWEEP_SCHEDULE is missing.",
        "Runbook: https://app.example/dashboard/runbook#timer_absent",
    ]
    (change,) = cloud_event(digest(notice(absent), site="app.example"))["data"]["changes"]
    assert change["dashboard"] == "https://app.example/dashboard"
    assert change["commands"] == []


def test_the_chapter_about_queues_exists() -> None:
    page, _, anchor = "docs/telemetry.md#galleryreplicatorqueuestalled".partition("#")
    assert anchor in anchors(PROJECT / page)


def test_an_event_says_what_where_since_when_what_next_and_what_to_type() -> None:
    event = cloud_event(digest(notice(REGION, returns=1), later=2))
    changes = event["data"].pop("changes")
    assert event == {
        "specversion": "1.0",
        "id": "one",
        "source": "https://app.example",
        "type": CAUSES_CHANGED,
        "time": "2026-11-23T12:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"summary": "Replication failures: 1 new.", "test": False, "later": 2},
    }
    assert changes == [
        {
            "id": "n",
            "change": "new",
            "code": "region_held_back",
            "sentence": "A region keeps failing for many versions and is held back.",
            "runbook": "https://app.example/dashboard/runbook#region_held_back",
            "region": "westus3",
            "jobs": 240,
            "atLeast": True,
            "since": "2026-11-23T12:00:00+00:00",
            "returns": 1,
            "lastedSeconds": None,
            "regions": ["westus3"],
            "moreRegions": 0,
            "galleries": [f"gallery{n:02}" for n in range(12)],
            "moreGalleries": 12,
            "next": "It is tried again at noon.",
            "commands": [
                "gallery-replicator dead-letters list --region westus3",
                "gallery-replicator dead-letters replay --region westus3 --dry-run",
            ],
            "dashboard": "https://app.example/dashboard/dead-letters?region=westus3",
        }
    ]


def test_the_words_of_a_notice_name_twelve_and_count_the_others() -> None:
    said = list(lines(notice(REGION, returns=1)))
    assert said[0] == "New: region_held_back in westus3"
    assert said[2] == (
        "At least 240 jobs, since 2026-11-23T12:00+00:00. It was resolved before, and came back."
    )
    assert said[4].endswith("gallery11 and 12 more.")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "59 seconds"), (600, "10 minutes"), (9000, "2 hours"), (300_000, "3 days")],
)
def test_what_is_over_says_how_long_it_lasted(seconds: float, words: str) -> None:
    said = list(lines(notice(REGION, Change.RESOLVED, lasted_s=seconds)))
    assert said[0] == "Resolved: region_held_back in westus3"
    assert said[2] == f"It lasted {words}, since 2026-11-23T12:00+00:00."


@pytest.mark.parametrize(
    ("code", "command", "link"),
    [
        (STUCK, "gallery-replicator status", "/dashboard/replications?stuck=yes"),
        (
            "locked",
            "gallery-replicator dead-letters list --code locked",
            "/dashboard/dead-letters?failure_code=locked",
        ),
        (
            "of_a_newer_release",
            "gallery-replicator dead-letters list",
            "/dashboard/dead-letters",
        ),
    ],
)
def test_each_kind_of_cause_has_its_command_and_its_page(
    code: str, command: str, link: str
) -> None:
    event = cloud_event(digest(notice(cause(f"letter|{code}"))))
    (change,) = event["data"]["changes"]
    assert change["commands"][0] == command
    assert change["dashboard"] == f"https://app.example{link}"
    assert change["sentence"].endswith(".")


@pytest.mark.parametrize("code", FailureCode)
def test_each_failure_code_has_its_sentence_and_chapter(code: FailureCode) -> None:
    one = digest(notice(cause(f"letter|{code}")), site=None)
    (change,) = cloud_event(one)["data"]["changes"]
    assert change["runbook"] == f"docs/runbook.md#{code}"


def test_without_a_host_name_there_are_no_links() -> None:
    one = digest(notice(REGION), site=None)
    assert "dashboard" not in cloud_event(one)["data"]["changes"][0]
    assert "actions" not in card(one)


def card(one: Digest) -> dict[str, Any]:
    message = teams_message(one)
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content: dict[str, Any] = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.5")
    return content


def test_a_card_reads_nothing_of_others_as_markup() -> None:
    about = replace(REGION, region=HOSTILE, galleries=frozenset({HOSTILE}), code=HOSTILE)
    body = card(digest(notice(about), later=3))["body"]
    assert [one["text"] for one in body if one["type"] == "TextBlock"] == [
        "Replication failures: 1 new."
    ]
    shown = [run["text"] for run in _runs(body)]
    assert any("<script>" in one for one in shown)
    assert all(character.isprintable() for one in shown for character in one)
    assert shown[-1] == "and 3 more, of which the next digests tell"


def _runs(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    runs = []
    for block in blocks:
        runs += block.get("inlines", [])
        runs += _runs(block.get("items", []))
    return runs


def test_digests_stay_small_enough_for_their_receivers_whatever_is_in_them() -> None:
    many = frozenset(f"{n}{chr(0x1F300)}" * 100 for n in range(300))
    about = replace(
        REGION, regions=many, galleries=many, code=HOSTILE, region=HOSTILE, next_step="é" * 9000
    )
    one = digest(*(notice(about) for _ in range(RULES.max_notices)))
    assert len(json.dumps(teams_message(one), ensure_ascii=False).encode()) < 28_000
    plain = digest(*(notice(REGION) for _ in range(RULES.max_notices)))
    assert len(json.dumps(cloud_event(plain)).encode()) < 64 * 1024


def test_an_event_of_what_is_over_says_how_long_and_names_no_command() -> None:
    event = cloud_event(digest(notice(REGION, Change.RESOLVED, lasted_s=90.0)))
    (change,) = event["data"]["changes"]
    assert (change["change"], change["lastedSeconds"]) == ("resolved", 90.0)
    assert "commands" not in change


def test_a_test_says_that_it_is_one() -> None:
    one = digest(test=True)
    assert cloud_event(one)["data"]["test"] is True
    assert summary(one) == "This is a test: notices of the gallery replicator arrive here."


def test_nothing_new_is_said_so() -> None:
    assert summary(digest()) == "Replication failures: nothing new."


def test_a_cause_of_which_little_is_known_is_told_in_few_words() -> None:
    bare = replace(cause("letter|malformed_event"), jobs=2)
    assert list(lines(notice(bare))) == [
        "New: malformed_event",
        "An event arrived that cannot be read.",
        "2 jobs, since 2026-11-23T12:00+00:00.",
        "gallery-replicator dead-letters list --code malformed_event",
        "gallery-replicator dead-letters replay --code malformed_event --dry-run",
        "Runbook: docs/runbook.md#malformed_event",
    ]
