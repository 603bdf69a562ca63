"""The app under test, on ports that give others a turn at every call."""

from collections.abc import Callable
from itertools import count
from typing import Any

from tenacity import Retrying

from bootstrap.app import App, Ports, build_app
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import RecordChangedError, TransientError
from replication.domain.region_snapshot import shipped_catalog
from replication.domain.regions import RegionCatalog
from tests.support.fakes import MemoryTopic, build_settings
from tools.simulation.parts import Stepped
from tools.simulation.scheduler import Scheduler
from tools.simulation.world import World

CATALOG = shipped_catalog()
_TRIES = 8


class _Catalogs:
    def of(self, subscription_id: str) -> RegionCatalog:
        del subscription_id
        return CATALOG


class _QuickRetrying(Retrying):
    """Tries again as the app does, but without a pause and a fifth of a run's time for it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def __call__[Answer](self, fn: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        for _ in range(_TRIES - 1):
            try:
                return fn(*args, **kwargs)
            except (RecordChangedError, TransientError):
                self._scheduler.point("tries again")
        return fn(*args, **kwargs)


def build_instance(run: World, number: int, spoil: Callable[[Ports], Ports]) -> App:
    """Build one instance of the app; all of a run share the same storage."""
    owners = count(1)

    def stepped(port: object, name: str) -> Any:
        return Stepped(port, name, run.scheduler, run.faults)

    ports = Ports(
        gallery=run.cloud,
        catalogs=_Catalogs(),
        store=stepped(run.store, "jobs"),
        history=stepped(run.history, "history"),
        letters=ListedLetters(
            store=stepped(run.letters, "letters"),
            listing=stepped(run.letter_listing, "letters' listing"),
            retries=lambda: _QuickRetrying(run.scheduler),
        ),
        controls=stepped(run.controls, "controls"),
        listing=run.listing,
        queues=stepped(run.queues, "queues"),
        topic=MemoryTopic(),
        clock=run.clock,
        chance=run.chance.random,
        new_owner=lambda: f"owner-{number}-{next(owners)}",
        retries=lambda: _QuickRetrying(run.scheduler),
    )
    return build_app(build_settings(run.limits), run.policy, spoil(ports))
