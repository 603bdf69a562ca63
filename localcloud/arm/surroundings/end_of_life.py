"""End of life of an image version: a day to come, shown one way, that may forbid a deletion."""

from datetime import UTC, datetime
from typing import Any

from localcloud.arm.errors import ArmError, invalid


def checked_end_of_life(sent: str, name: str, wall: datetime) -> str:
    """Return the date as it is shown; raises ArmError for none, or for one in the past."""
    try:
        at = datetime.fromisoformat(sent)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid(
            f"The value of parameter {name} is invalid: it should be a date.", target=name
        ) from None
    if at <= wall:
        raise invalid(
            f"The value of parameter {name} is invalid: the date '{_shown(at)}' is in the past.",
            target=name,
        )
    return _shown(at)


def refuse_early_deletion(
    name: str, publishing: dict[str, Any], safety: dict[str, Any], wall: datetime
) -> None:
    """Raise the refusal to delete a version before its end; Azure's own code was seen nowhere."""
    end = publishing.get("endOfLifeDate")
    if not safety.get("blockDeletionBeforeEndOfLife") or end is None:
        return
    if datetime.fromisoformat(end) > wall:
        raise ArmError(
            409,
            "OperationNotAllowed",
            f"Operation 'Delete Gallery Image Version' is not allowed on {name}; since its safety "
            f"profile blocks a deletion before its end of life '{end}'.",
        )


def _shown(at: datetime) -> str:
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}+00:00"
