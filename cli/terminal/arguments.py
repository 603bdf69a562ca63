"""Arguments of the commands; what cannot be meant is refused with a sentence."""

import re
from typing import Annotated

import typer

from cli.terminal.errors import UsageProblem
from replication.domain.image_version import ImageVersionId, MalformedImageVersionIdError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
VersionArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="ARM id of the image version, /subscriptions/…/galleries/…/images/…/versions/…",
        show_default=False,
    ),
]

_KEY = re.compile(r"[0-9a-fA-F]{32}")
_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def read_version_id(text: str) -> ImageVersionId:
    """Return the image version that an id of any letter case names."""
    try:
        return ImageVersionId.parse(text)
    except MalformedImageVersionIdError as error:
        raise UsageProblem(str(error)) from error


def read_key(text: str) -> str:
    """Return the key that is given as such or as an image version's id."""
    if _KEY.fullmatch(text):
        return text.lower()
    try:
        return ImageVersionId.parse(text).key
    except MalformedImageVersionIdError as error:
        raise UsageProblem(f"{error}, nor a key of 32 hex digits") from error


def read_subscription(text: str | None) -> str | None:
    """Return the subscription's id in small letters."""
    if text is not None and not _SUBSCRIPTION.fullmatch(text):
        raise UsageProblem(f"{text[:80]!r} is not the id of a subscription (a GUID)")
    return text.lower() if text else None
