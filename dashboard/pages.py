"""Pages: what each reads and shows, and with which template."""

from collections.abc import Callable, Mapping

from api.parameters import asking, refuse_unknown
from api.schemas.dead_letters import Letter
from bootstrap.app import App
from dashboard.i18n.words import Words
from dashboard.views.actions import actions, name_of, read_cursor
from dashboard.views.common import version_name
from dashboard.views.costs import GROUPS, costs_page, read_asked
from dashboard.views.dead_letters import dead_letter, dead_letters
from dashboard.views.dead_letters import read_filters as read_letter_filters
from dashboard.views.overview import overview
from dashboard.views.overview_charts import throughput, time_to_available
from dashboard.views.page import Page
from dashboard.views.policy import policy_page
from dashboard.views.regions import regions
from dashboard.views.replication import replication
from dashboard.views.replications import read_filters, replications
from dashboard.views.runbook import runbook
from replication.dead_letters.filter import SOURCES
from replication.domain.errors import FailureCode, GalleryReplicatorError
from replication.domain.region_snapshot import shipped_catalog

type Params = Mapping[str, str]
_OFTEN_S = 5
_SELDOM_S = 15
_PROBLEMS = (400, 401, 403, 404, 500, 503)
_UNKNOWN_PROBLEM = 500


class NoPageError(GalleryReplicatorError):
    """There is no such page, or nothing to show on it; the text says what is missing."""


def build_page(app: App, name: str, params: Params, words: Words) -> Page:
    """Build a page by its place in the address; raises NoPageError and AskedError."""
    if asked := _ASKED.get(name):
        return asked(app, params, words)
    builder = _PLAIN.get(name)
    if builder is None:
        raise NoPageError(f"there is no page {name[:60]!r}")
    with asking():
        refuse_unknown(params, ())
    return builder(app, words)


def build_item(app: App, name: str, key: str, params: Params, words: Words) -> Page:
    """Build the page of one thing; raises NoPageError, AskedError and UnknownLetterError."""
    builder = _ITEMS.get(name)
    if builder is None:
        raise NoPageError(f"there is no page {name[:60]!r}")
    with asking():
        refuse_unknown(params, ())
    return builder(app, key, words)


def problem_page(status: int, detail: str) -> Page:
    """Build the page that says why there is no other."""
    known = status if status in _PROBLEMS else _UNKNOWN_PROBLEM
    return Page(
        template="problem.html",
        title=f"problem_{known}",
        refresh_s=_SELDOM_S if status >= _UNKNOWN_PROBLEM else 0,
        values={"detail": detail, "told": f"told_{known}"},
    )


def letter_name(shown: Letter, words: Words) -> str:
    """Say what a dead letter is about."""
    version_id = shown.image_version_id
    if version_id is not None:
        return version_name(version_id) or version_id
    return words.text("letter_of_event" if shown.source == "event" else "letter_of_message")


def _overview(app: App, words: Words) -> Page:
    model = overview(app, words.now)
    return Page(
        template="overview.html",
        title="overview",
        section="overview",
        refresh_s=_OFTEN_S,
        model=model,
        values={
            "copies": sum(one.copies for one in model.hours),
            "throughput": throughput(model.hours, words),
            "available": time_to_available(model.hours, words),
        },
    )


def _replications(app: App, params: Params, words: Words) -> Page:
    with asking():
        filters, query = read_filters(params)
    with asking(only_if=query.cursor is not None):
        model = replications(app, filters, query, words.now)
    geographies = {one.geography for one in shipped_catalog().details.values()}
    return Page(
        template="replications.html",
        title="replications",
        section="replications",
        refresh_s=_OFTEN_S,
        model=model,
        values={"geographies": sorted(geographies)},
    )


def _replication(app: App, key: str, words: Words) -> Page:
    model = replication(app, key, words.now)
    if model is None:
        raise NoPageError(f"no replication has the key {key}")
    return Page(
        template="replication.html",
        title="replication",
        section="replications",
        item=key,
        refresh_s=_OFTEN_S,
        model=model,
    )


def _dead_letters(app: App, params: Params, words: Words) -> Page:
    with asking():
        asked, query = read_letter_filters(params)
    with asking(only_if=query.cursor is not None):
        model = dead_letters(app, asked, query, words.now)
    return Page(
        template="dead_letters.html",
        title="letters",
        section="dead_letters",
        refresh_s=_SELDOM_S,
        model=model,
        values={
            "names": {letter.id: letter_name(letter, words) for letter in model.items},
            "codes": [code.value for code in FailureCode],
            "means": {one.code: words.known("means", one.code) for one in model.groups},
            "sources": SOURCES,
        },
    )


def _dead_letter(app: App, letter_id: str, words: Words) -> Page:
    model = dead_letter(app, letter_id, words.now)
    return Page(
        template="dead_letter.html",
        title="letter",
        section="dead_letters",
        item=letter_id,
        refresh_s=_SELDOM_S,
        model=model,
        values={"name": letter_name(model.shown, words)},
    )


def _regions(app: App, words: Words) -> Page:
    model = regions(app, words.now)
    return Page(
        template="regions.html",
        title="regions",
        section="regions",
        refresh_s=_SELDOM_S,
        model=model,
    )


def _costs(app: App, params: Params, words: Words) -> Page:
    with asking():
        asked = read_asked(params)
    model = costs_page(app, asked, words.now)
    return Page(
        template="costs.html",
        title="costs",
        section="costs",
        model=model,
        values={"dimensions": GROUPS},
    )


def _policy(app: App, words: Words) -> Page:
    model = policy_page(app, words.now)
    return Page(
        template="policy.html",
        title="policy",
        section="policy",
        model=model,
    )


def _actions(app: App, params: Params, words: Words) -> Page:
    with asking():
        cursor = read_cursor(params)
    with asking(only_if=cursor is not None):
        model = actions(app, cursor, words.now)
    return Page(
        template="actions.html",
        title="acts",
        section="actions",
        refresh_s=_SELDOM_S,
        model=model,
        values={
            "names": {action.id: name_of(action.about) for action in model.items},
        },
    )


def _runbook(*_: object) -> Page:
    sections = runbook()
    if not sections:
        raise NoPageError("docs/runbook.md was not deployed with the app")
    return Page(
        template="runbook.html",
        title="runbook",
        model={"sections": sections},
    )


_PLAIN: Mapping[str, Callable[[App, Words], Page]] = {
    "": _overview,
    "regions": _regions,
    "policy": _policy,
    "runbook": _runbook,
}
_ASKED: Mapping[str, Callable[[App, Params, Words], Page]] = {
    "replications": _replications,
    "dead-letters": _dead_letters,
    "costs": _costs,
    "actions": _actions,
}
_ITEMS: Mapping[str, Callable[[App, str, Words], Page]] = {
    "replications": _replication,
    "dead-letters": _dead_letter,
}
# The names of the pages in their addresses, those of single things left out.
NAMES = (*_PLAIN, *_ASKED)
