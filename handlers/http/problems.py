"""What a call is refused with: RFC 9457 problem details."""

from http import HTTPStatus
from typing import Any


class ProblemError(Exception):
    """The call cannot be answered as asked; the text says why, for the caller to read."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(status: HTTPStatus, detail: str) -> dict[str, Any]:
    """Return problem details."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
