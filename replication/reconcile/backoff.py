"""How long to wait: after an error, and between two looks at a copy."""

from collections.abc import Iterable
from dataclasses import dataclass

from replication.domain.limits import Limits

# Progress comes in whole percents. Below the first one a copy has more than 99 times its age
# to go; where none is reported at all, half its age is a safe step.
_GROWTH_AT_ZERO = 6.0
_GROWTH_UNREPORTED = 0.5
# No look sooner than this share of what the slowest region still needs, so that eight regions
# that end at eight moments do not cost eight looks.
_SHARE_OF_SLOWEST = 0.75
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
    `tracking_max_s`. Before the first percent the steps grow with the copy's age.
    """
    seen = tuple(copies)
    elapsed_s = max((copy.elapsed_s for copy in seen), default=0.0)
    remaining = [_remaining_s(copy) for copy in seen if copy.percent and copy.elapsed_s > 0]
    if remaining:
        floor_s = max(
            limits.tracking_min_s,
            max(remaining) * _SHARE_OF_SLOWEST,
            elapsed_s * _PAST_THE_END,
        )
        delay_s = min((end for end in remaining if end >= floor_s), default=floor_s)
    else:
        reported = bool(seen) and all(copy.percent is not None for copy in seen)
        growth = _GROWTH_AT_ZERO if reported else _GROWTH_UNREPORTED
        delay_s = max(limits.tracking_min_s, elapsed_s * growth)
    return min(limits.tracking_max_s, delay_s * (1 + _JITTER * chance))


def _remaining_s(copy: CopyProgress) -> float:
    """Return how long the copy needs at least, and a little more."""
    # A copy at 1 % may be as far as 2 %; the later the look, the less that matters.
    total_s = copy.elapsed_s * 100 / (min(99, copy.percent or 0) + 1)
    return max(0.0, total_s - copy.elapsed_s) + total_s * _PAST_THE_END
