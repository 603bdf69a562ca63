"""Read the project's documents: their code blocks, headings, tables and links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, and the headings that it stands under, outermost first."""

    language: str
    text: str
    headings: tuple[str, ...]


def documents() -> list[Path]:
    return sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])


def blocks(path: Path, language: str) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    return [
        Block(language=match[1], text=match[2], headings=_headings_above(text, match.start()))
        for match in _FENCE.finditer(text)
        if match[1] == language
    ]


def prose(path: Path) -> str:
    """Return the text without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def headings(path: Path) -> list[str]:
    return [match[2] for match in _HEADING.finditer(prose(path))]


def anchors(path: Path) -> set[str]:
    """Return the fragments by which a link can point at the headings."""
    found: set[str] = set()
    for heading in headings(path):
        kept = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 1
        anchor = kept
        while anchor in found:
            anchor = f"{kept}-{number}"
            number += 1
        found.add(anchor)
    return found


def links(path: Path) -> list[str]:
    return [match[1] for match in _LINK.finditer(prose(path))]


def table_rows(path: Path) -> Iterator[list[str]]:
    """Yield the cells of every table row, heads and rulers left out."""
    lines = prose(path).splitlines()
    for number, line in enumerate(lines):
        is_head = number + 1 < len(lines) and re.fullmatch(r"\|(-+\|)+", lines[number + 1])
        if line.startswith("|") and not is_head and not re.fullmatch(r"\|(-+\|)+", line):
            cells = re.split(r"(?<!\\)\|", line.strip("|"))
            yield [cell.strip().replace("\\|", "|") for cell in cells]


def _headings_above(text: str, position: int) -> tuple[str, ...]:
    levels: dict[int, str] = {}
    bare = _FENCE.sub(lambda match: " " * len(match[0]), text[:position])
    for match in _HEADING.finditer(bare):
        level = len(match[1])
        levels = {known: title for known, title in levels.items() if known < level}
        levels[level] = match[2]
    return tuple(levels[level] for level in sorted(levels))
