"""Schedule monitor: what is kept of a timer's runs, and whether one was missed.

As recorded of the vendor's: a schedule that was changed since is not made up for.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from localcloud.functions.schedules.schedule import Schedule
from localcloud.functions.worker import Payload

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """When the timer ran last, when it is due next, and when that was computed."""

    last: datetime = NEVER
    next: datetime = NEVER
    last_updated: datetime = NEVER

    def document(self) -> dict[str, str]:
        """Return it as it is kept and told to functions."""
        return {
            "Last": shown(self.last),
            "Next": shown(self.next),
            "LastUpdated": shown(self.last_updated),
        }


def timer_payload(
    parameter: str, schedule: Schedule, status: ScheduleStatus | None, *, is_past_due: bool
) -> Payload:
    """Build the payload of a timer trigger; without a status for a timer that keeps none."""
    document = {
        "Schedule": {"AdjustForDST": schedule.knows_clock_changes},
        "ScheduleStatus": status.document() if status else None,
        "IsPastDue": is_past_due,
    }
    return Payload(
        parameter=parameter,
        value=("json", json.dumps(document, separators=(",", ":"))),
        metadata={},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What is known of a timer at the start of its host.

    `told` is what a run at the start sees. `kept` is to be written, None where nothing changed.
    """

    told: ScheduleStatus
    kept: ScheduleStatus | None
    is_past_due: bool = False


def begin(stored: ScheduleStatus | None, schedule: Schedule, now: datetime) -> Beginning:
    """Compare what is stored with the schedule as it is now."""
    following = schedule.next_after(now)
    if stored is None:
        told = ScheduleStatus(next=following)
        return Beginning(told=told, kept=ScheduleStatus(next=following, last_updated=now))
    computed_at = next((one for one in (stored.last, stored.last_updated) if one != NEVER), now)
    expected = schedule.next_after(computed_at)
    if stored.next == expected:
        return Beginning(told=stored, kept=None, is_past_due=now > expected)
    if now > expected:
        expected, computed_at = following, now
    anew = ScheduleStatus(next=expected, last_updated=computed_at)
    return Beginning(told=anew, kept=anew)


def read_status(text: str, zone: tzinfo) -> ScheduleStatus | None:
    """Read what is stored; raise ValueError for what is no JSON or holds no times."""
    document = json.loads(text) if text.strip() else None
    if document is None:
        return None
    if not isinstance(document, dict):
        raise ValueError("the stored status is no object")  # noqa: TRY004 - as for other bad texts
    told = {name.lower(): value for name, value in document.items()}
    last, following, updated = (
        _moment(told[name], zone) if name in told else NEVER
        for name in ("last", "next", "lastupdated")
    )
    return ScheduleStatus(last=last, next=following, last_updated=updated)


def shown(moment: datetime) -> str:
    """Write a moment as .NET does: no zone on the first of all, and no zeros at the end."""
    if moment == NEVER:
        return "0001-01-01T00:00:00"
    text = moment.replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return f"{text}{moment.strftime('%:z')}"


def _moment(text: object, zone: tzinfo) -> datetime:
    if not isinstance(text, str):
        raise ValueError(f"the stored status holds {text!r} for a time")  # noqa: TRY004 - likewise
    moment = datetime.fromisoformat(text)
    if moment.replace(tzinfo=UTC) == NEVER:
        return NEVER
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
