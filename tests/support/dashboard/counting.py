"""Count what the ports are asked, whatever they answer."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from bootstrap.app import build_app
from replication.dead_letters.index import ListedLetters
from tests.support.fakes import World
from tests.support.listing import MemoryListing


@dataclass(slots=True)
class Calls:
    """The calls by port and method, and the rows that were read of the listing and the letters."""

    calls: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        self.calls.clear()
        self.rows.clear()


class _Counting:
    def __init__(self, name: str, port: object, calls: Calls) -> None:
        self._name, self._port, self._calls = name, port, calls

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if not callable(found):
            return found

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._calls.calls[f"{self._name}.{method}"] += 1
            answer = found(*args, **kwargs)
            if isinstance(answer, tuple):
                self._calls.rows[self._name] += len(answer)
            return answer

        return counted


_STORED = ("store", "history", "controls", "listing", "queues")


def count_calls(world: World) -> tuple[World, Calls]:
    """Return the world with an app whose ports count."""
    calls = Calls()
    ports = world.app.ports
    counting: dict[str, Any] = {
        name: _Counting(name, getattr(ports, name), calls) for name in _STORED
    }
    # The dead letters as they are really found: by their listing, which comes after them.
    letters = ListedLetters(store=world.letters, listing=MemoryListing())
    letters.mend()
    counting["letters"] = replace(
        letters,
        store=_Counting("letters", letters.store, calls),
        listing=_Counting("letters' listing", letters.listing, calls),
    )
    app = build_app(world.app.settings, world.app.policy, replace(ports, **counting))
    return replace(world, app=app), calls
