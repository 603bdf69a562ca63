"""The plan makes the trouble that it promises, and the same for the same seed."""

from collections import Counter

import pytest

from localcloud.arm.faults import Faults
from tools.chaos.figures import percentile
from tools.chaos.plan import FAILED_COPIES, FOREIGN_REGION, HOMES, Plan
from tools.chaos.trouble import Trouble

VERSION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b"
VERSION += "/versions/1.0.0"
READS = {"429", "429 with Retry-After", "500", "503", "409", "drop_connection", "delay"}


def struck(method: str, plan: Plan, *, requests: int) -> Counter[str]:
    faults = Faults()
    faults.put(plan.faults())
    found = (faults.for_request(method, VERSION, ()) for _ in range(requests))
    return Counter(fault.kind for fault in found if fault is not None)


@pytest.mark.parametrize(
    ("method", "kinds"), [("GET", READS), ("PATCH", READS | {"lose_write"}), ("PUT", set())]
)
def test_a_fifth_of_what_the_app_asks_is_struck_by_faults_of_every_kind(
    method: str, kinds: set[str]
) -> None:
    found = struck(method, Plan.short(1), requests=20_000)
    assert set(found) == kinds
    if kinds:
        assert 0.19 < found.total() / 20_000 < 0.21


def test_some_copies_fail_and_never_those_of_the_rival() -> None:
    faults = Faults()
    faults.put(Plan.short(1).faults())
    ends = Counter(faults.ending_of_copy("PATCH", VERSION, "westus") for _ in range(20_000))
    assert abs(ends["Failed"] / 20_000 - FAILED_COPIES) < 0.01
    foreign = Counter(faults.ending_of_copy("PATCH", VERSION, FOREIGN_REGION) for _ in range(200))
    assert foreign == {"Completed": 200}


def test_the_same_seed_makes_the_same_faults_and_another_one_others() -> None:
    first, again, other = Plan.short(1), Plan.short(1), Plan.short(2)
    assert first.faults() == again.faults()
    assert first.faults() != other.faults()
    assert struck("GET", first, requests=500) == struck("GET", again, requests=500)


def test_the_plans_have_what_a_run_needs() -> None:
    short, first, second = Plan.short(1), Plan.of_round(1, 1), Plan.of_round(1, 2)
    for plan in (short, first, second):
        assert plan.exports == 150
        assert plan.kills >= 30
        assert plan.storage_restarts >= 1
        assert len(HOMES) > 3
    assert max(first.refusals_s) == 60.0
    assert first.trouble_s > max(first.refusals_s)
    assert (first.seed, second.seed) == (1001, 1002)


def test_moments_lie_one_in_each_part_of_the_trouble() -> None:
    for seed in range(100):
        moments = list(Trouble.moments(Plan.short(seed).chance("x"), count=3, over_s=30.0))
        assert all(number * 10 < at < (number + 1) * 10 for number, at in enumerate(moments))


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 1.0)] == [50.0, 95.0, 100.0]
    assert percentile([], 0.5) == 0.0
    assert percentile([7.0], 0.5) == 7.0
