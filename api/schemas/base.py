"""Answer: what every shape has in common, and the answers about the app itself."""

from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, ValidationError

from replication.domain.errors import GalleryReplicatorError
from replication.domain.formatting import stamp

_SHOWN = 40
_MEMBERS_OF_NUMBER = ("int", "float")


def _is_moment(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("no offset from UTC")
    return text


def _is_amount(text: str) -> str:
    try:
        finite = Decimal(text).is_finite()
    except ArithmeticError as error:
        raise ValueError("no number") from error
    if not finite:
        raise ValueError("not finite")
    return text


# Any text of Python's, also one with half a character, which a name or a reason of others may hold.
Text = InstanceOf[str]
Moment = Annotated[
    InstanceOf[str],
    AfterValidator(_is_moment),
    Field(json_schema_extra={"format": "date-time"}),
]
# An amount of money with all its digits.
Amount = Annotated[
    InstanceOf[str], AfterValidator(_is_amount), Field(json_schema_extra={"format": "decimal"})
]
Number = int | float


class ShapeError(GalleryReplicatorError, ValueError):
    """An answer that is not of the shape; the text says where."""


class Answer(BaseModel):
    """An answer, or a part of one; a newer app may tell more than is named here."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, serialize_by_alias=True)

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        return self.model_dump()

    @classmethod
    def of_document(cls, document: Any) -> Self:
        """Read an answer; raises ShapeError unless it has at least what the shape names."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise ShapeError(_first(error)) from error


class Problem(Answer):
    """Why a call cannot be answered as asked (RFC 9457)."""

    type: Text = "about:blank"
    title: Text
    status: int
    detail: Text

    @classmethod
    def of(cls, status: HTTPStatus, detail: str) -> Self:
        """Return problem details."""
        return cls(title=status.phrase, status=int(status), detail=detail)


class Health(Answer):
    """Whether the app can do its work: "ok" in `status` and each check, or what is wrong."""

    status: Text
    checks: dict[Text, Text]
    policy_fingerprint: Text
    at: Moment

    @classmethod
    def of(cls, checks: dict[str, str], fingerprint: str, at: datetime) -> Self:
        """Return what the checks found."""
        well = all(word == "ok" for word in checks.values())
        status = "ok" if well else "unhealthy"
        return cls(status=status, checks=checks, policy_fingerprint=fingerprint, at=stamp(at))

    @property
    def is_well(self) -> bool:
        """Whether all is well."""
        return self.status == "ok"


def _first(error: ValidationError) -> str:
    """Say where the first mistake is, and what stands there."""
    found = error.errors(include_url=False, include_context=False)[0]
    places = [one for one in found["loc"] if one not in _MEMBERS_OF_NUMBER]
    if found["type"] == "missing":
        return f"{_path(places[:-1])} lacks {places[-1]!r}"
    if found["type"] == "model_type":
        return f"{_path(places)} is no object"
    if found["type"] == "list_type":
        return f"{_path(places)} is no list"
    return f"{_path(places)} is {_shown(found['input'])}"


def _path(places: list[int | str]) -> str:
    named = (f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return f"the answer{''.join(named)}"


def _shown(value: object) -> str:
    if value is None:
        return "null"
    return f"a {type(value).__name__}" if isinstance(value, dict | list) else repr(value)[:_SHOWN]
