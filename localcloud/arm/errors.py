"""The refusals of Resource Manager, in its own shape."""

from collections.abc import Sequence
from typing import Any


class ArmError(Exception):
    """An answer other than success; the text is the message that ARM sends."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: Sequence[dict[str, Any]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.target = target
        self.details = list(details)
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """Return the JSON that ARM sends."""
        error: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.target:
            error["target"] = self.target
        if self.details:
            error["details"] = self.details
        return {"error": error}


def invalid(message: str, *, code: str = "InvalidParameter", target: str | None = None) -> ArmError:
    """Return a refusal of what was sent."""
    return ArmError(400, code, message, target=target)


def fixed_property(name: str) -> ArmError:
    """Return the refusal to change what can only be chosen once."""
    return ArmError(
        409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", target=name
    )


def quota(what: str, limit: int) -> ArmError:
    """Return the refusal of one more than the soft limit; no source gives Azure's own code."""
    return ArmError(
        409,
        "QuotaExceeded",
        f"The operation would exceed the quota of {limit} {what}. Delete what is not used, or "
        "ask for a higher quota.",
    )
