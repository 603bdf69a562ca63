"""Watch: a picture that is drawn anew in a terminal, a line per change elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import typer
from rich.console import Group, RenderableType
from rich.live import Live

from cli.client.protocol import UnavailableError
from cli.session import Session
from cli.tables.progress import progress_picture
from cli.tables.replications import replication_list, short_version
from cli.terminal.errors import ExitCode
from cli.terminal.output import (
    in_terminal,
    print_json_line,
    print_line,
    printable,
    terminal_console,
    text,
)
from replication.domain.errors import TransientError
from replication.domain.job import Phase

if TYPE_CHECKING:
    from api.schemas.replications import Region, Replication, ReplicationDetail

# So many looks in a row may find nobody, before it is taken for the end.
_MOST_TROUBLES = 10
_ENDS = frozenset(phase.value for phase in Phase if phase.is_end)
_DONE = frozenset(phase.value for phase in (Phase.SUCCEEDED, Phase.SKIPPED, Phase.SUPERSEDED))
# What the shell gets of a program that Ctrl-C ended: 128 and the number of the signal.
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A table as it was seen; `more` tells that it has more lines."""

    items: "list[Replication]"
    more: bool

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"items": self.items, "more": self.more}


class Screen[Seen](Protocol):
    """Where what was seen is shown."""

    def show(self, seen: Seen) -> None:
        """Show what there is now."""
        ...

    def trouble(self, reason: str) -> None:
        """Show that the last look found nobody."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Looks again and again; a look that fails is repeated, unless it was the first."""

    session: Session
    now: Callable[[], datetime]
    interval_s: float
    as_json: bool

    def one(self, look: "Callable[[], ReplicationDetail]") -> NoReturn:
        """Follow one replication until it ends, which is the exit code."""

        def picture(view: "ReplicationDetail") -> RenderableType:
            return progress_picture(view, now=self.now())

        with self._screen(picture, lambda: _ReplicationLines(now=self.now)) as screen:
            for view in self._looks(look, screen):
                screen.show(view)
                if view.phase in _ENDS:
                    done = view.phase in _DONE
                    raise typer.Exit(ExitCode.DONE if done else ExitCode.FAILED)
        raise AssertionError("unreachable: looking has no end of its own")

    def all(self, look: "Callable[[], tuple[list[Replication], bool]]") -> NoReturn:
        """Follow a table until Ctrl-C."""

        def seen() -> Listed:
            items, more = look()
            return Listed(items=items, more=more)

        with self._screen(_table, _TableLines) as screen:
            for page in self._looks(seen, screen):
                screen.show(page)
        raise AssertionError("unreachable: looking has no end of its own")

    def _looks[Seen](self, look: Callable[[], Seen], screen: Screen[Seen]) -> Iterator[Seen]:
        troubles: int | None = None
        while True:
            try:
                seen = look()
            except (UnavailableError, TransientError) as error:
                if troubles is None or troubles >= _MOST_TROUBLES:
                    raise
                troubles += 1
                screen.trouble(" ".join(str(error).split()))
            else:
                troubles = 0
                yield seen
            self.session.sleep(self.interval_s)

    @contextmanager
    def _screen[Seen](
        self, picture: Callable[[Seen], RenderableType], lines: Callable[[], Screen[Seen]]
    ) -> Iterator[Screen[Seen]]:
        """Return the screen that suits; it is left clean whatever ends the watch."""
        screen: Screen[Seen]
        live: Any = nullcontext()
        if self.as_json:
            screen = _JsonLines()
        elif in_terminal():
            live = Live(console=terminal_console(), auto_refresh=False)
            screen = _Picture(live=live, picture=picture)
        else:
            screen = lines()
        try:
            with live:
                yield screen
        except KeyboardInterrupt as error:
            # The answer of a script stays what it is.
            print("Stopped watching; what was watched goes on.", file=sys.stderr)  # noqa: T201
            raise typer.Exit(_INTERRUPTED) from error


@dataclass(slots=True, kw_only=True)
class _Picture[Seen]:
    live: Live
    picture: Callable[[Seen], RenderableType]
    last: RenderableType = ""

    def show(self, seen: Seen) -> None:
        self.last = self.picture(seen)
        self.live.update(self.last, refresh=True)

    def trouble(self, reason: str) -> None:
        sentence = text(f"Nobody answered the last time: {reason}; it is tried again.", "yellow")
        self.live.update(Group(sentence, self.last), refresh=True)


@dataclass(slots=True, kw_only=True)
class _JsonLines:
    last: object = None

    def show(self, seen: object) -> None:
        if seen != self.last:
            print_json_line(seen)
            self.last = seen

    def trouble(self, reason: str) -> None:
        _say_trouble(reason)


@dataclass(slots=True, kw_only=True)
class _ReplicationLines:
    now: Callable[[], datetime]
    last: dict[str, str] = field(default_factory=dict)

    def show(self, seen: "ReplicationDetail") -> None:
        at = self.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        lines = {"": f"{seen.phase}: {seen.reason}"}
        lines |= {one.region: f"{one.region} {_region_line(one)}" for one in seen.regions}
        _print_changes(self.last, lines, at)
        self.last = lines

    def trouble(self, reason: str) -> None:
        _say_trouble(reason)


@dataclass(slots=True, kw_only=True)
class _TableLines:
    last: dict[str, str] = field(default_factory=dict)

    def show(self, seen: Listed) -> None:
        lines = {
            one.key: f"{one.key} {short_version(one.image_version_id)} {one.phase}: {one.reason}"
            for one in seen.items
        }
        gone = {key: f"{key} is no longer listed" for key in self.last if key not in lines}
        _print_changes(self.last, lines | gone, None)
        self.last = lines

    def trouble(self, reason: str) -> None:
        _say_trouble(reason)


def _print_changes(before: dict[str, str], after: dict[str, str], at: str | None) -> None:
    for key, line in after.items():
        if before.get(key) != line:
            print_line(printable(line if at is None else f"{at} {line}"))


def _say_trouble(reason: str) -> None:
    sentence = printable(f"Nobody answered: {reason}; it is tried again.")
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - beside the answer


def _region_line(region: "Region") -> str:
    percent = "" if region.progress is None else f" {region.progress} %"
    stuck = "" if region.stuck is None else ", stuck"
    return f"{region.state}{percent}{stuck}: {region.reason}"


def _table(page: Listed) -> RenderableType:
    items = page.items
    if not items:
        return text("No replication on record matches.")
    table = replication_list(items, stacked=True)
    if not page.more:
        return table
    return Group(table, text(f"The first {len(items)}; there are more: raise --limit."))
