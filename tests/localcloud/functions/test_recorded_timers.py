"""Timers against the recording of the vendor's: runs, what is kept of them, and schedules."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from localcloud.functions.app_settings import resolve
from localcloud.functions.errors import RefusedFunctionError
from localcloud.functions.schedules.schedule import Every, Schedule
from tests.support.localcloud.recorded import judge, recording
from tests.support.localcloud.timer_play import Play

RECORDED = recording("timers")
CASES = {case["id"]: case for case in RECORDED["cases"]}
CRON = {f"cron/{one['expression']}": one for one in RECORDED["cron"]}
IN_BERLIN = {f"in_berlin/{one['expression']}": one for one in RECORDED["in_berlin"]}
BERLIN = ZoneInfo("Europe/Berlin")
# What is told of a run, of a status that is kept, and of a function that is not served.
COMPARED = ("call", "end", "status", "start fails")
MOMENT = re.compile(
    r"<(?P<unit>[HM])(?P<count>[+-]\d+)(?: (?P<min>[+-]\d+) min)?(?P<later> and a moment)?>"
)


def starts() -> Iterator[datetime]:
    """Yield moments at which a scenario may have begun: it was not recorded."""
    minute = datetime(2026, 11, 30, 12, 34, tzinfo=UTC)
    yield from (minute + timedelta(seconds=41.5 + step / 2) for step in range(-83, 37))


def written(text: str, start: datetime) -> str:
    """Put moments in place of the ones that are named by their distance from the start."""

    def moment(match: re.Match[str]) -> str:
        named, count = start.replace(second=0, microsecond=0, tzinfo=None), int(match["count"])
        if match["unit"] == "H":
            named = named.replace(minute=0) + timedelta(hours=count)
        else:
            named += timedelta(minutes=count)
        named += timedelta(minutes=int(match["min"] or 0))
        return f"{'~' if match['later'] else ''}{named.isoformat()}"

    return MOMENT.sub(moment, text)


def agree(recorded: object, here: object, start: datetime, at_s: float) -> bool:
    """Tell whether two documents agree; a moment that was not told may be any near it."""
    if isinstance(recorded, dict) and isinstance(here, dict):
        return recorded.keys() == here.keys() and all(
            agree(one, here[name], start, at_s) for name, one in recorded.items()
        )
    if not isinstance(recorded, str) or not isinstance(here, str):
        return recorded == here
    if recorded.startswith("<now>"):
        return start <= datetime.fromisoformat(here) <= start + timedelta(seconds=at_s + 1)
    if recorded.startswith("~"):
        named = datetime.fromisoformat(recorded[1:])
        return named <= datetime.fromisoformat(here) < named + timedelta(minutes=1)
    return recorded == here


def given_of(case: dict[str, Any], start: datetime) -> dict[str, Any]:
    given = dict(case["given"])
    if "status_before" in given:
        given["status_before"] = written(given["status_before"], start)
    given["two"] = any(one.get("function") == "other" for one in case["observed"])
    for one in case["observed"]:
        if one["what"].startswith("host A is "):
            given |= {"kills": one["what"].endswith("killed"), "ends_s": one["at"] + 1.0}
    return given


def compared(case: dict[str, Any], start: datetime) -> tuple[Any, Any]:
    """Play a scenario; return the recorded rows and those of here."""
    zone = ZoneInfo(case["given"].get("time_zone", "UTC"))
    local = start.astimezone(zone)
    play = Play(given=given_of(case, local), start=start, zone=zone)
    play.run()
    recorded = [one for one in case["observed"] if one["what"] in COMPARED]
    if any(one["what"] == "start fails" for one in recorded):
        return {"serves": []}, {"serves": [one.function for one in play.happened]}
    first_s = next((one.at_s for one in play.happened if one.what == "call"), 0.0)
    here = []
    for number, one in enumerate(play.happened):
        told = recorded[number] if number < len(recorded) else {}
        agreed = agrees(told, one.text, local, one.at_s)
        here.append(
            {
                "what": one.what,
                "function": one.function,
                "at": round(one.at_s - first_s, 1) if "at" in told else None,
                "text": text_of(told) if agreed else one.text,
            }
        )
    rows = [
        {
            "what": told["what"],
            "function": told.get("function", "sweep"),
            "at": told.get("at"),
            "text": text_of(told),
        }
        for told in recorded
    ]
    return rows, here


def text_of(told: dict[str, Any]) -> str:
    return str(told.get("got") or told.get("text") or "")


def agrees(told: dict[str, Any], here: str, start: datetime, at_s: float) -> bool:
    text = text_of(told)
    if not text or not here:
        return text == here
    return agree(json.loads(written(text, start)), json.loads(here), start, at_s)


def two_hosts(case: dict[str, Any]) -> tuple[Any, Any]:
    """Compare who runs the timer, and whether the other takes over within two leases."""

    def row(calls: list[tuple[str, float]], ended_s: float) -> dict[str, Any]:
        hosts = [host for host, _ in calls]
        first_b = next(at_s for host, at_s in calls if host == "B")
        return {
            "order": sorted(set(hosts)) if hosts == sorted(hosts) else hosts,
            "in_time": first_b - ended_s <= 120,
        }

    start = datetime(2026, 11, 30, 12, 34, 1, tzinfo=UTC)
    play = Play(given=given_of(case, start), start=start)
    play.run()
    told = [(one["host"], one["at"]) for one in case["observed"] if one["what"] == "call"]
    ended_s = next(one["at"] for one in case["observed"] if one["what"].startswith("host A is "))
    here = [(one.host, one.at_s) for one in play.happened if one.what == "call"]
    return row(told, ended_s), row(here, ended_s + 1.0)


@pytest.mark.parametrize("case_id", CASES)
def test_a_timer_runs_as_the_vendor_s(case_id: str) -> None:
    case = CASES[case_id]
    if case["given"].get("hosts", 1) > 1:
        recorded, here = two_hosts(case)
    else:
        tried = (compared(case, start) for start in starts())
        recorded, here = next(
            (pair for pair in tried if pair[0] == pair[1]), compared(case, next(starts()))
        )
    judge(case_id, recorded=recorded, here=here, kinder=calls(here) > calls(recorded))


def calls(row: Any) -> int:
    if isinstance(row, dict):
        return len(row.get("serves", ()))
    return sum(one["what"] == "call" for one in row)


def read(expression: str, pairs: list[list[Any]], zone: ZoneInfo) -> dict[str, Any]:
    try:
        schedule = Schedule.parse(resolve(expression, {}, where="schedule"))
        monitored = schedule.is_monitored(datetime(2026, 11, 30, 12, 34, 56, tzinfo=UTC))
    except (ValueError, RefusedFunctionError):
        return {"served": False}
    following = []
    for pair in pairs:
        # What comes twice on a day of a clock change is the later one.
        moment = datetime.fromisoformat(pair[0]).replace(tzinfo=zone, fold=1)
        after = schedule.next_after(moment).replace(tzinfo=None)
        waits = [schedule.wait_s(moment, moment)] if pair[2:] else []
        following.append([pair[0], shown(after), *waits])
    kind = "interval" if isinstance(schedule.moments, Every) else "cron"
    return {"served": True, "kind": kind, "use_monitor": monitored, "next": following}


def shown(moment: datetime) -> str:
    text = moment.isoformat()
    return text.rstrip("0") if "." in text else text


@pytest.mark.parametrize("case_id", [*CRON, *IN_BERLIN])
def test_a_schedule_is_read_as_the_vendor_does(case_id: str) -> None:
    told = (CRON | IN_BERLIN)[case_id]
    zone = BERLIN if case_id in IN_BERLIN else ZoneInfo("UTC")
    here = read(told["expression"], told.get("next", []), zone)
    recorded = (
        {"served": False}
        if "error" in told
        else {"served": True, **{name: told[name] for name in ("kind", "use_monitor", "next")}}
    )
    judge(case_id, recorded=recorded, here=here, kinder=here["served"] and "error" in told)
