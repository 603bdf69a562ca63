"""Acts on dead letters: those named, or exactly those counted before."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from cli.client.protocol import Letters
from cli.commands.dead_letter_filter import (
    LetterFilter,
    code_hint,
    find_letters,
    options_of,
    read_letter_ids,
)
from cli.session import Session
from cli.tables.dead_letters import SHORT_ID, code_counts, outcome_list
from cli.terminal.errors import CommandError, ExitCode, NotAllowedError, UsageProblem
from cli.terminal.output import print_human, print_json, print_whole, text
from replication.domain.errors import ReplicationError
from replication.ports import LetterAction, LetterQuery

if TYPE_CHECKING:
    from api.schemas.dead_letters import LetterActed


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to do with which letters."""

    action: LetterAction
    ids: list[str] | None
    wanted: LetterFilter
    everything: bool
    token: str | None
    dry_run: bool
    as_json: bool

    def carry_out(self, session: Session) -> None:
        """Count or act, by ids or by filter; raises UsageProblem for what cannot be meant."""
        by_filter = self.wanted.is_given or self.everything
        if self.ids and (by_filter or self.token is not None):
            raise UsageProblem("ids go without a filter, --all and --token")
        if not self.ids and not by_filter:
            raise UsageProblem("name dead letters by id, or by a filter, or take --all")
        if self.everything and self.wanted.names_letters:
            raise UsageProblem("--all takes the place of a filter and does not go with one")
        if self.dry_run and self.token is not None:
            raise UsageProblem("--dry-run gives out a token and does not take one")
        if self.ids:
            self._by_ids(session, read_letter_ids(self.ids))
        else:
            self._by_filter(session, self.wanted.query())

    def _by_ids(self, session: Session, ids: tuple[str, ...]) -> None:
        letters = session.service().letters
        found = find_letters(letters, ids)
        if not self.dry_run:
            self._tell(_act_on(letters, [letter.id for letter in found], self.action))
            return
        by_code = dict(sorted(Counter(letter.code for letter in found).items()))
        short_ids = [letter.id[:SHORT_ID] for letter in found]
        self._tell_count(len(found), by_code, token=None, words=short_ids, command=session.command)

    def _by_filter(self, session: Session, query: LetterQuery) -> None:
        letters = session.service().letters
        if self.token is not None:
            self._tell(self._act_on_counted(letters, query, self.token))
            return
        counted = letters.select(query, self.action)
        count, token = counted.count, counted.token
        words = [*options_of(query), "--token", token]
        self._tell_count(count, counted.by_code, token=token, words=words, command=session.command)
        if self.as_json:
            return
        if count == 0:
            print_human(text(f"There is nothing to {self.action.value}.{code_hint(query)}"))
        elif not self.dry_run and session.can_ask():
            these = "this one" if count == 1 else f"these {count}"
            if typer.confirm(f"{self.action.value.capitalize()} {these}?"):
                self._tell(self._act_on_counted(letters, query, token))
            else:
                print_human(text("Nothing was done."))

    def _act_on_counted(
        self, letters: Letters, query: LetterQuery, token: str
    ) -> "list[LetterActed]":
        try:
            return letters.act_on_selection(query, self.action, token)
        except UsageProblem as error:
            raise UsageProblem(f"{error}; a dry run prints it") from error

    def _tell_count(
        self,
        count: int,
        by_code: dict[str, int],
        *,
        token: str | None,
        words: list[str],
        command: str,
    ) -> None:
        if self.as_json:
            print_json(
                {
                    "action": self.action.value,
                    "count": count,
                    "by_code": by_code,
                    "token": token,
                    "dry_run": True,
                }
            )
            return
        matches = "1 dead letter matches." if count == 1 else f"{count} dead letters match."
        print_human(text(matches))
        if count:
            act = f"{command} dead-letters {self.action.value} {shlex.join(words)}"
            print_human("", code_counts(by_code), "")
            print_human(text(f"To {self.action.value} exactly these:"))
            print_whole(f"  {act}")

    def _tell(self, items: "Sequence[LetterActed]") -> None:
        not_done = sum(1 for one in items if not one.done)
        if self.as_json:
            print_json(
                {
                    "action": self.action.value,
                    "done": len(items) - not_done,
                    "not_done": not_done,
                    "items": list(items),
                }
            )
        elif items:
            print_human(outcome_list(items))
        else:
            print_human(text(f"There was nothing to {self.action.value}."))
        if not_done:
            raise typer.Exit(ExitCode.FAILED)


def _act_on(letters: Letters, ids: Sequence[str], action: LetterAction) -> "list[LetterActed]":
    """Act on letters; what goes wrong at one is told beside what was done to the others."""
    from api.schemas.dead_letters import LetterActed  # noqa: PLC0415 - pydantic takes 100 ms

    acted: list[LetterActed] = []
    for letter_id in ids:
        try:
            outcome = letters.act(letter_id, action)
        except (ReplicationError, CommandError) as error:
            if isinstance(error, NotAllowedError) and not acted:
                raise  # it will not be allowed for the others either
            outcome = LetterActed(id=letter_id, done=False, reason=str(error))
        acted.append(outcome)
    return acted
