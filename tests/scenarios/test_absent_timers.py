"""Scenarios: the host leaves a timer out, and health, overview and a notice say which."""

from dataclasses import replace

from bootstrap.app import build_app
from dashboard.views.overview import overview
from replication.notices.rules import Change
from tests.support.fakes import World, build_world
from tests.support.scenarios.notice_steps import Channel, run

PROBLEM = "SWEEP_SCHEDULE is missing: what was missed is not found"


def a_world(*channels: Channel, absent: dict[str, str]) -> World:
    world = build_world()
    settings = replace(world.app.settings, absent_timers=absent)
    ports = replace(world.app.ports, channels=channels)
    world.app = build_app(settings, world.app.policy, ports)
    return world


def test_health_says_which_timer_does_not_run_and_why() -> None:
    health = a_world(absent={"sweep": PROBLEM}).app.health.read()
    assert not health.is_well
    assert health.checks["sweep"] == PROBLEM
    assert a_world(absent={}).app.health.read().is_well


def test_the_overview_is_not_quiet_about_it() -> None:
    world = a_world(absent={"sweep": PROBLEM})
    seen = overview(world.app, world.clock())
    assert (seen.is_quiet, dict(seen.absent_timers)) == (False, {"sweep": PROBLEM})


def test_one_notice_tells_of_it_until_it_runs() -> None:
    channel = Channel()
    world = a_world(channel, absent={"sweep": PROBLEM})
    for _ in range(4):
        run(world)
        world.clock.advance(600)
    assert channel.story == [(Change.NEW.value, "timer|sweep")]
    (notice,) = channel.heard[0].notices
    assert PROBLEM in notice.cause.next_step
    settings = replace(world.app.settings, absent_timers={})
    world.app = build_app(settings, world.app.policy, world.app.ports)
    for _ in range(8):
        run(world)
        world.clock.advance(600)
    assert channel.story[-1] == (Change.RESOLVED.value, "timer|sweep")
