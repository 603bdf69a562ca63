"""Every row of the table of wire facts, held against the simulator."""

from collections import Counter
from dataclasses import asdict

import pytest

from localcloud.arm.behaviour import Behaviour
from localcloud.arm.resource_ids import Kind
from localcloud.arm.throttling import LIMITS as SIMULATED
from localcloud.arm.throttling import Throttle
from tests.support.localcloud.arm_world import World
from tests.support.localcloud.wire_facts import FACTS, LIMITS, Fact, Known, Switch

# Not facts: how long pages are, and whether limits hold at all.
_KNOBS = {"authorization", "list_page_size", "price_page_size", "throttling"}


def turn(world: World, switch: Switch) -> None:
    if switch.call == "events":
        world.events.configure({switch.name: switch.value})
    else:
        world.behave(**{switch.name: switch.value})


def _name(fact: Fact) -> str:
    switch = f", {fact.switch.value}" if fact.switch else ""
    return f"{fact.what}{switch}"


@pytest.mark.parametrize("fact", FACTS, ids=_name)
def test_the_simulator_shows_what_the_table_says(fact: Fact, world: World) -> None:
    assert fact.look(world) == fact.shown


@pytest.mark.parametrize("fact", [one for one in FACTS if one.switch], ids=_name)
def test_a_switch_shows_the_other_answer(fact: Fact, world: World) -> None:
    assert fact.switch is not None
    turn(world, fact.switch)
    assert fact.look(world) == fact.otherwise != fact.shown


def test_what_is_inferred_has_a_switch_and_every_switch_is_in_the_table() -> None:
    unswitched = [one.what for one in FACTS if one.known is Known.INFERRED and not one.switch]
    assert unswitched == []
    of_behaviour = {
        one.switch.name for one in FACTS if one.switch and one.switch.call == "behaviour"
    }
    assert of_behaviour == set(asdict(Behaviour())) - _KNOBS


def test_every_row_is_one_of_a_kind_and_names_its_source() -> None:
    assert [one for one, count in Counter(map(_name, FACTS)).items() if count > 1] == []
    assert all(one.says and one.source for one in FACTS)
    assert all(one.source for one in LIMITS)


def test_the_limits_are_those_of_the_table() -> None:
    assert {one.operation: one.calls for one in LIMITS} == SIMULATED


def test_a_limit_is_what_the_headers_count_down_from() -> None:
    headers = Throttle().take("s", "GET", Kind.VERSIONS, 0.0)
    assert headers["x-ms-ratelimit-remaining-resource"] == (
        "Microsoft.Compute/ListGalleryImageVersionsInGalleryImage3Min;1499,"
        "Microsoft.Compute/ListGalleryImageVersionsInGalleryImage30Min;9999"
    )
