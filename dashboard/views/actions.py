"""Actions of operators: who, when, about what, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.parameters import refuse_unknown
from api.schemas.operations import Action, ActionPage
from bootstrap.app import App
from dashboard.views.common import version_name

LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """One page of the journal in the shape of the API, the newest act first."""

    at: datetime
    items: tuple[Action, ...]
    first_page: bool
    next: str | None


def read_cursor(params: Mapping[str, str]) -> str | None:
    """Read the parameters of the page; raises MalformedError that names the wrong one."""
    refuse_unknown(params, ("cursor",))
    return params.get("cursor") or None


def actions(app: App, cursor: str | None, now: datetime) -> Actions:
    """Read a page of the journal; raises MalformedError for a cursor of another's making."""
    page = ActionPage.of(app.operations.journal.page(cursor=cursor, limit=LIMIT))
    return Actions(at=now, items=tuple(page.items), first_page=cursor is None, next=page.next)


def name_of(about: Mapping[str, str | None]) -> str:
    """Return the image and version that an act is about, its key where no more is known."""
    return version_name(about.get("image_version_id")) or about.get("key") or ""
