"""Digest: notices that go out together, as a CloudEvent and as an adaptive card for Teams.

Names come from others: they are cut, and never stand where a reader would take them as markup.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES
from replication.listing.job_rows import STUCK
from replication.notices.rules import (
    ABOUT_QUEUES,
    POISON_EXPIRING,
    QUEUE_BEHIND,
    TIMER_ABSENT,
    Cause,
    Change,
    Notice,
)

CAUSES_CHANGED = "GalleryReplicator.CausesChanged"
_SOURCE = "/gallery-replicator"
_MAX_NAMES = 12
_MAX_NAME = 80
_MAX_SENTENCE = 300
# Teams takes 28 KB a message.
_MAX_CARD_BYTES = 24_000
_MAX_DETAILED = 10
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_STUCK_SENTENCE = "Copies have made no progress for longer than their own speed explains."
# The chapter that speaks of copies that stand still.
_STUCK_CHAPTER = FailureCode.DEADLINE_EXCEEDED.value
_BEHIND_SENTENCE = "Messages are due, and nobody takes them or too few."
_EXPIRING_SENTENCE = "Messages lie in a poison queue and become no dead letters: they expire there."
_TIMER_SENTENCE = "A timer of the app does not run, for its schedule is missing or wrong."
_UNKNOWN_SENTENCE = "A newer release of this app has laid dead letters under this code."
_STYLES = {Change.NEW: "attention", Change.GROWN: "attention", Change.RESOLVED: "good"}
_HEADINGS = {
    Change.NEW: "New",
    Change.GROWN: "Growing",
    Change.RESOLVED: "Resolved",
    Change.REMINDER: "Still there",
}

_REGION = re.compile(r"[a-z0-9]{1,40}")

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What is sent at once; `site` is the app's host name, for links to its dashboard."""

    id: str
    at: datetime
    notices: tuple[Notice, ...]
    later: int = 0
    site: str | None = None
    test: bool = False


def cloud_event(digest: Digest) -> Document:
    """Return the digest as a structured CloudEvent 1.0."""
    return {
        "specversion": "1.0",
        "id": digest.id,
        "source": f"https://{digest.site}" if digest.site else _SOURCE,
        "type": CAUSES_CHANGED,
        "time": digest.at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "summary": summary(digest),
            "test": digest.test,
            "changes": [_change(one, digest.site) for one in digest.notices],
            "later": digest.later,
        },
    }


def teams_message(digest: Digest) -> Document:
    """Return the digest as a message with an adaptive card, as a workflow's webhook takes it."""
    shown = len(digest.notices)
    detailed = min(_MAX_DETAILED, shown)
    message = _message(digest, shown, detailed)
    while shown and len(json.dumps(message, ensure_ascii=False).encode()) > _MAX_CARD_BYTES:
        # First what is said of each, then the last of the titles.
        shown, detailed = (shown, detailed - 1) if detailed else (shown - 1, 0)
        message = _message(digest, shown, detailed)
    return message


def summary(digest: Digest) -> str:
    """Say in a sentence what the digest is about; without any name."""
    if digest.test:
        return "This is a test: notices of the gallery replicator arrive here."
    counts = dict.fromkeys(Change, 0)
    for notice in digest.notices:
        counts[notice.change] += 1
    parts = [f"{number} {change.value}" for change, number in counts.items() if number]
    return f"Replication failures: {', '.join(parts) or 'nothing new'}."


def lines(notice: Notice, *, site: str | None = None) -> Iterator[str]:
    """Yield a notice in sentences, the most important first."""
    cause = notice.cause
    yield _title(notice)
    yield sentence_of(cause.code)
    if notice.lasted_s is not None:
        yield f"It lasted {_duration(notice.lasted_s)}, since {_time(cause.since)}."
        return
    again = " It was resolved before, and came back." if notice.returns else ""
    yield f"{_jobs(cause)}, since {_time(cause.since)}.{again}"
    if cause.regions:
        yield f"Regions: {_listed(cause.regions)}."
    if cause.galleries:
        yield f"Galleries: {_listed(cause.galleries)}."
    if cause.next_step:
        yield f"Next: {_clean(cause.next_step, _MAX_SENTENCE)}"
    yield from _commands(cause)
    yield f"Runbook: {_runbook(cause.code, site)}"


def sentence_of(code: str) -> str:
    """Return what a code means to an operator."""
    if code in _SENTENCES:
        return _SENTENCES[code]
    return FAILURES[FailureCode(code)].sentence if _is_known(code) else _UNKNOWN_SENTENCE


def _change(notice: Notice, site: str | None) -> Document:
    cause = notice.cause
    document: Document = {
        "id": notice.id,
        "change": notice.change.value,
        "code": _clean(cause.code, _MAX_NAME),
        "sentence": sentence_of(cause.code),
        "runbook": _runbook(cause.code, site),
        "region": _clean(cause.region, _MAX_NAME) if cause.region else None,
        "jobs": cause.jobs,
        "atLeast": cause.at_least,
        "since": cause.since.isoformat(),
        "returns": notice.returns,
        "lastedSeconds": notice.lasted_s,
    }
    if notice.lasted_s is None:
        document |= {
            "regions": _some(cause.regions),
            "moreRegions": max(0, len(cause.regions) - _MAX_NAMES),
            "galleries": _some(cause.galleries),
            "moreGalleries": max(0, len(cause.galleries) - _MAX_NAMES),
            "next": _clean(cause.next_step, _MAX_SENTENCE),
            "commands": list(_commands(cause)),
        }
    if queue := _queue(cause):
        document["queue"] = queue
    if site:
        document["dashboard"] = _link(site, cause)
    return document


def _message(digest: Digest, shown: int, detailed: int) -> Document:
    body: list[Document] = [
        {
            "type": "TextBlock",
            "text": summary(digest),
            "weight": "Bolder",
            "size": "Medium",
            "wrap": True,
        }
    ]
    for number, notice in enumerate(digest.notices[:shown]):
        said = [_title(notice)]
        if number < detailed:
            said = list(lines(notice, site=digest.site))
        container: Document = {
            "type": "Container",
            "style": _STYLES.get(notice.change, "default"),
            "separator": True,
            "items": [_words(one, bold=place == 0) for place, one in enumerate(said)],
        }
        if digest.site:
            url = _link(digest.site, notice.cause)
            container["selectAction"] = {"type": "Action.OpenUrl", "url": url}
        body.append(container)
    if left_out := len(digest.notices) - shown:
        body.append(_words(f"and {left_out} more, for which there is no room here"))
    if digest.later:
        body.append(_words(f"and {digest.later} more, of which the next digests tell"))
    card: Document = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if digest.site:
        url = f"https://{digest.site}/dashboard"
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Dashboard", "url": url}]
    content_type = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": content_type, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _words(text: str, *, bold: bool = False) -> Document:
    # Of a text run nothing is read as markup, other than of a text block.
    run = {"type": "TextRun", "text": text}
    return {"type": "RichTextBlock", "inlines": [{**run, "weight": "Bolder"} if bold else run]}


def _title(notice: Notice) -> str:
    cause = notice.cause
    where = f" in {_clean(cause.region, _MAX_NAME)}" if cause.region else ""
    if named := _queue(cause) or _timer(cause):
        where = f": {named}"
    return f"{_HEADINGS[notice.change]}: {_clean(cause.code, _MAX_NAME)}{where}"


def _jobs(cause: Cause) -> str:
    number = f"{'at least ' if cause.at_least else ''}{cause.jobs}"
    word = "timer" if _timer(cause) else "job" if _queue(cause) is None else "message"
    return f"{number} {word}{'' if cause.jobs == 1 else 's'}".capitalize()


def _listed(names: Collection[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(_some(names)) + (f" and {more} more" if more > 0 else "")


def _some(names: Collection[str]) -> list[str]:
    return [_clean(one, _MAX_NAME) for one in sorted(names)[:_MAX_NAMES]]


def _commands(cause: Cause) -> Iterator[str]:
    if cause.code == STUCK:
        yield "gallery-replicator status"
        return
    if cause.code in ABOUT_QUEUES:
        yield "gallery-replicator queues"
        return
    if cause.code == TIMER_ABSENT:
        return
    words = "" if _is_region(cause) or not _is_known(cause.code) else f" --code {cause.code}"
    if _names_region(cause):
        words += f" --region {cause.region}"
    yield f"gallery-replicator dead-letters list{words}"
    yield f"gallery-replicator dead-letters replay{words or ' --all'} --dry-run"


def _queue(cause: Cause) -> str | None:
    """Return the queue that a cause is about, None for any other cause."""
    if cause.code not in ABOUT_QUEUES:
        return None
    return _clean(cause.key.partition("|")[2], _MAX_NAME)


def _timer(cause: Cause) -> str | None:
    """Return the timer that a cause is about, None for any other cause."""
    return _clean(cause.key.partition("|")[2], _MAX_NAME) if cause.code == TIMER_ABSENT else None


def _names_region(cause: Cause) -> bool:
    """Tell whether there is a region that can stand in a command and in an address."""
    return cause.region is not None and _REGION.fullmatch(cause.region) is not None


def _is_region(cause: Cause) -> bool:
    """Tell whether the cause is a region in trouble, whose letters have more than one code."""
    return cause.key.startswith("region|")


def _runbook(code: str, site: str | None) -> str:
    page = f"https://{site}/dashboard/runbook" if site else "docs/runbook.md"
    chapter = _STUCK_CHAPTER if code == STUCK else code
    return f"{page}#{chapter}" if chapter in _CHAPTERS else page


def _is_known(code: str) -> bool:
    return code in _CODES


def _link(site: str, cause: Cause) -> str:
    if cause.code == STUCK:
        return f"https://{site}/dashboard/replications?stuck=yes"
    if cause.code in ABOUT_QUEUES or cause.code == TIMER_ABSENT:
        return f"https://{site}/dashboard"
    # `code` is what the host takes for its key.
    asked = {"failure_code": cause.code} if _is_known(cause.code) and not _is_region(cause) else {}
    if cause.region is not None and _names_region(cause):
        asked["region"] = cause.region
    page = f"https://{site}/dashboard/dead-letters"
    return f"{page}?{urlencode(asked)}" if asked else page


def _clean(text: str, most: int) -> str:
    """Return the text cut, without what could steer a reader's screen."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(one if one.isprintable() else "\ufffd" for one in cut)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _duration(seconds: float) -> str:
    for size, name in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"


_SENTENCES = {
    STUCK: _STUCK_SENTENCE,
    QUEUE_BEHIND: _BEHIND_SENTENCE,
    POISON_EXPIRING: _EXPIRING_SENTENCE,
    TIMER_ABSENT: _TIMER_SENTENCE,
}
_CODES = frozenset(code.value for code in FailureCode)
_CHAPTERS = _CODES | ABOUT_QUEUES | {TIMER_ABSENT}
