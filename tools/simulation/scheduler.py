"""Workers that take turns by a seed: every call of a port is a point where another may go on."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from greenlet import getcurrent, greenlet

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process of a worker ended here; nothing of it runs any more."""


@dataclass(slots=True)
class Clock:
    """Simulated time; it moves only when the scheduler moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True, eq=False)
class Task:
    """One run of something that calls ports; `on_end` hears whether it came through."""

    name: str
    run: greenlet
    on_end: Callable[[BaseException | None], None]
    mortal: bool = True
    observations: int = 0
    writes: int = 0


@dataclass(slots=True)
class Scheduler:
    """Switches between tasks; `kill_share` and `drift_share` are chances at each point."""

    chance: random.Random
    clock: Clock
    tell: Callable[[str], None]
    kill_share: float = 0.0
    drift_share: float = 0.0
    drift_s: float = 0.0
    drifted_s: float = 0.0
    kills: int = 0
    points: int = 0
    tasks: list[Task] = field(default_factory=list)
    current: Task | None = None
    _hub: greenlet = field(default_factory=getcurrent)

    def spawn(
        self,
        name: str,
        work: Callable[[], object],
        on_end: Callable[[BaseException | None], None],
        *,
        mortal: bool = True,
    ) -> None:
        """Start a task; it runs from its next turn on."""
        task = Task(name=name, run=greenlet(work, parent=self._hub), on_end=on_end, mortal=mortal)
        self.tasks.append(task)

    def point(self, label: str) -> None:
        """Let the scheduler go on with another task; called from within one."""
        task = self.current
        if task is None or not self.tasks:
            return  # outside of any task: the set-up and the checks
        self.points += 1
        self.tell(f"{task.name}: {label}")
        self._hub.switch()

    def turn(self) -> None:
        """Give one task, by chance, its turn; it may die instead, or time may pass meanwhile."""
        task = self.tasks[self.chance.randrange(len(self.tasks))]
        if self.drift_share and self.chance.random() < self.drift_share:
            passed_s = self.chance.random() * self.drift_s
            self.drifted_s += passed_s
            self.clock.advance(passed_s)
        self.current = task
        error: BaseException | None = None
        try:
            if task.mortal and task.run and self.chance.random() < self.kill_share:
                self.kills += 1
                self.tell(f"{task.name}: KILLED")
                task.run.throw(Killed)
            else:
                task.run.switch()
        except Killed as killed:
            error = killed
        except Exception as failed:  # noqa: BLE001 - as the host: the invocation failed
            error = failed
        finally:
            self.current = None
        if task.run.dead:
            self.tasks.remove(task)
            task.on_end(error)
