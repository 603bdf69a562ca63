"""The app asks the simulated Resource Graph who uses which version."""

from collections.abc import Iterator

import pytest

from costs.azure.resource_graph import ResourceGraph
from costs.report.usage import Use, look_up_usage
from replication.azure.arm.clients import ArmClients
from tests.support.arm.stub import open_clients
from tests.support.localcloud.arm import Arm
from tests.support.localcloud.arm_world import IMAGE, VERSION


@pytest.fixture
def clients(arm: Arm) -> Iterator[ArmClients]:
    clients = open_clients(arm.url)
    yield clients
    clients.close()


def test_the_app_s_query_is_understood(arm: Arm, clients: ArmClients) -> None:
    machines = [
        {"image": VERSION.upper(), "count": 1_001},
        {"image": f"{IMAGE}2", "kind": "scaleSet", "exact_version": "2.0.0"},
        {"image": f"{IMAGE}3", "kind": "lab"},
    ]
    arm.control("PUT", "machines", {"machines": machines})
    usage = look_up_usage(ResourceGraph(clients))
    assert (usage.unknown, usage.looked_at) == (None, 1_003)
    assert usage.versions[VERSION.lower()] == 1_001
    uses = [f"{IMAGE}2/versions/2.0.0", f"{IMAGE}2/versions/1.0.0", f"{IMAGE}3/versions/1.0.0"]
    assert [usage.of(one) for one in uses] == [Use.USED, Use.UNUSED, Use.MAYBE]


def test_without_permission_the_reason_is_told(arm: Arm, clients: ArmClients) -> None:
    rule = {
        "match": {"path": "/providers/Microsoft.ResourceGraph/resources"},
        "fault": {"status": 403, "code": "AuthorizationFailed", "message": "no role"},
    }
    arm.control("PUT", "faults", [rule])
    usage = look_up_usage(ResourceGraph(clients))
    assert usage.unknown == (
        "whether anybody uses a version could not be asked, since this identity may not query "
        "Resource Graph: AuthorizationFailed: no role"
    )
    assert usage.of(VERSION) is None
