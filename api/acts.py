"""Acts: what the HTTP API and the command line carry out alike, in the shapes of the API."""

from api.schemas.replications import Taken
from replication.domain.actions import IntakeAction
from replication.domain.errors import GalleryReplicatorError
from replication.domain.image_version import ImageVersionId
from replication.domain.policy import ReplicationPolicy
from replication.operations.operations import Operations


class OutOfScopeError(GalleryReplicatorError):
    """The policy leaves the image version out; the text says why."""


class UnknownVersionError(GalleryReplicatorError):
    """There is no such image version."""


def replicate(
    operations: Operations, policy: ReplicationPolicy, version_id: ImageVersionId, *, by: str
) -> Taken:
    """Replicate an image version now; raises OutOfScopeError and UnknownVersionError."""
    out_of_scope = policy.why_out_of_scope(version_id)
    if out_of_scope:
        raise OutOfScopeError(out_of_scope)
    taken = operations.replicate(version_id, by=by)
    if taken.action is IntakeAction.NOT_FOUND:
        raise UnknownVersionError(f"{version_id}: {taken.reason}")
    return Taken.of(version_id, taken)
