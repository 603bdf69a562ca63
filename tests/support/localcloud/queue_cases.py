"""Recorded cases of the vendor's queue listener, played by ours on a clock that leaps.

What is held against the recording, as both sides tell it:

- whether the host starts, with which options, when it ends, and how long a stop takes;
- each request in its order, but for receives that found nothing: those are counted. Where several
  messages are under way their order within a moment is chance, so that requests of one kind are
  held together;
- each call of the function for each message in turn: count, body, outcome, how long it took;
- what both queues hold at the end.

The recording rounds to tenths, and a fifth of each wait is chance. So a time that is as near as
that allows is told as recorded, and the waits are drawn anew up to `DRAWS` times: a rule that is
another fits none of them.
"""

import random
from collections.abc import Iterable, Iterator
from typing import Any

from localcloud.functions.config import HostConfigError
from tests.support.localcloud.queue_play import Call, Play, options_of, short_text
from tests.support.localcloud.queue_service import Asked
from tests.support.virtual_time import run_in_virtual_time

DRAWS = 12

_TOLD_TYPES = frozenset({"String", "QueueMessage"})
_INSTANT_S = 0.1
_SLACK_S = 0.4
_OK = 200

Row = dict[str, Any]


class Middle(random.Random):
    """Draws the middle of every range."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def draws(case: Row) -> Iterator[random.Random]:
    """Yield the chances of each play: first none at all, unless two listeners would poll as one."""
    if "poison" not in case["function"]["parameter"]:
        yield Middle()
    for seed in range(DRAWS - 1):
        yield random.Random(seed)  # noqa: S311 - repeatable waits


def played(case: dict[str, Any]) -> Row:
    """Play a case; of several plays, the one that is told as recorded, else the first."""
    recorded = recorded_row(case)
    try:
        options = options_of(case)
    except HostConfigError:
        return {**dict.fromkeys(recorded), "refused": True}
    first: Row = {}
    for chance in draws(case):
        play = Play(case, options, chance)
        run_in_virtual_time(play.run())
        here = aligned(_row(play), recorded, options.max_polling_interval_s)
        if here == recorded:
            return here
        first = first or here
    return first


def recorded_row(case: dict[str, Any]) -> Row:
    """Tell what was recorded of a case, in the form of `played`."""
    observed = case["observed"]
    requests = [one for row in observed["requests"] for one in _asked(row)]
    calls = [
        Call(at_s, function, count, body if kind in _TOLD_TYPES else "", ended_s, outcome)
        for at_s, ended_s, _, function, outcome, _, count, body, kind, _ in observed["invocations"]
    ]
    stops = observed["host_asked_to_stop"]
    return _told(
        case,
        moment_s=_INSTANT_S,
        requests=requests,
        calls=calls,
        refused=observed["start_error"] is not None,
        options=case["effective"],
        peak=observed["peak_running"],
        ends_s=stops[0]["at_s"] if stops else None,
        stop_s=observed["stop_took_s"],
        queue=observed["queue_after"],
        poison=observed["poison_after"],
    )


def _asked(row: list[Any]) -> Iterator[Asked]:
    """One line of the recording is as many requests as it tells, evenly apart."""
    at_s, until_s, repeated, op, queue, number, visibility_s, _, status, code, *rest = row
    broken_off, injected, messages, text = rest
    for n in range(repeated):
        yield Asked(
            at_s=at_s + (until_s - at_s) * n / repeated,
            op=op,
            queue=queue,
            number=number,
            visibility_s=visibility_s,
            text=text,
            status=status,
            code=code,
            broken_off=broken_off,
            injected=injected,
            messages=messages,
        )


def _row(play: Play) -> Row:
    case, options = play.case, play.options
    for asked in play.service.asked:
        asked.queue = asked.queue.replace(play.queue.removesuffix("-poison"), "jobs", 1)
    kinds = {one[7]: one[8] for one in case["observed"]["invocations"]}
    for call in play.calls:
        call.body = call.body if set(kinds.values()) <= _TOLD_TYPES else ""
    return _told(
        case,
        # Nothing takes time here, but for what waits.
        moment_s=_INSTANT_S / 100,
        requests=play.service.asked,
        calls=play.calls,
        refused=False,
        options={
            "batch_size": options.batch_size,
            "new_batch_threshold": options.new_batch_threshold,
            "max_dequeue_count": options.max_dequeue_count,
            "visibility_timeout_s": options.visibility_timeout_s,
            "max_polling_interval_s": options.max_polling_interval_s,
            "message_encoding": "base64" if options.base64 else "none",
        },
        peak=_peak(play.calls),
        ends_s=play.ends_s,
        stop_s=play.stop_s if play.ends_s is None else None,
        queue=play.queues_left[0],
        poison=play.queues_left[1],
    )


def _told(
    case: dict[str, Any],
    *,
    moment_s: float,
    requests: Iterable[Asked],
    calls: Iterable[Call],
    **rest: Any,
) -> Row:
    if rest["refused"]:
        lacking = (*rest, "woken", "requests", "polls", "calls")
        return {**dict.fromkeys(lacking), "refused": True}
    polls: list[Asked] = []
    others: list[Asked] = []
    for asked in requests:
        empty = asked.op == "receive" and asked.status == _OK and not asked.messages
        (polls if empty else others).append(asked)
    times = [(asked.at_s, _kind(asked)) for asked in others]
    calls = sorted(calls, key=lambda call: (call.function, call.body, call.at_s))
    told_calls = [
        (
            *(one.function, short_text(one.body), one.count, one.outcome),
            (one.ended_s or one.at_s) - one.at_s,
        )
        for one in calls
    ]
    if not any(took_s > _INSTANT_S for *_, took_s in told_calls):
        # Which of two calls of no length ends first is chance.
        rest["peak"] = None
    copies_s = [asked.at_s for asked in others if asked.op == "put"]
    found_s = [one.at_s for one in others if one.op == "receive" and one.queue.endswith("-poison")]
    return {
        **rest,
        # The copy of a message ends the wait of this host's own listener to the poison queue.
        "woken": any(0 <= at_s - put_s < moment_s for at_s in found_s for put_s in copies_s),
        "requests": times if _alone(case) else sorted(times, key=lambda one: (one[1], one[0])),
        "polls": len(polls),
        "calls": told_calls,
    }


def aligned(here: Row, recorded: Row, poll_s: float) -> Row:
    """Tell each time that is as near to the recorded one as chance allows as the recorded one."""
    here = dict(here)
    ours_s, theirs_s = _last_answer_to_end_s(here), _last_answer_to_end_s(recorded)
    if None not in {ours_s, theirs_s} and abs(ours_s - theirs_s) <= _SLACK_S + theirs_s / 4:
        here["ends_s"] = recorded["ends_s"]
    if abs(here["polls"] - recorded["polls"]) <= 2 + recorded["polls"] / 4:
        here["polls"] = recorded["polls"]
    if [kind for _, kind in here["requests"]] == [kind for _, kind in recorded["requests"]]:
        here["requests"] = [
            (theirs_s if near else ours_s, kind)
            for (theirs_s, kind), (ours_s, _), near in zip(
                recorded["requests"],
                here["requests"],
                _near(recorded["requests"], here["requests"], poll_s),
                strict=True,
            )
        ]
    if [call[:-1] for call in here["calls"]] == [call[:-1] for call in recorded["calls"]]:
        here["calls"] = [
            theirs if abs(theirs[-1] - ours[-1]) <= _SLACK_S else ours
            for theirs, ours in zip(recorded["calls"], here["calls"], strict=True)
        ]
    ours_s, theirs_s = here["stop_s"], recorded["stop_s"]
    if None not in {ours_s, theirs_s} and abs(ours_s - theirs_s) <= _SLACK_S + theirs_s / 4:
        here["stop_s"] = recorded["stop_s"]
    return here


def _last_answer_to_end_s(row: Row) -> Any:
    """How long after the last request before it the host ends; None where it goes on."""
    if row["ends_s"] is None:
        return None
    asked_s = (at_s for at_s, _ in row["requests"] if at_s < row["ends_s"] + _SLACK_S)
    return row["ends_s"] - max(asked_s, default=0)


def kinder(here: Row, recorded: Row) -> bool:
    """Tell whether we start, go on, call or settle where the vendor's host does not."""
    if recorded["refused"] or here["refused"]:
        return bool(recorded["refused"]) and not here["refused"]
    if recorded["ends_s"] is not None and here["ends_s"] is None:
        return True
    called = {(function, body) for function, body, *_ in recorded["calls"]}
    if {(function, body) for function, body, *_ in here["calls"]} - called:
        return True
    left = [(here[name], recorded[name]) for name in ("queue", "poison")]
    return any(ours and ours["messages"] < theirs["messages"] for ours, theirs in left)


def _near(
    recorded: list[tuple[float, Any]], here: list[tuple[float, Any]], poll_s: float
) -> Iterator[bool]:
    before = (0.0, 0.0)
    last: Any = None
    for (theirs_s, kind), (ours_s, _) in zip(recorded, here, strict=True):
        gaps = (theirs_s - before[0], ours_s - before[1])
        slack_s = _SLACK_S
        if last is not None and last[:2] == kind[:2] and _fails(last):
            slack_s += max(gaps) / 4
        elif kind[0] in {"receive", "exists"}:
            slack_s += min(poll_s * 1.2, max(gaps))
        yield min(abs(gaps[0] - gaps[1]), abs(theirs_s - ours_s)) <= slack_s
        before, last = (theirs_s, ours_s), kind


def _fails(kind: Any) -> bool:
    status, broken_off = kind[5], kind[7]
    return bool(broken_off) or status in {"408", "429"} or status >= "500"


def _kind(asked: Asked) -> tuple[str, ...]:
    broken_off = (asked.broken_off or "").partition(", caller gave up")[0]
    return tuple(
        "" if value is None else str(value)
        for value in (
            *(asked.op, asked.queue, asked.number, asked.visibility_s),
            *(short_text(asked.text or ""), asked.status, asked.code, broken_off),
            *(asked.injected, asked.messages),
        )
    )


def _alone(case: dict[str, Any]) -> bool:
    """Tell whether one message of one queue and one host make all the requests."""
    hosts = case["settings"].get("hosts") or 1
    several = sum(put["copies"] for put in case["messages"]) > 1
    return hosts == 1 and not several and "poison" not in case["function"]["parameter"]


def _peak(calls: Iterable[Call]) -> int:
    calls = list(calls)
    return max(
        (
            sum(
                other.at_s <= one.at_s and (other.ended_s is None or other.ended_s > one.at_s)
                for other in calls
            )
            for one in calls
        ),
        default=0,
    )
