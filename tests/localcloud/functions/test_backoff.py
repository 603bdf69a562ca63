import random

from hypothesis import given
from hypothesis import strategies as st

from localcloud.functions.backoff import MINIMUM_S, PollingBackoff


def test_delays_double_from_100_ms_and_stay_at_the_maximum() -> None:
    backoff = PollingBackoff(maximum_s=2.0, rng=random.Random(1))  # noqa: S311 - jitter
    delays = [backoff.next_delay_s(found=False) for _ in range(8)]
    assert delays[0] == MINIMUM_S
    for exponent, delay_s in enumerate(delays[1:5]):
        assert 0.8 <= (delay_s - MINIMUM_S) / (2**exponent * MINIMUM_S) <= 1.2
    assert delays[6:] == [2.0, 2.0]


def test_a_found_message_starts_over() -> None:
    backoff = PollingBackoff(maximum_s=2.0)
    for _ in range(9):
        backoff.next_delay_s(found=False)
    assert backoff.next_delay_s(found=True) == MINIMUM_S
    assert backoff.next_delay_s(found=False) <= 2.2 * MINIMUM_S


@given(st.lists(st.booleans(), max_size=40), st.floats(0.1, 60), st.integers())
def test_a_delay_is_never_out_of_bounds(finds: list[bool], maximum_s: float, seed: int) -> None:
    backoff = PollingBackoff(maximum_s=maximum_s, rng=random.Random(seed))  # noqa: S311 - jitter
    for found in finds:
        assert MINIMUM_S <= backoff.next_delay_s(found=found) <= max(maximum_s, MINIMUM_S)
