"""Who uses which version: never a guess, and never zero where it is not known."""

from collections.abc import Iterator

import pytest

from costs.ports import Machine, NoImageConsumers
from costs.report.usage import Usage, Use, look_up_usage, usage_of
from replication.domain.errors import FailureCode, PermanentError, ReplicationError, TransientError
from tests.support.builders import version_id

VERSION = str(version_id())
DEFINITION = VERSION.rsplit("/versions/", 1)[0]
OTHER = str(version_id(version="2.0.0"))
VM = "microsoft.compute/virtualmachines"


def machine(image: str, exact_version: str = "") -> Machine:
    return Machine(kind=VM, image=image, exact_version=exact_version)


@pytest.mark.parametrize(
    "named",
    [
        machine(VERSION),
        machine(VERSION.upper()),
        machine(f"{VERSION}/"),
        machine(DEFINITION, "1.0.0"),
        machine(f"{DEFINITION}/versions/latest", "1.0.0"),
    ],
)
def test_a_version_is_used_by_a_machine_that_names_it(named: Machine) -> None:
    usage = usage_of([named])
    assert (usage.of(VERSION), usage.of(OTHER)) == (Use.USED, Use.UNUSED)


@pytest.mark.parametrize("named", [machine(DEFINITION), machine(f"{DEFINITION}/versions/latest")])
def test_a_definition_named_alone_may_use_every_version(named: Machine) -> None:
    usage = usage_of([named, machine(VERSION)])
    assert (usage.of(VERSION), usage.of(OTHER)) == (Use.USED, Use.MAYBE)


def test_machines_on_images_of_another_kind_use_none() -> None:
    others = [machine(""), machine("/subscriptions/s/resourceGroups/g/providers/x/images/i")]
    usage = usage_of(others)
    assert (usage.of(VERSION), usage.looked_at) == (Use.UNUSED, 2)


def test_to_see_no_machine_at_all_is_not_to_know_that_there_is_none() -> None:
    usage = usage_of([])
    assert usage.of(VERSION) is None
    assert usage.unknown is not None
    assert "it needs the role Reader" in usage.unknown


class Refusing:
    def __init__(self, error: ReplicationError) -> None:
        self.error = error

    def all(self) -> Iterator[Machine]:
        yield machine(VERSION)
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            PermanentError("AuthorizationFailed: no", code=FailureCode.NOT_AUTHORISED),
            "since this identity may not query Resource Graph: AuthorizationFailed: no",
        ),
        (PermanentError("bad query", code=FailureCode.INVALID_REQUEST), "asked: bad query"),
        (TransientError("away"), "asked: away"),
    ],
)
def test_an_answer_that_breaks_off_leaves_everything_unknown(
    error: ReplicationError, said: str
) -> None:
    usage = look_up_usage(Refusing(error))
    assert usage.of(OTHER) is None
    assert usage.unknown is not None
    assert usage.unknown.endswith(said)


def test_without_a_resource_graph_nothing_is_known() -> None:
    assert look_up_usage(NoImageConsumers()) == Usage(
        unknown="whether anybody uses a version could not be asked: there is no Resource Graph "
        "to ask"
    )
