"""The newest reports of a process: the same files and the same question have the same answer."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# What a report says besides its files, such as the age of the prices, may be as old as this.
_KEPT = timedelta(minutes=10)
_MOST = 16

type View = Mapping[str, Any]


@dataclass(slots=True)
class ReportCache:
    """Keeps the reports that were asked for last; safe to use from many threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: OrderedDict[Hashable, tuple[datetime, View]] = field(default_factory=OrderedDict)

    def get(self, key: Hashable, now: datetime, make: Callable[[], View]) -> View:
        """Return the report of a key, made anew where none is kept or it is too old.

        Two that ask at once may both make it; raises what `make` raises, and keeps nothing then.
        """
        with self._lock:
            found = self._known.get(key)
            if found is not None and now - found[0] < _KEPT:
                self._known.move_to_end(key)
                return found[1]
        view = make()
        with self._lock:
            self._known[key] = (now, view)
            self._known.move_to_end(key)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return view
