"""Scenarios on a fake clock: plans that cost more than their budget allows."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from api.schemas.replications import Replication
from bootstrap.app import build_app
from replication.domain.errors import FailureCode
from replication.domain.job import Phase, ReplicationJob
from replication.domain.policy import Budget, ReplicationPolicy
from replication.domain.regions import Region
from replication.guards.budgets import PlanCost, month_of
from replication.ports import LetterAction, LetterState
from tests.support.builders import US_NEIGHBOURS, version_body, version_id, written_event
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export, states

# 127 GB at 0.05 USD in eight regions, and their transfer at 0.02 USD.
PLAN = Decimal("50.80") + Decimal("20.32")


class FlatPricing:
    """One price everywhere."""

    def adding(self, job: ReplicationJob, regions: Iterable[Region]) -> PlanCost:
        size, count = Decimal(job.size_gb or 0), len(tuple(regions))
        return PlanCost(
            monthly=size * count * Decimal("0.05"),
            egress_once=size * count * Decimal("0.02"),
            currency="USD",
            basis="flat",
        )

    def standing(self, job: ReplicationJob, *, month: str) -> tuple[Decimal, int]:
        size = Decimal(job.size_gb or 0)
        there = [one for one in job.replicas if one.listed_at and not one.removed_at]
        new = [one for one in there if one.listed_at and month_of(one.listed_at) == month]
        monthly = size * (len(there) + (1 if job.home else 0)) * Decimal("0.05")
        return monthly + size * len(new) * Decimal("0.02"), 0


def world_of(*budgets: Budget) -> World:
    world = build_world()
    return priced(world, ReplicationPolicy(budgets=budgets))


def priced(world: World, policy: ReplicationPolicy) -> World:
    ports = replace(world.app.ports, pricing=FlatPricing())
    world.app = build_app(world.app.settings, policy, ports)
    return world


def world_with(monthly: str, *, each_gallery: bool = False) -> World:
    return world_of(Budget(name="labs", monthly=Decimal(monthly), each_gallery=each_gallery))


def test_a_plan_within_its_budget_goes_ahead() -> None:
    world = world_with(str(PLAN + Decimal("6.35")))  # and the home region's storage
    export(world)
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert world.letters.letters == {}


def test_a_plan_over_its_budget_is_held_whole_and_shown_on_the_desk() -> None:
    world = world_with("60")
    export(world)
    world.run()
    job = world.job(ID)
    assert world.gallery.writes == []
    assert (job.phase, job.held_by_budget) == (Phase.WAITING, True)
    assert job.schedule.next_attempt_at is None
    assert job.reason.startswith("held: over budget labs of all its galleries: ")
    assert "50.80 USD a month and 20.32 USD once for this plan" in job.reason
    (letter,) = world.letters.letters.values()
    assert (letter.code, letter.state) == ("budget_exceeded", LetterState.OPEN)
    view = Replication.of(job).document()
    assert view["failure"]["code"] == "budget_exceeded"
    assert view["dead_letter_id"] == letter.id
    assert world.queues.waiting == []


def test_a_held_plan_waits_beyond_the_deadline_and_is_never_failed() -> None:
    world = world_with("60")
    export(world)
    world.run()
    for _ in range(5):
        world.clock.advance(86_400)
        world.app.sweep.run()
        world.run()
        assert world.job(ID).held_by_budget
    assert len(world.letters.letters) == 1
    assert world.gallery.writes == []


def test_a_plan_tells_beforehand_whether_it_would_be_held() -> None:
    world, free = world_with("60"), build_world()
    for one in (world, free):
        one.gallery.add(ID, version_body())
    plan = world.app.planner.plan(ID)
    assert plan is not None
    assert (plan.held or "").startswith("budget labs of all its galleries is 60.00 USD a month")
    assert world.controls.all() == ()
    plan = free.app.planner.plan(ID)
    assert plan is not None
    assert plan.held is None


def test_an_operator_releases_a_held_plan() -> None:
    world = world_with("60")
    export(world)
    world.run()
    world.clock.advance(7 * 86_400)
    released = world.app.operations.releaser.release(ID.key, by="Casey")
    assert released is not None
    assert released.done
    assert released.reason.startswith("released by Casey although over budget labs")
    (letter,) = world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED
    assert world.job(ID).letter_id is None
    world.run()
    assert states(world) == dict.fromkeys(US_NEIGHBOURS, "completed")
    assert len(world.gallery.writes) == 1
    again = world.app.operations.releaser.release(ID.key, by="Casey")
    assert again is not None
    assert not again.done
    assert again.reason.startswith("it is not held by a budget, it is succeeded")
    assert world.app.operations.releaser.release("0" * 32, by="Casey") is None


def test_replaying_its_letter_asks_the_budget_again() -> None:
    world = world_with("60")
    export(world)
    world.run()
    (letter,) = world.letters.letters.values()
    assert world.app.dead_letters.act(letter.id, LetterAction.REPLAY, by="Casey").done
    world.run()
    assert world.job(ID).held_by_budget
    (letter,) = world.letters.letters.values()
    assert letter.state is LetterState.OPEN


def test_the_policy_releases_a_held_plan_with_the_next_sweep() -> None:
    world = world_with("60")
    export(world)
    world.run()
    raised = ReplicationPolicy(budgets=(Budget(name="labs", monthly=Decimal(500)),))
    priced(world, raised)
    assert [one.reason for one in world.app.sweep.run().findings] == [
        "it is held by a budget, and the policy has changed"
    ]
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    (letter,) = world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED


def test_plans_share_a_budget_and_the_first_come_are_served() -> None:
    world = world_with(str(3 * PLAN))
    ids = [version_id(version=f"1.0.{number}") for number in range(4)]
    for one in ids:
        world.gallery.add(one, version_body())
        world.app.intake.receive(written_event(one, at=world.clock()), {})
    world.run()
    held = [one for one in ids if world.job(one).held_by_budget]
    assert len(held) == 1
    assert all(world.job(one).phase is Phase.SUCCEEDED for one in ids if one not in held)


def test_what_was_deleted_makes_room_by_the_next_day() -> None:
    world = world_with(str(PLAN + 20))
    export(world)
    other = version_id(version="2.0.0")
    world.gallery.add(other, version_body())
    world.app.intake.receive(written_event(other, at=world.clock()), {})
    world.run()
    (held,) = [one for one in (ID, other) if world.job(one).held_by_budget]
    (kept,) = [one for one in (ID, other) if one is not held]
    del world.gallery.bodies[str(kept).lower()]
    world.app.sweep.run()
    world.run()
    assert world.job(kept).phase is Phase.SUPERSEDED
    assert world.job(held).held_by_budget
    world.clock.advance(86_400)
    world.app.sweep.run()
    world.run()
    assert world.job(held).phase is Phase.SUCCEEDED


def test_a_budget_for_each_gallery_leaves_the_others_alone() -> None:
    world = world_with(str(PLAN + 10), each_gallery=True)
    one, other = version_id(gallery="labs"), version_id(gallery="shop")
    for each in (one, other):
        world.gallery.add(each, version_body())
        world.app.intake.receive(written_event(each, at=world.clock()), {})
    world.run()
    assert world.job(one).phase is world.job(other).phase is Phase.SUCCEEDED


def test_a_plan_that_fits_one_budget_and_not_the_other_is_entered_in_neither() -> None:
    wide = Budget(name="wide", monthly=Decimal(1000))
    narrow = Budget(name="narrow", monthly=Decimal(1))
    world = world_of(wide, narrow)
    export(world)
    world.run()
    failure = world.job(ID).failure
    assert failure is not None
    assert failure.code is FailureCode.BUDGET_EXCEEDED
    assert "budget narrow" in failure.message
    rows = {row.document["budget"]: row.document for row in world.controls.all()}
    assert rows["wide"]["commitments"] == rows["narrow"]["commitments"] == []


def test_a_version_that_is_deleted_while_it_is_held_ends_superseded() -> None:
    world = world_with("60")
    export(world)
    world.run()
    del world.gallery.bodies[str(ID).lower()]
    world.app.sweep.run()
    world.run()
    assert world.job(ID).phase is Phase.SUPERSEDED
    (letter,) = world.letters.letters.values()
    assert letter.state is LetterState.RESOLVED


def test_a_plan_goes_whole_even_where_its_regions_are_added_one_by_one() -> None:
    world = world_with(str(PLAN + 20))
    export(world)
    stored = world.store.load(ID.key)
    assert stored is not None
    world.store.replace(stored, replace(stored.job, one_by_one=True))
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 8
