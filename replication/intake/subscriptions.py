"""Subscriptions whose events are taken: those that are allowed, else those that can be seen."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from replication.domain.errors import ReplicationError, TransientError
from replication.domain.policy import ReplicationPolicy
from replication.intake.events import ReceivedEvent, named_subscriptions
from replication.ports import Gallery
from replication.telemetry.log import WARNING, log_outcome

_KEPT = timedelta(minutes=5)
# For one that is not in the list: it may be new, and whoever sends junk must not cost a call each.
_KEPT_FOR_OTHERS = timedelta(seconds=15)
# As long as nothing is known at all: those who waited for the one that asked do not ask in turn.
_KEPT_WITHOUT = timedelta(seconds=5)
_MAX_SHOWN = 64


@dataclass(slots=True, kw_only=True)
class Subscriptions:
    """Tells whose events are taken, before anything is asked or kept about them.

    Anybody may claim anything in an event. So nothing here grows with what is claimed, and one
    call for the list of subscriptions serves the events of minutes.
    """

    policy: ReplicationPolicy
    gallery: Gallery
    clock: Callable[[], datetime]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: tuple[datetime, frozenset[str] | None] | None = None
    _failed: tuple[datetime, str] | None = None

    def why_refused(self, event: ReceivedEvent) -> str | None:
        """Return None for an event that may be acted on, else the reason why it may not.

        Raises what Azure raises, unless it is told which subscriptions are allowed, or an earlier
        answer is at hand.
        """
        source, resource = named_subscriptions(event)
        if source and resource and source != resource:
            return (
                f"its source is in subscription {source[:_MAX_SHOWN]!r}, and its resource in "
                f"{resource[:_MAX_SHOWN]!r}"
            )
        named = resource or source
        if named is None:
            return None
        if self.policy.subscriptions:
            return self.policy.why_subscription_is_shut_out(named)
        if any(self._sees(named, kept) for kept in (_KEPT, _KEPT_FOR_OTHERS)):
            return None
        return f"subscription {named[:_MAX_SHOWN]!r} is none that the app's identity sees"

    def _sees(self, named: str, kept: timedelta) -> bool:
        listed = self._list(kept)
        return listed is None or named in listed

    def _list(self, kept: timedelta) -> frozenset[str] | None:
        """Return the list, None from a Resource Manager that has none, for good."""
        seen = self._seen
        if seen is not None and self.clock() < seen[0] + kept:
            return seen[1]
        # One thread asks. The others do not wait for it, if there is a list at all.
        if not self._lock.acquire(blocking=seen is None) and seen is not None:
            return seen[1]
        try:
            if self._seen is not seen and self._seen is not None:
                return self._seen[1]
            return self._ask(seen)
        finally:
            self._lock.release()

    def _ask(self, seen: tuple[datetime, frozenset[str] | None] | None) -> frozenset[str] | None:
        failed = self._failed
        if seen is None and failed is not None and self.clock() < failed[0] + _KEPT_WITHOUT:
            raise TransientError(failed[1])
        found = seen[1] if seen is not None else None
        try:
            found = frozenset(one.lower() for one in self.gallery.subscriptions())
        except ReplicationError as error:
            if seen is None and isinstance(error, TransientError):
                self._failed = self.clock(), str(error)
                raise
            log_outcome("subscriptions.unavailable", level=WARNING, reason=str(error))
        self._seen = self.clock(), found
        return found
