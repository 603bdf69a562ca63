"""What a pause can be about, and the limits on record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import Operation
from replication.guards.throttling import RateLimit, ThrottleScope, gallery_of, rate_limit
from tests.support.builders import SUBSCRIPTION, version_id

HALF_HOUR = "createupdategalleryimageversion30min"
ARM_WRITES = "subscription-writes"


@given(
    st.sampled_from([None, *Operation]),
    st.none() | st.text("abcdefgh0123456789._-()~", min_size=1),
)
def test_a_scope_can_be_read_from_its_key(operation: Operation | None, gallery: str | None) -> None:
    scope = ThrottleScope(subscription_id=SUBSCRIPTION, operation=operation, gallery=gallery)
    assert ThrottleScope.parse(scope.key) == scope


@pytest.mark.parametrize("key", ["", "a|b", "a|b|c|d", "a|delete|*"])
def test_a_text_that_is_no_key_of_a_scope_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"values to unpack|not a valid Operation"):
        ThrottleScope.parse(key)


def test_a_call_falls_under_its_operation_and_under_all_in_its_gallery_and_its_subscription() -> (
    None
):
    one = version_id(gallery="LabGallery")
    scopes = ThrottleScope.around(one, Operation.WRITE)
    assert {scope.key for scope in scopes} == {
        f"{SUBSCRIPTION}|write|*",
        f"{SUBSCRIPTION}|write|labs-rg~labgallery",
        f"{SUBSCRIPTION}|*|*",
        f"{SUBSCRIPTION}|*|labs-rg~labgallery",
    }
    assert gallery_of(one) == "labs-rg~labgallery"


@pytest.mark.parametrize(
    ("bucket", "calls", "window_s", "interval_s", "reserve"),
    [
        ("Microsoft.Compute/CreateUpdateGalleryImageVersion3Min", 375, 180, 0.48, 7),
        (HALF_HOUR, 1_200, 1_800, 1.5, 24),
        ("getgalleryimageversion30min", 10_000, 1_800, 0.18, 200),
        ("subscription-reads", 250, 10, 0.04, 5),
        (ARM_WRITES, 200, 20, 0.1, 4),
        ("deletegalleryimageversion5min", 100, 300, 3, 3),
        ("somethingelse", 100, 100, 1, 3),
        ("something0min", 100, 100, 1, 3),
    ],
)
def test_the_limits_on_record_and_modest_ones_for_the_others(
    bucket: str, calls: int, window_s: float, interval_s: float, reserve: int
) -> None:
    limit = rate_limit(bucket)
    assert limit == RateLimit(calls=calls, window_s=window_s)
    assert (limit.interval_s, limit.reserve) == (interval_s, reserve)
