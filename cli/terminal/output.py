"""Output: JSON as it is, tables for people, plain text for pipes."""

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

# A pipe has no edge: no line is folded there, so that grep and cut find whole values.
_PIPE_WIDTH = 100_000


def print_json(value: Any) -> None:
    """Print one JSON document, and nothing beside it."""
    print(json.dumps(value, indent=2, default=_document))  # noqa: T201 - the command's answer


def print_line(value: str) -> None:
    """Print one line at once, for whoever reads along."""
    print(value, flush=True)  # noqa: T201 - the command's answer


def print_json_line(value: Any) -> None:
    """Print one JSON document on one line at once."""
    print_line(json.dumps(value, default=_document))


def terminal_console() -> Console:
    """Return the console of a terminal, in which a picture is drawn over the one before."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def in_terminal() -> bool:
    """Tell whether a person is likely to read along."""
    return sys.stdout.isatty()


def can_ask() -> bool:
    """Tell whether a person is there to read a question and to answer it."""
    return bool(sys.stdin and sys.stdin.isatty() and in_terminal())


def print_whole(value: str) -> None:
    """Print a text of any length as one line, to be copied; a terminal may wrap it."""
    print("\\n".join(printable(line) for line in value.split("\n")))  # noqa: T201 - the answer


def print_human(*parts: RenderableType) -> None:
    """Print for a reader; colours only where the terminal shows them."""
    console = Console(
        file=sys.stdout,
        width=None if in_terminal() else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )
    if in_terminal():
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    for line in captured.get().splitlines():
        print(line.rstrip())  # noqa: T201 - without the blanks that fill a table's last column


def new_table(
    *headings: str, folding: Collection[str] = ("REASON",), least: Mapping[str, int] | None = None
) -> Table:
    """Return an empty table; in a narrow terminal the `folding` columns take more lines.

    `least` is how narrow a column may get before the others fold.
    """
    table = Table(
        box=box.SIMPLE_HEAD if in_terminal() else None, pad_edge=False, header_style="bold"
    )
    for heading in headings:
        table.add_column(
            heading,
            overflow="fold",
            no_wrap=heading not in folding,
            min_width=(least or {}).get(heading),
        )
    return table


def new_fields(pairs: Iterable[tuple[str, Text]]) -> Table:
    """Return names and values, one pair a line; pairs without a value are left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value.plain:
            grid.add_row(name, value)
    return grid


def text(value: object, style: str = "") -> Text:
    """Return a value as text that is never read as markup; None is empty."""
    return Text("" if value is None else printable(str(value)), style=style)


def printable(value: str) -> str:
    """Escape what could steer a terminal; names and reasons come from others."""
    return "".join(
        one if one.isprintable() else repr(one)[1:-1] if one != "\n" else " " for one in value
    )


def _document(value: Any) -> Any:
    """Return the JSON document of an answer, wherever in a value it stands."""
    return value.document()
