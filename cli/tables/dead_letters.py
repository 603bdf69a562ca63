"""Tables of dead letters: the desk, one letter whole, and what was done to them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.tables.replications import over, short_version, timeline_table
from cli.terminal.output import new_fields, new_table, printable, text

if TYPE_CHECKING:
    from api.schemas.dead_letters import Letter, LetterActed, LetterDetail

# So many digits of an id mean one letter, even among a million.
SHORT_ID = 12
_SHORT_CAUSE = 120
_SHORT_REGIONS = 2
_OPEN = "open"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
# How long an age is told in the smaller unit.
_LONGEST_HOURS_S = 2 * _DAY_S


def letter_list(items: "Iterable[Letter]", *, now: datetime, stacked: bool) -> Table:
    """Show letters, the newest first; `stacked` takes two lines each and half the width."""
    headings = ("AGE", "STATE", "CODE", "IMAGE VERSION", "REGIONS", "ATTEMPTS", "CAUSE", "ID")
    pairs = ("ID", "CODE", "IMAGE VERSION", "CAUSE")
    folding = ("IMAGE VERSION", "CAUSE") if stacked else ()
    table = new_table(*(pairs if stacked else headings), folding=folding)
    for letter in sorted(items, key=lambda item: str(item.at), reverse=True):
        letter_id, code, state = text(letter.id[:SHORT_ID]), text(letter.code, "red"), letter.state
        age = text(age_of(letter.at, now))
        about, cause = text(_about(letter)), text(_short(letter.cause, _SHORT_CAUSE))
        if stacked:
            table.add_row(
                over(letter_id, age if state == _OPEN else text(f"{age.plain}, {state}")),
                over(code, text(_attempts(letter.attempts))),
                over(about, text(_regions(letter, most=_SHORT_REGIONS))),
                cause,
            )
        else:
            regions = text(_regions(letter) or "-")
            table.add_row(
                age, text(state), code, about, regions, text(letter.attempts), cause, letter_id
            )
    return table


def letter_detail(view: "LetterDetail", *, now: datetime) -> list[RenderableType]:
    """Show one letter but for its raw message."""
    parts: list[RenderableType] = [
        new_fields(
            [
                ("Id", text(view.id)),
                ("Code", text(view.code, "red")),
                ("Meaning", text(view.advice)),
                ("Runbook", text(view.runbook)),
                ("Cause", text(view.cause)),
                ("Image version", text(view.image_version_id)),
                ("Key", text(view.key)),
                ("Regions not ready", text(_regions(view))),
                ("Source", text(view.source)),
                ("Attempts", text(view.attempts)),
                ("Correlation id", text(view.correlation_id)),
                ("Laid", text(f"{view.at} ({age_of(view.at, now)} ago)")),
                ("State", _state(view)),
            ]
        )
    ]
    if view.timeline:
        parts += ["", timeline_table(view.timeline)]
    return parts


def code_counts(by_code: Mapping[str, int]) -> Table:
    """Show how many letters each code has."""
    table = new_table("CODE", "LETTERS")
    for code, letters in by_code.items():
        table.add_row(text(code, "red"), text(letters))
    return table


def outcome_list(items: "Iterable[LetterActed]") -> Table:
    """Show what became of each letter."""
    table = new_table("ID", "DONE", "REASON")
    for acted in items:
        done = text("yes", "green") if acted.done else text("no", "red")
        table.add_row(text(acted.id), done, text(acted.reason))
    return table


def age_of(at: str, now: datetime) -> str:
    """Return how long a letter has been on the desk, in the unit that suits."""
    age_s = max(0.0, (now - datetime.fromisoformat(at)).total_seconds())
    if age_s < _MINUTE_S:
        return f"{age_s:.0f} s"
    if age_s < _HOUR_S:
        return f"{age_s // _MINUTE_S:.0f} min"
    if age_s < _LONGEST_HOURS_S:
        return f"{age_s // _HOUR_S:.0f} h"
    return f"{age_s // _DAY_S:.0f} d"


def _about(view: "Letter") -> str:
    """Return the image version in short, or where the letter comes from."""
    version = view.image_version_id
    return f"({view.source})" if version is None else short_version(version)


def _regions(view: "Letter", *, most: int | None = None) -> str:
    names = view.regions
    shown = ", ".join(names[:most])
    return shown if most is None or len(names) <= most else f"{shown} +{len(names) - most}"


def _attempts(attempts: int) -> str:
    return "1 attempt" if attempts == 1 else f"{attempts} attempts"


def _state(view: "Letter") -> Text:
    state = view.state
    if state == _OPEN:
        return text(state)
    return text(f"{state} at {view.state_at}: {view.state_reason}")


def _short(value: str, most: int) -> str:
    shown = printable(value)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
