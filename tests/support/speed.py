"""How much a run tries: all of it in `make test`, a part in `make check`."""

from hypothesis import settings


def examples(full: int) -> int:
    """Return how many examples to draw, where the run's profile has a part of the usual 100."""
    return max(10, full * settings().max_examples // 100)
