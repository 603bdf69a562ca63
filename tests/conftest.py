"""Hypothesis without a stopwatch, for the machine may be busy; and which tests go together."""

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

settings.register_profile("test", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("check", settings.get_profile("test"), max_examples=20)
settings.register_profile("night", settings.get_profile("test"), max_examples=2000)
settings.load_profile("test")

# These take longest; begun first, they leave no process waiting for the other at the end.
_FIRST = (
    "tests/system/browser/",
    "tests/system/test_",
    "tests/system/docs/test_readme.py",
    "tests/scenarios/",
)


class _Scheduling(LoadFileScheduling):
    """Gives a file to one process, and all of the browser's to the one that has their desk."""

    def _split_scope(self, nodeid: str) -> str:
        browser = _FIRST[0]
        return browser if nodeid.startswith(browser) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """Schedule by file, whatever the command line says."""
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    starts = (n for n, start in enumerate(_FIRST) if item.nodeid.startswith(start))
    return next(starts, len(_FIRST))
