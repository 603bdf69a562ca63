from hypothesis import given
from hypothesis import strategies as st

from replication.domain.limits import Limits
from replication.reconcile.backoff import CopyProgress, retry_delay_s, tracking_delay_s
from tests.support.strategies import CHANCES, LIMITS

COPIES = st.lists(
    st.builds(
        CopyProgress,
        elapsed_s=st.floats(min_value=0, max_value=1e7),
        percent=st.none() | st.integers(min_value=0, max_value=100),
    ),
    max_size=10,
)


@given(attempt=st.integers(min_value=-5, max_value=10**9), limits=LIMITS, chance=CHANCES)
def test_a_retry_waits_between_half_the_base_and_the_maximum(
    attempt: int, limits: Limits, chance: float
) -> None:
    delay_s = retry_delay_s(attempt, limits, chance=chance)
    assert limits.retry_base_s / 2 <= delay_s <= limits.retry_max_s


@given(
    attempt=st.integers(min_value=1, max_value=99),
    limits=LIMITS,
    chance=CHANCES,
    asked_s=st.floats(min_value=-100, max_value=1e6),
)
def test_a_pause_that_was_asked_for_is_kept_and_hardly_exceeded(
    attempt: int, limits: Limits, chance: float, asked_s: float
) -> None:
    delay_s = retry_delay_s(attempt, limits, chance=chance, retry_after_s=asked_s)
    assert max(0.0, asked_s) <= delay_s
    assert delay_s <= max(0.0, asked_s) * 1.1 + limits.retry_base_s


@given(limits=LIMITS, attempt=st.integers(min_value=1, max_value=60))
def test_the_ceiling_of_retries_grows_with_every_attempt(limits: Limits, attempt: int) -> None:
    almost_one = 1 - 2**-53
    delays = [retry_delay_s(one, limits, chance=almost_one) for one in (attempt, attempt + 1)]
    assert delays[0] <= delays[1]


def test_retries_double_from_the_base_to_the_maximum() -> None:
    limits = Limits(retry_base_s=4, retry_max_s=20)
    delays = [retry_delay_s(attempt, limits, chance=0.999999) for attempt in range(1, 6)]
    assert [round(delay_s) for delay_s in delays] == [4, 8, 16, 20, 20]


@given(copies=COPIES, limits=LIMITS, chance=CHANCES)
def test_a_look_comes_between_the_bounds_whatever_the_progress(
    copies: list[CopyProgress], limits: Limits, chance: float
) -> None:
    delay_s = tracking_delay_s(copies, limits, chance=chance)
    assert limits.tracking_min_s <= delay_s <= limits.tracking_max_s


def test_the_first_look_comes_at_the_minimum() -> None:
    limits = Limits(tracking_min_s=15)
    assert tracking_delay_s([], limits, chance=0) == 15
    assert tracking_delay_s([CopyProgress(elapsed_s=0, percent=0)], limits, chance=0) == 15


def test_without_any_report_half_the_age_passes() -> None:
    copies = [CopyProgress(elapsed_s=400, percent=None)]
    assert tracking_delay_s(copies, Limits(), chance=0) == 200


def test_below_the_first_percent_the_steps_grow_with_the_age() -> None:
    copies = [CopyProgress(elapsed_s=100, percent=0)]
    assert tracking_delay_s(copies, Limits(), chance=0) == 600


@given(
    total_s=st.floats(min_value=600, max_value=40_000),
    share=st.floats(min_value=0.05, max_value=0.95),
    chance=CHANCES,
)
def test_the_look_at_one_steady_copy_comes_at_most_five_percent_after_its_end(
    total_s: float, share: float, chance: float
) -> None:
    limits = Limits(tracking_max_s=10**6)
    elapsed_s = total_s * share
    copies = [CopyProgress(elapsed_s=elapsed_s, percent=int(share * 100))]
    looked_at_s = elapsed_s + tracking_delay_s(copies, limits, chance=chance)
    assert looked_at_s <= total_s * 1.05 + limits.tracking_min_s
