"""Sweep reports: what a sweep saw and queued, and where the next one goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from replication.domain.errors import FailureCode, PermanentError, ReplicationError
from replication.domain.image_version import ImageVersionId


class SweepIncompleteError(ReplicationError):
    """Parts of the sweep failed; everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One version that needs a look, and why."""

    image_version_id: ImageVersionId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPosition:
    """Where a sweep stands: at a page of the records, or behind a version of a subscription."""

    cursor: str | None = None
    subscription_id: str | None = None
    version_id: str | None = None


BEGINNING = SweepPosition()


@dataclass(slots=True, kw_only=True)
class SweepReport:
    """What a sweep saw and queued; `errors` names the parts that could not be swept.

    `goes_on_at` is where the next run goes on, None where all was swept. `stuck` counts the
    replicas without progress for longer than their speed explains.
    """

    versions_seen: int = 0
    out_of_scope: int = 0
    findings: list[Finding] = field(default_factory=list)
    stuck: int = 0
    errors: list[str] = field(default_factory=list)
    not_authorised: bool = False
    goes_on_at: SweepPosition | None = None

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Report the failure of one part, and go on with the others."""
        try:
            yield
        except ReplicationError as error:
            self.failed(name, error)

    def failed(self, name: str, error: ReplicationError) -> None:
        """Report a part that failed."""
        self.errors.append(f"{name}: {error}")
        refused = isinstance(error, PermanentError) and error.code is FailureCode.NOT_AUTHORISED
        self.not_authorised = self.not_authorised or refused

    def raise_if_incomplete(self) -> None:
        """Raise if a part could not be swept, so that the run shows red.

        PermanentError where a right is missing, SweepIncompleteError else.
        """
        if self.not_authorised:
            raise PermanentError("; ".join(self.errors), code=FailureCode.NOT_AUTHORISED)
        if self.errors:
            raise SweepIncompleteError("; ".join(self.errors))
