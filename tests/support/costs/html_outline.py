"""Read the HTML report back, as far as tests look at it."""

from html.parser import HTMLParser

from costs.report.html.report import html_report
from costs.report.report import CostReport

_ALONE = {"meta", "link"}


class Outline(HTMLParser):
    """What a page is made of; fails where a tag is not closed by its own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def shown(report: CostReport) -> str:
    return Outline(html_report(report)).text


def part(report: CostReport, anchor: str) -> str:
    """Return the words of one section."""
    html = html_report(report)
    section = html.split(f'<section aria-labelledby="{anchor}">')[1].split("</section>")[0]
    return Outline(section).text
