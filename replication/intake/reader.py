"""Reader of versions that have no job yet: it keeps the pauses that Azure asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from replication.domain import formatting
from replication.domain.errors import Operation, ThrottledError
from replication.domain.image_version import ImageVersion, ImageVersionId
from replication.domain.regions import RegionCatalog
from replication.guards.admission import AdmissionControl
from replication.ports import Gallery


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReader:
    """Reads a version unless Azure asked for a pause."""

    gallery: Gallery
    admission: AdmissionControl
    clock: Callable[[], datetime]

    def read(self, version_id: ImageVersionId, catalog: RegionCatalog) -> ImageVersion | None:
        """Return the version, None where there is none; raises what the gallery raises."""
        until = self.admission.closed_until(version_id.subscription_id, Operation.READ)
        if until is not None:
            pause_s = (until - self.clock()).total_seconds()
            raise ThrottledError(
                f"Azure asked for a pause until {formatting.moment(until)}", retry_after_s=pause_s
            )
        try:
            return self.gallery.read(version_id, catalog)
        except ThrottledError as error:
            self.admission.refused(version_id, Operation.READ, error)
            raise
