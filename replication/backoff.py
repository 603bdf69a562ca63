"""How long to wait: after an error, and between two looks at a copy."""

from collections.abc import Iterable
from dataclasses import dataclass

from replication.limits import Limits

# Without a slope the next look comes after half the copy's age.
_UNKNOWN_GROWTH = 0.5
# No look sooner than this share of what the slowest region still needs, so that eight regions
# that end at eight moments do not cost eight looks.
_SHARE_OF_SLOWEST = 1 / 3
# The end is noticed within 5 % of the copy's duration: 2 % past the estimate, 2 % jitter.
_PAST_THE_END = 0.02
_JITTER = 0.02
_MAX_EXPONENT = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyProgress:
    """One copy that is under way: for how long, and how far, in percent (None: not reported)."""

    elapsed_s: float
    percent: int | None


def retry_delay_s(
    attempt: int, limits: Limits, *, chance: float, retry_after_s: float | None = None
) -> float:
    """Return the pause before another try: exponential, capped, with full jitter.

    `attempt` counts from 1, `chance` is a random number in [0, 1). The service's own
    Retry-After beats the formula; up to a tenth is added so that not all come back at once.
    """
    if retry_after_s is not None:
        return max(0.0, retry_after_s) * (1 + chance / 10) + limits.retry_base_s * chance
    doublings = min(max(0, attempt - 1), _MAX_EXPONENT)
    ceiling = min(limits.retry_max_s, limits.retry_base_s * 2.0**doublings)
    return max(limits.retry_base_s / 2, ceiling * chance)


def tracking_delay_s(copies: Iterable[CopyProgress], limits: Limits, *, chance: float) -> float:
    """Return the pause before the next look, placed by the progress seen.

    The slope gives each copy's expected end. The next look is at the first of these ends that
    leaves a sensible distance, never sooner than `tracking_min_s` nor later than
    `tracking_max_s`. Copies without progress are looked at again after half their age.
    """
    remaining = []
    elapsed = 0.0
    for copy in copies:
        elapsed = max(elapsed, copy.elapsed_s)
        if copy.percent and copy.elapsed_s > 0:
            total_s = copy.elapsed_s * 100 / copy.percent
            past_the_end_s = total_s * _PAST_THE_END
            remaining.append(max(0.0, total_s - copy.elapsed_s) + past_the_end_s)
    if not remaining:
        delay_s = max(limits.tracking_min_s, elapsed * _UNKNOWN_GROWTH)
    else:
        floor_s = max(
            limits.tracking_min_s, max(remaining) * _SHARE_OF_SLOWEST, elapsed * _PAST_THE_END
        )
        delay_s = min((end for end in remaining if end >= floor_s), default=floor_s)
    return min(limits.tracking_max_s, delay_s * (1 + _JITTER * chance))
