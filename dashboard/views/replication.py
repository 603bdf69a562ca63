"""Replication: its regions with what is left to do, its timeline, its plan and its cost."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.schemas.replications import Region, ReplicationDetail
from bootstrap.app import App
from dashboard.views.timeline import ENTRIES, Timeline, timeline
from replication.domain.copy_progress import expected_end, speed_of
from replication.domain.errors import FailureCode
from replication.domain.image_version import ImageVersionId
from replication.domain.job import Phase

_FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionLine:
    """A region as the API shows it, and when its copy ends if it goes on as it went."""

    shown: Region
    percent_per_min: float | None
    ends_at: datetime | None

    @property
    def percent(self) -> int:
        """How far the copy is, for a bar."""
        if self.shown.state == "completed":
            return _FULL
        progress = self.shown.progress
        return progress if isinstance(progress, int) else 0

    @property
    def is_copying(self) -> bool:
        """Whether Azure is at it."""
        return self.shown.state in ("requested", "replicating")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """A replication as the API shows it; `ends_at` is None where a copy's end is not known."""

    at: datetime
    shown: ReplicationDetail
    regions: tuple[RegionLine, ...]
    ends_at: datetime | None
    timeline: Timeline

    @property
    def version_id(self) -> ImageVersionId:
        """The id of the image version, in its parts."""
        return ImageVersionId.parse(self.shown.image_version_id)

    @property
    def is_over(self) -> bool:
        """Whether it is at an end."""
        return Phase(self.shown.phase).is_end

    @property
    def is_held(self) -> bool:
        """Whether a budget holds the plan back."""
        failure = self.shown.failure
        over = failure is not None and failure.code == FailureCode.BUDGET_EXCEEDED.value
        return over and self.shown.phase == Phase.WAITING.value

    @property
    def completed(self) -> int:
        """How many regions are usable."""
        return sum(one.shown.state == "completed" for one in self.regions)

    @property
    def wanted(self) -> int:
        """How many regions there are to be."""
        return sum(one.shown.state != "removed" for one in self.regions)

    @property
    def queue(self) -> str:
        """The queue in which its next message is."""
        following = self.shown.phase == Phase.TRACKING.value
        return "replication-tracking" if following else "replication-jobs"

    def as_json(self) -> dict[str, Any]:
        """Return it in the shape of the API, with the ends that are expected."""
        regions = [
            {
                **line.shown.document(),
                "percent_per_min": line.percent_per_min,
                "ends_at": line.ends_at,
            }
            for line in self.regions
        ]
        document = self.shown.document()
        return {**document, "regions": regions, "ends_at": self.ends_at, "at": self.at}


def replication(app: App, key: str, now: datetime) -> Replication | None:
    """Read a replication, None when there is none of this key."""
    shown = app.queries.replication(key, entries=ENTRIES + 1)
    return None if shown is None else view(shown, now)


def view(shown: ReplicationDetail, now: datetime) -> Replication:
    """Return what a page shows of a replication in the shape of the API.

    Of its timeline it has one entry more than a page shows, if there are so many.
    """
    history = shown.history[-ENTRIES:]
    has_older = len(shown.history) > len(history)
    shown = shown.model_copy(update={"history": history})
    regions = tuple(sorted((_line(region, now) for region in shown.regions), key=_urgency))
    copying = [one for one in regions if one.is_copying]
    ends = [one.ends_at for one in copying]
    known = [one for one in ends if one is not None]
    return Replication(
        at=now,
        shown=shown,
        regions=regions,
        ends_at=max(known) if known and len(known) == len(ends) else None,
        timeline=timeline(history, has_older=has_older),
    )


def _urgency(line: RegionLine) -> int:
    """Say how soon a region is to be seen: what is stuck or failed, what is under way, the rest."""
    if line.shown.stuck is not None or line.shown.state == "failed":
        return 0
    return 2 if line.shown.state in ("completed", "removed") else 1


def _line(shown: Region, now: datetime) -> RegionLine:
    since, moved_at = _moment(shown.copying_since), _moment(shown.progressed_at)
    speed = speed_of(shown.progress, since, moved_at)
    line = RegionLine(
        shown=shown, percent_per_min=None if speed is None else round(speed, 2), ends_at=None
    )
    end = expected_end(shown.progress, since, moved_at)
    if end is None or not line.is_copying or shown.stuck is not None:
        return line
    return replace(line, ends_at=max(now, end))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
