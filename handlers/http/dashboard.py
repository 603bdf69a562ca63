"""Pages for people, and their twins in JSON; Jinja is loaded when one is asked for."""

import logging
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import azure.functions as func

from api.parameters import AskedError
from bootstrap import get_app
from bootstrap.adapters import utc_now
from bootstrap.app import App
from dashboard.assets import assets
from dashboard.i18n.language import preferred
from dashboard.i18n.words import Words
from dashboard.pages import NoPageError, build_item, build_page, problem_page
from dashboard.views.page import Page
from handlers.http.access import Call, Role, authorise, token_cookie
from handlers.http.request import ProblemError, cookie_named, read_key, read_letter_id
from handlers.http.responses import YEAR_S, answer, secured, status_of
from replication.domain.errors import GalleryReplicatorError
from replication.domain.urls import is_local_http
from replication.operations.dead_letters import UnknownLetterError
from replication.telemetry.log import log_outcome

blueprint = func.Blueprint()
_TWIN = ".json"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_READ_ID = {"replications": read_key, "dead-letters": read_letter_id}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

type Build = Callable[[App, Words], Page]


@blueprint.function_name("dashboard")
@blueprint.route(route="dashboard", methods=["GET"])
def overview(req: func.HttpRequest) -> func.HttpResponse:
    """Show the overview."""
    return _html(req, _page(req, ""))


@blueprint.function_name("dashboard_json")
@blueprint.route(route="dashboard.json", methods=["GET"])
def overview_json(req: func.HttpRequest) -> func.HttpResponse:
    """Return the overview as JSON."""
    return _json(req, _page(req, ""))


@blueprint.function_name("dashboard_page")
@blueprint.route(route="dashboard/{page}", methods=["GET"])
def page(req: func.HttpRequest) -> func.HttpResponse:
    """Show one of the other pages, or return it as JSON."""
    name = req.route_params.get("page", "")
    asked = _json if name.endswith(_TWIN) else _html
    return asked(req, _page(req, name.removesuffix(_TWIN)))


@blueprint.function_name("dashboard_item")
@blueprint.route(route="dashboard/{page}/{id}", methods=["GET"])
def item(req: func.HttpRequest) -> func.HttpResponse:
    """Show one replication or one dead letter, or return it as JSON."""
    key = req.route_params.get("id", "")
    asked = _json if key.endswith(_TWIN) else _html
    return asked(req, _item(req, key.removesuffix(_TWIN)))


@blueprint.function_name("dashboard_asset")
@blueprint.route(route="dashboard/static/{name}", methods=["GET"])
def static(req: func.HttpRequest) -> func.HttpResponse:
    """Return a file that the pages need; a browser keeps it for as long as it does not change."""
    asset = assets().get(req.route_params.get("name", ""))
    if asset is None:
        return func.HttpResponse(
            status_code=HTTPStatus.NOT_FOUND, headers=secured(_HEADERS, req.url)
        )
    tag = f'"{asset.version}"'
    keep = f"public, max-age={YEAR_S}, immutable"
    known = req.params.get("v") == asset.version
    headers = secured(_HEADERS, req.url)
    headers |= {"Cache-Control": keep if known else "no-cache", "ETag": tag}
    if tag in req.headers.get("if-none-match", ""):
        return func.HttpResponse(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return func.HttpResponse(asset.content, mimetype=asset.media_type, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A page to render, in which words, for whom."""

    status: HTTPStatus
    page: Page
    words: Words
    may_act: bool = False


def _page(req: func.HttpRequest, name: str) -> Build:
    return lambda app, words: build_page(app, name, req.params, words)


def _item(req: func.HttpRequest, key: str) -> Build:
    name = req.route_params.get("page", "")

    def build(app: App, words: Words) -> Page:
        read = _READ_ID.get(name)
        return build_item(app, name, read(key) if read else key, req.params, words)

    return build


def _json(req: func.HttpRequest, build: Build) -> func.HttpResponse:
    return answer(req, Role.READER, lambda _: (HTTPStatus.OK, _built(req, build).page.document()))


def _html(req: func.HttpRequest, build: Build) -> func.HttpResponse:
    from dashboard.rendering import render  # noqa: PLC0415 - Jinja is for the pages alone

    shown = _shown(req, build)
    headers = secured(_HEADERS, req.url)
    headers |= {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    if shown.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    token = ""
    if shown.may_act:
        token = _token(req) or secrets.token_urlsafe(32)
        headers["Set-Cookie"] = _cookie(token, req.url)
    return func.HttpResponse(
        render(shown.page, shown.words, may_act=shown.may_act, token=token),
        status_code=shown.status,
        mimetype="text/html",
        charset="utf-8",
        headers=headers,
    )


def _shown(req: func.HttpRequest, build: Build) -> _Shown:
    """Return the page, or one that says why there is none."""
    try:
        caller = authorise(Call.of(req), Role.READER, os.environ)
        return replace(_built(req, build), may_act=caller.role >= Role.OPERATOR)
    except ProblemError as refused:
        status, detail = refused.status, str(refused)
    except GalleryReplicatorError as error:
        status = status_of(error)
        log_outcome("dashboard.unavailable", level=logging.ERROR, error=error, reason=str(error))
        detail = str(error)
    return _Shown(status=status, page=problem_page(status, detail), words=_words(req, utc_now()))


def _built(req: func.HttpRequest, build: Build) -> _Shown:
    """Build a page; raises ProblemError for one that is not there."""
    app = get_app()
    words = _words(req, app.ports.clock())
    try:
        return _Shown(status=HTTPStatus.OK, page=build(app, words), words=words)
    except AskedError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    except (NoPageError, UnknownLetterError) as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, str(error)) from error


def _words(req: func.HttpRequest, now: datetime) -> Words:
    return Words(language=preferred(req.headers.get("accept-language", "")), now=now)


def _token(req: func.HttpRequest) -> str:
    """Return the token that this browser has already, so that its other pages go on."""
    kept = cookie_named(token_cookie(req.url), req.headers.get("cookie", ""))
    return kept if _TOKEN.fullmatch(kept) else ""


def _cookie(token: str, url: str) -> str:
    secure = "" if is_local_http(url) else "; Secure"
    return f"{token_cookie(url)}={token}; Path=/; HttpOnly; SameSite=Strict{secure}"
