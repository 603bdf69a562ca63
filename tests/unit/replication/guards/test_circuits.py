"""One region's circuit breaker: when it opens, who may try, and what a try decides."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from replication.domain.limits import Limits
from replication.domain.regions import Region
from replication.guards.circuits import (
    Circuit,
    CircuitFailure,
    after_failure,
    claim_probe,
    closed_to,
    hold_of,
)
from tests.support.builders import NOON

WEST = Region("westus3")
LIMITS = Limits(
    circuit_failures=3, circuit_hold_s=600, circuit_probe_s=3600, circuit_memory_s=86_400
)
KEYS = st.sampled_from(["a", "b", "c", "d", "e"])


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def failed(*keys: str, circuit: Circuit | None = None) -> Circuit:
    circuit = circuit or Circuit(region=WEST)
    for number, key in enumerate(keys):
        circuit = after_failure(circuit, key, now=at(number), limits=LIMITS)
    return circuit


def opened() -> Circuit:
    return failed("a", "b", "c")


def test_failures_of_different_versions_open_the_circuit() -> None:
    assert not failed("a", "b").is_open
    circuit = opened()
    assert (circuit.opened_at, circuit.probe_at, circuit.holds) == (at(2), at(602), 1)


def test_one_version_that_fails_again_and_again_opens_nothing() -> None:
    assert not failed(*"aaaaaa").is_open


def test_failures_that_are_too_old_do_not_count() -> None:
    circuit = failed("a", "b")
    later = after_failure(circuit, "c", now=at(86_402), limits=LIMITS)
    assert not later.is_open
    assert [one.key for one in later.failures] == ["c"]


def test_an_open_circuit_holds_every_version_back_until_the_probe_is_due() -> None:
    hold = hold_of(opened(), "d", at(100))
    assert hold is not None
    assert hold.until == at(602)
    assert hold.reason == (
        "westus3 is held back since 2026-11-23 12:00:02 UTC: copies of 3 versions failed there; "
        "it is tried again at 2026-11-23 12:10:02 UTC"
    )
    assert hold_of(opened(), "d", at(602)) is None


def test_a_closed_circuit_holds_nobody_back() -> None:
    assert hold_of(failed("a", "b"), "a", at(1)) is None
    assert closed_to(failed("a", "b"), "a", at(1)) is None


def test_a_region_that_is_due_and_claimed_by_nobody_is_still_not_open() -> None:
    hold = closed_to(opened(), "d", at(700))
    assert hold is not None
    assert hold.reason.endswith("it is due to be tried again")


def test_one_version_claims_the_probe_and_all_others_wait_for_it() -> None:
    probed = claim_probe(opened(), "d", now=at(602), limits=LIMITS)
    assert probed is not None
    assert claim_probe(probed, "d", now=at(603), limits=LIMITS) is probed
    assert claim_probe(probed, "e", now=at(603), limits=LIMITS) is None
    assert hold_of(probed, "d", at(603)) is None
    hold = hold_of(probed, "e", at(603))
    assert hold is not None
    assert hold.until == at(602 + 3600)
    assert "being tried by another version, until 2026-11-23 13:10:02 UTC" in hold.reason


def test_nobody_probes_before_the_hold_is_over() -> None:
    assert claim_probe(opened(), "d", now=at(601), limits=LIMITS) is None


def test_a_probe_of_which_nothing_is_heard_lapses_and_another_may_try() -> None:
    probed = claim_probe(opened(), "d", now=at(602), limits=LIMITS)
    assert probed is not None
    again = claim_probe(probed, "e", now=at(602 + 3600), limits=LIMITS)
    assert again is not None
    assert again.probe_key == "e"


def test_a_probe_that_fails_doubles_the_hold_and_late_words_of_others_do_not() -> None:
    circuit = opened()
    pauses = []
    for number in range(8):
        assert circuit.probe_at is not None
        due = circuit.probe_at
        claimed = claim_probe(circuit, "d", now=due, limits=LIMITS)
        assert claimed is not None
        late = after_failure(claimed, "e", now=due, limits=LIMITS)
        assert (late.probe_key, late.probe_at, late.holds) == ("d", claimed.probe_at, number + 1)
        circuit = after_failure(late, "d", now=due, limits=LIMITS)
        assert circuit.probe_key is None
        assert circuit.opened_at == at(2)
        assert circuit.probe_at is not None
        pauses.append((circuit.probe_at - due).total_seconds())
    assert pauses == [600 * 2**doublings for doublings in (1, 2, 3, 4, 5, 5, 5, 5)]


def test_a_circuit_without_times_holds_nobody_for_ever() -> None:
    strange = Circuit(region=WEST, opened_at=NOON)
    assert hold_of(strange, "a", at(1)) is None
    assert hold_of(replace(strange, probe_key="b"), "a", at(1)) is None


@given(
    steps=st.lists(st.tuples(KEYS, st.floats(min_value=0, max_value=90_000), st.booleans())),
    asking=KEYS,
)
def test_whatever_happens_a_hold_ends_and_one_version_at_most_may_go_on(
    steps: list[tuple[str, float, bool]], asking: str
) -> None:
    circuit, now = Circuit(region=WEST), NOON
    for key, pause_s, fails in steps:
        now += timedelta(seconds=pause_s)
        if fails:
            circuit = after_failure(circuit, key, now=now, limits=LIMITS)
        else:
            circuit = claim_probe(circuit, key, now=now, limits=LIMITS) or circuit
        assert len(circuit.failures) <= LIMITS.circuit_failures
        assert len({one.key for one in circuit.failures}) == len(circuit.failures)
        if not circuit.is_open:
            continue
        hold = hold_of(circuit, asking, now)
        if hold is not None:
            longest_s = max(LIMITS.circuit_probe_s, LIMITS.circuit_hold_s * 32)
            assert now < hold.until <= now + timedelta(seconds=longest_s)
            assert hold_of(circuit, asking, hold.until) is None
            assert claim_probe(circuit, asking, now=hold.until, limits=LIMITS) is not None
        else:
            claimed = claim_probe(circuit, asking, now=now, limits=LIMITS)
            assert claimed is not None
            free = [key for key in "abcde" if hold_of(claimed, key, now) is None]
            # A claim of its own that has lapsed stands until another takes it.
            assert free == [asking] or claimed.probe_until <= now  # type: ignore[operator]


@given(st.lists(KEYS, max_size=20))
def test_it_opens_with_the_failure_that_makes_the_number_full(keys: list[str]) -> None:
    circuit = Circuit(region=WEST)
    for number, key in enumerate(keys):
        circuit = after_failure(circuit, key, now=at(number), limits=LIMITS)
        assert circuit.is_open == (len(set(keys[: number + 1])) >= LIMITS.circuit_failures)
    assert all(isinstance(one, CircuitFailure) for one in circuit.failures)
