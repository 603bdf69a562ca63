"""Ask for pages as a browser does, past the decorators of the functions."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import handlers.http.dashboard as pages
from tests.support.http.calling import ROOT, Answer, call

LANGUAGES = ("en", "ja")


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
