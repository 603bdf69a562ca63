"""The errors that the simulator answers, in ARM's shape."""

from typing import Any


class ArmError(Exception):
    """An answer other than success."""

    def __init__(self, status: int, code: str, message: str, *, target: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.target = target
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """Return the JSON that ARM sends."""
        error: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.target is not None:
            error["target"] = self.target
        return {"error": error}


def bad_request(message: str, *, code: str = "InvalidParameter", target: str = "") -> ArmError:
    """Return a refusal of what was sent."""
    return ArmError(400, code, message, target=target or None)


def not_found(message: str, *, code: str = "ResourceNotFound") -> ArmError:
    """Return the answer about something that is not there."""
    return ArmError(404, code, message)
