"""Which image versions somebody uses: told by the machines, scale sets and labs that name them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from costs.ports import ImageConsumers, Machine
from replication.domain.errors import FailureCode, PermanentError, ReplicationError

_DEFINITION = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute/galleries/[^/]+"
    r"/images/[^/]+"
)
_VERSION = re.compile(r"(?P<definition>.+)/versions/(?P<version>[^/]+)")
_LATEST = "latest"


class Use(StrEnum):
    """Whether somebody uses a version."""

    USED = "used"
    MAYBE = "maybe"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Who uses what: machines by version id, and by the id of a definition named without one.

    The ids are in small letters. `unknown` says in words why nothing is known; then no version
    counts as unused.
    """

    versions: Mapping[str, int] = field(default_factory=dict)
    definitions: Mapping[str, int] = field(default_factory=dict)
    looked_at: int = 0
    unknown: str | None = None

    def of(self, version_id: str) -> Use | None:
        """Return whether a version is in use, None where that is not known.

        A scale set that names the definition may have machines of any of its versions.
        """
        if self.unknown is not None:
            return None
        lower = version_id.lower()
        if self.versions.get(lower):
            return Use.USED
        if self.definitions.get(lower.rsplit("/versions/", 1)[0]):
            return Use.MAYBE
        return Use.UNUSED


def usage_of(machines: Iterable[Machine]) -> Usage:
    """Count the machines of each version."""
    versions: Counter[str] = Counter()
    definitions: Counter[str] = Counter()
    looked_at = 0
    for machine in machines:
        looked_at += 1
        image = machine.image.strip().rstrip("/").lower()
        match = _VERSION.fullmatch(image)
        definition = match["definition"] if match else image
        if not _DEFINITION.fullmatch(definition):
            continue
        version = match["version"] if match else _LATEST
        if version == _LATEST:
            version = machine.exact_version.strip()
        if version:
            versions[f"{definition}/versions/{version}"] += 1
        else:
            definitions[definition] += 1
    if looked_at == 0:
        return Usage(
            unknown="Resource Graph shows this identity no machine, scale set or lab: either there "
            "is none, or it may not read them (it needs the role Reader on their subscriptions)"
        )
    return Usage(versions=versions, definitions=definitions, looked_at=looked_at)


def look_up_usage(machines: ImageConsumers) -> Usage:
    """Ask for all machines; what cannot be asked makes a usage that is unknown, never none."""
    try:
        return usage_of(machines.all())
    except PermanentError as error:
        if error.code is FailureCode.NOT_AUTHORISED:
            return Usage(
                unknown="whether anybody uses a version could not be asked, since this identity "
                f"may not query Resource Graph: {error}"
            )
        return _unknown(error)
    except ReplicationError as error:
        return _unknown(error)


def _unknown(error: ReplicationError) -> Usage:
    return Usage(unknown=f"whether anybody uses a version could not be asked: {error}")
