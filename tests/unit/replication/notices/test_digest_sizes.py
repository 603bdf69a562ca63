"""Digests of the most causes, with the longest names, stay within what their receivers take."""

import json
from dataclasses import replace

import pytest

from replication.notices.digest import Digest, cloud_event, teams_message
from replication.notices.rules import Cause, Change, Notice, NoticeRules
from tests.support.builders import NOON

# Four bytes a character in UTF-8.
LONG = "\U0001f5bc" * 3000
NAMES = frozenset(f"{number:03}{LONG}" for number in range(200))
CAUSE = Cause(
    key="letter|long",
    code=LONG,
    jobs=10**9,
    since=NOON,
    region=LONG,
    regions=NAMES,
    galleries=NAMES,
    next_step=LONG,
)


def _digest(causes: int) -> Digest:
    told = tuple(
        Notice(id=f"{number:032}", change=Change.NEW, cause=replace(CAUSE, key=f"letter|{number}"))
        for number in range(causes)
    )
    return Digest(id="0" * 32, at=NOON, notices=told, later=3, site=f"{'s' * 60}.example.net")


# Of 40 and more the titles alone have no room.
@pytest.mark.parametrize("causes", [1, 40, 200])
def test_a_card_is_within_28_kb_and_says_how_many_causes_it_leaves_out(causes: int) -> None:
    message = teams_message(_digest(causes))
    assert len(json.dumps(message, ensure_ascii=False).encode()) < 28_000
    body = message["attachments"][0]["content"]["body"]
    shown = [one for one in body if one["type"] == "Container"]
    left_out = [
        int(text.split()[1])
        for one in body
        if one["type"] == "RichTextBlock"
        and (text := one["inlines"][0]["text"]).endswith("no room here")
    ]
    assert shown
    assert len(shown) + sum(left_out) == causes
    assert bool(left_out) is (causes > len(shown))


def test_an_event_of_the_most_causes_is_within_1_mb() -> None:
    event = cloud_event(_digest(NoticeRules().max_notices))
    assert len(json.dumps(event, ensure_ascii=False).encode()) < 1_000_000
