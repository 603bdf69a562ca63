"""Runbook as a page: as much of Markdown as docs/runbook.md is written in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from replication.domain.errors import FailureCode

_FILE = Path(__file__).parents[2] / "docs" / "runbook.md"
_SPAN = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)")


class Span(NamedTuple):
    """A run of text: plain, as `code`, or a link within the page."""

    kind: str
    text: str
    anchor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, or a list of items."""

    is_list: bool
    items: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the runbook says of one code; the first section is about all of them."""

    code: str
    blocks: tuple[Block, ...]

    @property
    def has_letters(self) -> bool:
        """Whether dead letters lie under this code; there are none about a queue."""
        return self.code in FailureCode


@cache
def runbook() -> tuple[Section, ...]:
    """Return the runbook of this release, empty where it was not deployed with the app."""
    if not _FILE.is_file():
        return ()
    return tuple(sections(_FILE.read_text(encoding="utf-8")))


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a runbook."""
    for part in re.split(r"(?m)^##? ", text)[1:]:
        title, _, rest = part.partition("\n")
        code = title.strip()
        yield Section(code="" if code == "Runbook" else code, blocks=tuple(_blocks(rest)))


def _blocks(text: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        if paragraph.startswith("- "):
            items = re.split(r"(?m)^- ", paragraph)[1:]
            yield Block(is_list=True, items=tuple(_spans(one) for one in items))
        elif paragraph:
            yield Block(is_list=False, items=(_spans(paragraph),))


def _spans(text: str) -> tuple[Span, ...]:
    words = " ".join(text.split())
    spans, at = [], 0
    for found in _SPAN.finditer(words):
        spans.append(Span("text", words[at : found.start()]))
        if found[1] is not None:
            spans.append(Span("code", found[1]))
        else:
            inside = found[3].startswith("#")
            spans.append(Span("link" if inside else "text", found[2], found[3] if inside else ""))
        at = found.end()
    spans.append(Span("text", words[at:]))
    return tuple(one for one in spans if one.text)
