"""What one run is made of: its clock, its storage, its Azure, and the tasks that share them."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from replication.domain.errors import ReplicationError
from replication.domain.job import ReplicationJob
from replication.domain.limits import Limits
from replication.domain.policy import ReplicationPolicy
from tests.support.fakes import MemoryControls, MemoryHistory
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tools.simulation.books import Export, Tell
from tools.simulation.cloud import Cloud
from tools.simulation.faults import Faults
from tools.simulation.parts import JobTable, Queues
from tools.simulation.scheduler import Clock, Killed, Scheduler

if TYPE_CHECKING:
    from bootstrap.app import App

# Encoding every record would take most of the time; the codec has tests of its own.
_ENCODED_SHARE = 16


class World:
    """All that a run shares; `apps` are the instances of the app, once they are built."""

    def __init__(
        self,
        seed: int,
        *,
        out: Callable[[str], None] | None,
        on_record: Callable[[ReplicationJob], None],
    ) -> None:
        self.seed = seed
        self.problems: list[str] = []
        self.counts: Counter[str] = Counter()
        self.chance = random.Random(self.seed)  # noqa: S311 - a seed replays the run
        self.clock = Clock()
        self.tell = Tell(self.clock, out)
        self.scheduler = Scheduler(chance=self.chance, clock=self.clock, tell=self.tell)
        self.faults = Faults(self.chance)
        self.cloud = Cloud(
            clock=self.clock, scheduler=self.scheduler, faults=self.faults, chance=self.chance
        )
        self.queues = Queues(self.clock, self.faults)
        self.store = JobTable(encodes=self.seed % _ENCODED_SHARE == 0, on_write=on_record)
        self.controls = MemoryControls()
        self.listing = MemoryListing()
        self.letters = MemoryDeadLetters()
        self.letter_listing = MemoryListing()
        self.history = MemoryHistory()
        self.limits = Limits(
            circuit_failures=self.chance.choice((2, 3, 5)),
            deadline_s=self.chance.choice((2, 6, 24, 24)) * 3600.0,
        )
        self.policy = ReplicationPolicy(repair_failed_regions=self.chance.random() < 0.8)
        self.apps: list[App] = []
        self.exports: dict[str, Export] = {}
        self.sweep_s = self.chance.choice((600.0, 1800.0, 3600.0))
        self._tasks = count(1)

    def spawn(
        self,
        name: str,
        work: Callable[[], object],
        ended: Callable[[BaseException | None], None],
        *,
        mortal: bool = True,
    ) -> None:
        task = f"{name}-{next(self._tasks)}"

        def on_end(error: BaseException | None) -> None:
            self.tell(f"{task}: ended" + (f" by {error!r}" if error else ""))
            if error is not None and not isinstance(error, Killed | ReplicationError):
                self.problems.append(f"{task} raised {error!r}, which is no error of the app's own")
            ended(error)

        self.scheduler.spawn(task, work, on_end, mortal=mortal)
