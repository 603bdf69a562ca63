"""The dated list of regions that ships with the project, for when ARM cannot be asked."""

import json
from importlib import resources

from replication.domain.regions import RegionCatalog, build_catalog

_SNAPSHOT = "locations-2026-03-12.json"


def shipped_catalog() -> RegionCatalog:
    """Return the catalog of the snapshot that ships with the project."""
    text = resources.files("replication.domain.data").joinpath(_SNAPSHOT).read_text("utf-8")
    snapshot = json.loads(text)
    return build_catalog(
        snapshot["value"],
        provider_locations=None,
        source=f"the shipped snapshot of {snapshot['taken_on']}",
    )
