"""Ask for pages as a browser does, past the decorators of the functions."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import handlers.http.dashboard as pages
from tests.support.http.calling import ROOT, Answer, call

LANGUAGES = ("en", "ja")
MOST_BYTES = 100_000


def ask(address: str, *, language: str = "en", **headers: str) -> Answer:
    """Ask for an address of the pages."""
    parts = urlsplit(address)
    places = parts.path.strip("/").split("/")[1:]
    function, route = pages.page, {}
    if parts.path == "/dashboard":
        function = pages.overview
    elif parts.path == "/dashboard.json":
        function = pages.overview_json
    elif len(places) == 1:
        route = {"page": places[0]}
    elif places[0] == "static":
        function, route = pages.static, {"name": places[1]}
    else:
        function, route = pages.item, {"page": places[0], "id": places[1]}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(
        function,
        route=route,
        params=dict(parse_qsl(parts.query)),
        headers={"accept-language": language, **named},
        url=f"{ROOT}{address}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A start tag with its attributes."""

    tag: str
    attributes: dict[str, str]


@dataclass(slots=True)
class Document:
    """The start tags of a page in their order, and its text."""

    elements: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *tags: str) -> list[Element]:
        return [one for one in self.elements if one.tag in tags]


class _Reader(HTMLParser):
    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._document.elements.append(Element(tag=tag, attributes=attributes))

    def handle_data(self, data: str) -> None:
        self._document.words.append(data)


def read(html: str) -> Document:
    """Read a page."""
    document = Document()
    _Reader(document).feed(html)
    return document


def check_structure(document: Document, language: str) -> None:
    """Check what a screen reader and the Content-Security-Policy need of every page."""
    (html,) = document.all("html")
    assert html.attributes["lang"] == language
    assert len(document.all("main")) == len(document.all("h1")) == 1
    levels = [int(one.tag[1]) for one in document.all("h1", "h2", "h3") if one.tag]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [one.attributes["id"] for one in document.elements if "id" in one.attributes]
    assert len(ids) == len(set(ids))
    for one in document.elements:
        assert "style" not in one.attributes
        assert not [name for name in one.attributes if name.startswith("on")]
    (script,) = document.all("script")
    assert script.attributes["src"].startswith("/dashboard/static/script.js?v=")
    assert not document.all("style", "iframe", "object", "base")
    assert len(document.all("caption")) == len(document.all("table"))
    assert all(one.attributes.get("scope") in ("col", "row") for one in document.all("th"))
    assert all(one.attributes.get("aria-label") for one in document.all("progress"))
    labelled = {one.attributes.get("for") for one in document.all("label")}
    for control in document.all("input", "select"):
        is_box = control.attributes.get("type") == "checkbox"  # stands in its label
        assert is_box or control.attributes["id"] in labelled
    for one in document.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(one.attributes.get(name, "").split()) <= set(ids)
    for one in document.all("time"):
        assert one.attributes["datetime"].endswith("Z")
        assert one.attributes["title"].endswith(" UTC")
