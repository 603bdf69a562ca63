"""Notices: each receiver hears of what began to fail and what is over; that fails nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from replication.domain.errors import ReplicationError, TransientError
from replication.notices.digest import Digest
from replication.notices.rules import (
    KnownCause,
    NextNotices,
    NoticeBook,
    NoticeRules,
    Seen,
    digest_id,
    is_busy,
    next_notices,
)
from replication.notices.sources import NoticeSources
from replication.shared_state.kind import Kind
from replication.shared_state.state import SharedState
from replication.telemetry.log import ERROR, log_outcome

NOTICE_BOOKS = Kind(
    "notice",
    NoticeBook,
    key=lambda book: book.channel,
    # The names under which rows were written before the attributes had a word for each thing.
    names={
        NoticeBook: {"known": "told"},
        KnownCause: {"notices": "told", "last_at": "told_at"},
    },
)
# Longer than a channel tries.
_BUSY_S = 240.0
_MAX_PAUSE_S = 3600.0
# A receiver that does not answer takes a minute and a half, and a run has `TIMER_MAX_RUN_S`.
_BEGIN_WITHIN_S = 45.0
_TURN_S = 300.0


class NoticeChannel(Protocol):
    """A receiver of digests."""

    @property
    def name(self) -> str:
        """The name under which its book is kept."""
        ...

    def send(self, digest: Digest) -> None:
        """Deliver a digest; raises TransientError or PermanentError, without the address."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelReport:
    """What became of one receiver: the digest, None for none, and the problem where it failed."""

    channel: str
    digest: Digest | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeService:
    """Reads the causes once and tells every channel what is news to it.

    Each channel has a book of its own, so that one that fails does not make another hear twice.
    """

    channels: tuple[NoticeChannel, ...]
    sources: NoticeSources
    shared_state: SharedState
    rules: NoticeRules
    clock: Callable[[], datetime]
    new_owner: Callable[[], str]

    def run(self, *, site: str | None = None) -> tuple[ChannelReport, ...]:
        """Tell what is news; never raises what a storage or a receiver raises.

        What could not be delivered is news again in the next run.
        """
        if not self.channels:
            return ()
        seen, began = self.sources.read(), self.clock()
        # Whoever does not answer takes the others' time in turn.
        first = int(began.timestamp() // _TURN_S) % len(self.channels)
        reports: list[ChannelReport] = []
        for channel in (*self.channels[first:], *self.channels[:first]):
            if (self.clock() - began).total_seconds() >= _BEGIN_WITHIN_S:
                problem = "there was no time left for it; the next run tells it"
                reports.append(ChannelReport(channel=channel.name, problem=problem))
            else:
                reports.append(self._tell(channel, seen, site))
        for report in reports:
            _log(report)
        return tuple(reports)

    def preview(self, *, site: str | None = None) -> tuple[ChannelReport, ...]:
        """Return what a run would tell each channel now; without any, a channel that knows nothing.

        Raises what the storage raises.
        """
        seen = self.sources.read()
        known = self.shared_state.all(NOTICE_BOOKS)
        reports = []
        for name in [one.name for one in self.channels] or ["nobody"]:
            book = known.get(name) or NoticeBook(channel=name)
            upcoming = next_notices(book, seen, now=self.clock(), rules=self.rules)
            reports.append(ChannelReport(channel=name, digest=self._digest(upcoming, site)))
        return tuple(reports)

    def test(self, *, site: str | None = None) -> tuple[ChannelReport, ...]:
        """Send every channel a digest that says it is a test."""
        now = self.clock()
        test_id = f"test-{self.new_owner()}"
        digest = Digest(id=test_id, at=now, notices=(), site=site, test=True)
        reports = []
        for channel in self.channels:
            try:
                channel.send(digest)
            except ReplicationError as error:
                reports.append(ChannelReport(channel=channel.name, problem=str(error)))
            else:
                reports.append(ChannelReport(channel=channel.name, digest=digest))
        return tuple(reports)

    def _tell(self, channel: NoticeChannel, seen: Seen, site: str | None) -> ChannelReport:
        owner = self.new_owner()
        try:
            upcoming = self._claim(channel.name, owner, seen)
            digest = self._digest(upcoming, site) if upcoming else None
            if upcoming is None or digest is None:
                return ChannelReport(channel=channel.name)
            try:
                channel.send(digest)
            except ReplicationError as error:
                self._put(owner, self._after_failure(upcoming, error))
                return ChannelReport(channel=channel.name, problem=str(error))
            self._put(owner, upcoming.delivered)
            return ChannelReport(channel=channel.name, digest=digest)
        except ReplicationError as error:
            return ChannelReport(channel=channel.name, problem=str(error))

    def _claim(self, name: str, owner: str, seen: Seen) -> NextNotices | None:
        """Return what to send, and keep others from sending meanwhile; None where another sends."""

        def claim(before: NoticeBook | None) -> tuple[NoticeBook | None, NextNotices | None]:
            book, now = before or NoticeBook(channel=name), self.clock()
            if is_busy(book, now=now):
                return before, None
            upcoming = next_notices(book, seen, now=now, rules=self.rules)
            after = upcoming.undelivered
            if upcoming.notices:
                lapses = now + timedelta(seconds=_BUSY_S)
                after = replace(after, busy_by=owner, busy_until=lapses)
            return (before if after == book else after), upcoming

        return self.shared_state.change(NOTICE_BOOKS, name, claim)

    def _put(self, owner: str, after: NoticeBook) -> None:
        """Give the claim back with what is known now; one that lapsed is another's."""

        def put(book: NoticeBook | None) -> tuple[NoticeBook | None, None]:
            return (after if book is not None and book.busy_by == owner else book), None

        self.shared_state.change(NOTICE_BOOKS, after.channel, put)

    def _after_failure(self, upcoming: NextNotices, error: ReplicationError) -> NoticeBook:
        """Return the book as if nothing was said; the pause that was asked for is kept."""
        book = upcoming.undelivered
        if not isinstance(error, TransientError) or not error.retry_after_s:
            return book
        pause_s = min(error.retry_after_s, _MAX_PAUSE_S)
        return replace(book, busy_until=self.clock() + timedelta(seconds=pause_s))

    def _digest(self, upcoming: NextNotices, site: str | None) -> Digest | None:
        if not upcoming.notices:
            return None
        return Digest(
            id=digest_id(upcoming.notices),
            at=self.clock(),
            notices=upcoming.notices,
            later=upcoming.later,
            site=site,
        )


def _log(report: ChannelReport) -> None:
    if report.problem is not None:
        log_outcome("notices.failed", level=ERROR, channel=report.channel, reason=report.problem)
    elif report.digest is not None:
        log_outcome(
            "notices.sent",
            channel=report.channel,
            id=report.digest.id,
            notices=len(report.digest.notices),
            later=report.digest.later,
        )
