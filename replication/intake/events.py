"""Read the events that say an image version was written or deleted.

Shapes: docs/events.md. Nothing of `claims` is ever read: it holds names, addresses and ids of
people.
"""

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from replication.domain.errors import MalformedError
from replication.domain.image_version import (
    ImageVersionId,
    MalformedImageVersionIdError,
    is_image_version_id,
)

RESOURCE_WRITTEN = "Microsoft.Resources.ResourceWriteSuccess"
RESOURCE_DELETED = "Microsoft.Resources.ResourceDeleteSuccess"
NOTIFIED_WRITTEN = "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"
NOTIFIED_DELETED = "Microsoft.ResourceNotifications.Resources.Deleted"
TEMPLATE_EXPORTED = "GalleryReplicator.TemplateExported"

MAX_BYTES = 1024 * 1024
_MAX_TEXT = 256
_VERSION_TYPE = "microsoft.compute/galleries/images/versions"
_WRITTEN = {RESOURCE_WRITTEN.lower(), NOTIFIED_WRITTEN.lower(), TEMPLATE_EXPORTED.lower()}
_DELETED = {RESOURCE_DELETED.lower(), NOTIFIED_DELETED.lower()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEvent:
    """An event of either schema, before anyone knows what it is about.

    `source` is the topic of Event Grid's schema.
    """

    id: str
    type: str
    subject: str
    at: datetime | None
    data: Any
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionWritten:
    """An image version was created or updated; `home_region` where the event carries it."""

    image_version_id: ImageVersionId
    home_region: str | None
    correlation_id: str
    at: datetime | None
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDeleted:
    """An image version was deleted."""

    image_version_id: ImageVersionId
    correlation_id: str
    at: datetime | None
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotForUs:
    """An event about something else, and why it is none of ours."""

    reason: str


def receive_event(
    *,
    event_id: object,
    kind: object,
    source: object,
    subject: object,
    time: object,
    data: object,
) -> tuple[ReceivedEvent, dict[str, Any]]:
    """Bring the parts of an event of either schema into one shape, and into one to be kept."""
    data = _opened(data)
    at = parse_time(time)
    received = ReceivedEvent(
        id=_as_text(event_id),
        type=_as_text(kind),
        subject=_as_text(subject),
        at=at,
        data=data,
        source=_as_text(source),
    )
    kept = {
        "id": event_id,
        "type": kind,
        "source": source,
        "subject": subject,
        "time": at.isoformat() if at else None,
        "data": data,
    }
    return received, kept


def receive_document(event: Mapping[str, Any]) -> tuple[ReceivedEvent, dict[str, Any]]:
    """Bring an event as it stands in JSON into the one shape; CloudEvents name their version."""
    if "specversion" not in event:
        return receive_event(
            event_id=event.get("id"),
            kind=event.get("eventType"),
            source=event.get("topic"),
            subject=event.get("subject"),
            time=event.get("eventTime"),
            data=event.get("data"),
        )
    return receive_event(
        event_id=event.get("id"),
        kind=event.get("type"),
        source=event.get("source"),
        subject=event.get("subject"),
        time=event.get("time"),
        data=cloud_data(event.get("data"), event.get("data_base64")),
    )


def cloud_data(data: object, data_base64: object) -> object:
    """Return the data of a CloudEvent, which may stand there as bytes."""
    if data is not None or not isinstance(data_base64, str):
        return data
    try:
        return base64.b64decode(data_base64, validate=True).decode("utf-8", "backslashreplace")
    except ValueError:
        return data_base64


type Reading = VersionWritten | VersionDeleted | NotForUs


def read_event(event: ReceivedEvent) -> Reading:
    """Tell what an event is about.

    Raises MalformedError for an event of our kind that carries no usable id.
    """
    kind = event.type.lower()
    if kind not in _WRITTEN | _DELETED:
        return NotForUs(reason=f"events of type {event.type[:_MAX_TEXT]!r} are not for this app")
    data = event.data
    if not isinstance(data, Mapping):
        if kind != TEMPLATE_EXPORTED.lower() and not is_image_version_id(event.subject):
            return NotForUs(reason=f"{_short(event.subject)} is no image version")
        raise MalformedError(f"data is {type(data).__name__}, not an object")
    claimed = _claimed_id(kind, event, data)
    if kind != TEMPLATE_EXPORTED.lower():
        other = _why_other(kind, claimed, data)
        if other is not None:
            return NotForUs(reason=other)
    try:
        version_id = ImageVersionId.parse(claimed)
    except MalformedImageVersionIdError as error:
        raise MalformedError(str(error)) from error
    correlation_id = _text(data.get("correlationId")) or event.id[:_MAX_TEXT]
    if kind in _DELETED:
        return VersionDeleted(
            image_version_id=version_id,
            correlation_id=correlation_id,
            at=event.at,
            trigger=f"event {event.type}",
        )
    return VersionWritten(
        image_version_id=version_id,
        home_region=_home_region(kind, data),
        correlation_id=correlation_id,
        at=event.at,
        trigger=f"event {event.type}",
    )


def named_subscriptions(event: ReceivedEvent) -> tuple[str | None, str | None]:
    """Return the subscriptions in the event's source and in the id of its resource.

    None stands for a text that names none, as the source of a topic of one's own may.
    """
    data = event.data if isinstance(event.data, Mapping) else {}
    claimed = _claimed_id(event.type.lower(), event, data)
    return _subscription_in(event.source), _subscription_in(claimed)


def check_size(raw: object) -> None:
    """Raise MalformedError for an event that is larger than Event Grid delivers."""
    try:
        text = json.dumps(raw, default=str, ensure_ascii=False)
    except RecursionError as error:
        raise MalformedError("the event is nested too deep") from error
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise MalformedError(f"the event has {size} bytes, more than {MAX_BYTES}")


def parse_time(text: object) -> datetime | None:
    """Read an event's time, which has seven fractional digits; None where it cannot be read."""
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _opened(data: object) -> object:
    """Return an object that a publisher sent as JSON text; anything else as it came."""
    if isinstance(data, str) and data.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            return json.loads(data)
    return data


def _claimed_id(kind: str, event: ReceivedEvent, data: Mapping[str, Any]) -> object:
    """Return the resource id: the field of the event's own type first, then the subject."""
    if kind == TEMPLATE_EXPORTED.lower():
        return data.get("imageVersionId") or event.subject
    if kind in (NOTIFIED_WRITTEN.lower(), NOTIFIED_DELETED.lower()):
        details = data.get("resourceInfo")
        claimed = details.get("id") if isinstance(details, Mapping) else None
    else:
        claimed = data.get("resourceUri")
    return claimed or event.subject


def _why_other(kind: str, claimed: object, data: Mapping[str, Any]) -> str | None:
    """Return why an ARM event is about another kind of resource, None if it is about a version.

    An id with a version's operation or type that has another shape is malformed, not foreign.
    """
    if isinstance(claimed, str) and is_image_version_id(claimed):
        return None
    if kind in (NOTIFIED_WRITTEN.lower(), NOTIFIED_DELETED.lower()):
        details = data.get("resourceInfo")
        declared = details.get("type") if isinstance(details, Mapping) else None
        is_version = _lower(declared) == _VERSION_TYPE
    else:
        is_version = _lower(data.get("operationName")).startswith(f"{_VERSION_TYPE}/")
    if is_version:
        return None
    return f"{_short(claimed)} is no image version"


def _subscription_in(resource_id: object) -> str | None:
    parts = _lower(resource_id).strip().strip("/").split("/", 2)
    return parts[1] if len(parts) > 1 and parts[0] == "subscriptions" else None


def _home_region(kind: str, data: Mapping[str, Any]) -> str | None:
    if kind == TEMPLATE_EXPORTED.lower():
        return _text(data.get("location"))
    details = data.get("resourceInfo")
    return _text(details.get("location")) if isinstance(details, Mapping) else None


def _text(value: object) -> str | None:
    if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT and value.isprintable():
        return value
    return None


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _lower(value: object) -> str:
    return _as_text(value).lower()


def _short(value: object) -> str:
    return repr(value[:_MAX_TEXT]) if isinstance(value, str) and value else "an event without id"
