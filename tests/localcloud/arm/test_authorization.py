"""A call that nobody signed, where the simulator asks for a token."""

from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import GALLERY, SUBSCRIPTION

URL = f"/subscriptions/{SUBSCRIPTION}/locations?api-version=2022-12-01"


def test_a_call_without_a_token_is_refused_once_that_is_switched_on(arm: Arm) -> None:
    assert arm.call("GET", URL).status == 200
    arm.control("PUT", "behaviour", {"authorization": True})
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Basic eA=="}):
        refused = arm.call("GET", URL, **headers)
        assert (refused.status, refused.code) == (401, "AuthenticationFailed")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert arm.arm("PUT", GALLERY, {"location": "eastus"}).status == 401
    assert arm.call("GET", URL, Authorization="Bearer anything").status == 200


def test_prices_and_the_simulator_s_own_calls_need_none(arm: Arm) -> None:
    arm.control("PUT", "behaviour", {"authorization": True})
    assert arm.call("GET", "/api/retail/prices").status == 200
    assert arm.control("GET", "health")["status"] == "ok"
