"""What the pages make of the record: the end of a copy, the class in the middle, the bars."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dashboard.views.bars import HEIGHT, Place, chart
from dashboard.views.common import jsonable
from dashboard.views.dead_letters import dead_letters, read_filters
from dashboard.views.overview import last_hours, median_class, overview
from dashboard.views.policy import policy_page
from dashboard.views.regions import Health, regions
from dashboard.views.replication import replication
from dashboard.views.runbook import runbook
from replication.domain.errors import FailureCode
from replication.domain.job import Phase, ReplicaState
from replication.domain.regions import Region
from replication.listing.jobs import HourOfCopies
from tests.support.builders import NOON, version_id
from tests.support.dashboard.worlds import add_job, lay_letter, troubled_world
from tests.support.fakes import build_world


def test_the_overview_says_what_is_stuck_since_when_and_what_comes_next() -> None:
    world = troubled_world()
    found = overview(world.app, world.clock())
    (stuck,) = found.stuck
    (region,) = stuck.regions
    assert (region.region, region.progress, region.percent_per_min) == ("westus2", 40, 1.0)
    assert region.allowed_s == 1800
    assert region.since == world.clock() - timedelta(minutes=80)
    assert stuck.next_attempt_at == world.clock() + timedelta(minutes=5)
    assert stuck.deadline_at == world.clock() + timedelta(hours=22)


def test_the_overview_counts_what_waits_for_a_person() -> None:
    world = troubled_world()
    found = overview(world.app, world.clock())
    assert (found.stuck_count, found.failed_count, found.letters_count) == (1, 1, 4)
    assert [one.region for one in found.held] == ["westus2"]
    assert [one.operation for one in found.cooldowns] == ["write"]
    assert [one.depth.name for one in found.paused] == ["replication-jobs"]
    assert found.phases["tracking"] == 2
    assert not found.is_quiet
    assert overview(build_world().app, NOON).is_quiet


def test_regions_that_fail_are_told_of_before_they_are_held_back_and_while_it_is_news() -> None:
    world = troubled_world()
    now = world.clock()
    (failing,) = overview(world.app, now).failing
    assert (failing.region, failing.failed_versions, failing.since) == ("eastus2", 1, now)
    later = now + timedelta(hours=25)
    assert overview(world.app, later).failing == ()
    assert [one.region for one in overview(world.app, later).held] == ["westus2"]
    troubled = [row for row in regions(world.app, later).geographies if row.is_troubled]
    assert all(
        cell.region != "eastus2" or cell.health is Health.FINE
        for row in troubled
        for cell in row.regions
    )


def test_a_stuck_job_whose_record_is_gone_is_shown_from_the_listing() -> None:
    world = troubled_world()
    world.store.rows.clear()
    (stuck,) = overview(world.app, world.clock()).stuck
    assert (stuck.listed.stuck_regions, stuck.regions) == (("westus2",), ())


def test_a_copy_ends_when_its_speed_says() -> None:
    world = build_world()
    job = add_job(world)
    found = replication(world.app, job.key, world.clock())
    assert found is not None
    copying = next(one for one in found.regions if one.is_copying)
    # 40 % in 40 minutes, last seen 80 minutes ago: it should be done by now.
    assert (copying.percent_per_min, copying.ends_at) == (1.0, world.clock())
    earlier = world.clock() - timedelta(minutes=60)
    at = replication(world.app, job.key, earlier)
    assert at is not None
    assert at.ends_at == world.clock() - timedelta(minutes=20)


def test_a_copy_without_progress_has_no_expected_end_nor_has_the_job() -> None:
    world = build_world()
    job = add_job(world, stuck=True)
    found = replication(world.app, job.key, world.clock())
    assert found is not None
    assert found.ends_at is None
    assert (found.completed, found.wanted) == (1, 2)
    stored = world.store.load(job.key)
    assert stored is not None
    asked = [
        replace(one, state=ReplicaState.REQUESTED, progress=None, stuck_since=None)
        for one in job.replicas
    ]
    world.store.replace(stored, replace(job, replicas=tuple(asked)))
    found = replication(world.app, job.key, world.clock())
    assert found is not None
    assert {one.ends_at for one in found.regions} == {None}
    assert replication(world.app, "0" * 32, NOON) is None


def test_a_plan_that_a_budget_holds_can_be_released() -> None:
    world = build_world()
    held = add_job(world, 1, phase=Phase.WAITING, code=FailureCode.BUDGET_EXCEEDED)
    failed = add_job(world, 2, phase=Phase.FAILED, code=FailureCode.COPY_FAILED)
    for job, is_held in ((held, True), (failed, False)):
        found = replication(world.app, job.key, world.clock())
        assert found is not None
        assert found.is_held is is_held


def test_open_letters_are_grouped_by_cause_the_most_first() -> None:
    world = build_world()
    for number, region in ((1, "westus"), (2, "westus2"), (3, "westus3")):
        code = FailureCode.LOCKED if number == 3 else FailureCode.COPY_FAILED
        failed = add_job(world, number, phase=Phase.FAILED, code=code, region=region)
        lay_letter(world, failed)
    asked, query = read_filters({"region": "westus2"})
    found = dead_letters(world.app, asked, query, world.clock())
    assert [(one.code, one.count) for one in found.groups] == [("copy_failed", 2), ("locked", 1)]
    assert found.groups[0].regions == ("westus", "westus2")
    assert found.groups[0].advice is not None
    assert [one.regions for one in found.items] == [["westus2"]]
    # The same fields are what the API takes to act on all of them.
    assert found.filters == {"region": "westus2"}
    asked, _ = read_filters({"failure_code": "locked", "code": "a-function-key"})
    assert asked == {"code": "locked"}


def test_regions_with_trouble_come_first() -> None:
    world = troubled_world()
    found = regions(world.app, world.clock())
    first = found.geographies[0]
    assert (first.geography, first.is_troubled) == ("United States", True)
    health = {one.region: one.health for row in found.geographies for one in row.regions}
    assert health["westus2"] is Health.HELD
    assert health["westus3"] is Health.REFUSED
    assert health["eastus2"] is Health.FAILING
    assert health["westus"] is Health.DENIED
    assert health["uksouth"] is Health.EXTRA
    assert health["eastus"] is Health.FINE
    assert sum(row.is_troubled for row in found.geographies) == 1


def test_the_policy_says_what_its_budgets_have_spent() -> None:
    world = troubled_world()
    found = policy_page(world.app, world.clock())
    (spent,) = found.spent
    assert (spent.budget, spent.amount, spent.unpriced) == ("all labs", Decimal("12.50"), 2)
    assert found.fingerprint == world.app.policy.fingerprint
    assert found.denied_regions == ("westus", "westus3")
    # What was counted last month says nothing of this one.
    assert policy_page(world.app, world.clock() + timedelta(days=30)).spent == ()


def test_the_last_day_has_an_hour_for_each_hour() -> None:
    now = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
    classes = (0, 0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0)
    full = HourOfCopies(
        hour=datetime(2026, 11, 23, 7, tzinfo=UTC), copies=4, total_s=4000.0, classes=classes
    )
    found = last_hours((full,), now)
    assert len(found) == 24
    assert (found[0].hour, found[-1].hour.hour) == (datetime(2026, 11, 22, 9, tzinfo=UTC), 8)
    assert (found[-2].copies, found[-2].mean_s, found[-2].median_class_s) == (4, 1000.0, 1200)
    assert (found[-1].copies, found[-1].mean_s, found[-1].median_class) == (0, None, 0)


def test_the_median_is_the_class_of_the_copy_in_the_middle() -> None:
    assert median_class((0, 0, 0)) is None
    assert median_class((1, 0, 0)) == 0
    assert median_class((1, 0, 2)) == 2
    assert median_class((2, 0, 2)) == 0


def test_bars_stand_on_the_line_and_the_highest_fills_the_drawing() -> None:
    places = [Place(label=f"{n}", value=n, told=f"{n} copies") for n in (0, 1, 1000)]
    found = chart(places, every=2)
    assert [one.label for one in found.bars] == ["0", "", "1000"]
    assert found.bars[0].height == 0
    assert found.bars[1].height == 2
    assert all(one.y + one.height == found.base for one in found.bars)
    assert found.bars[2].y < HEIGHT / 10
    assert chart([]).bars == ()


def test_a_chart_of_one_value_has_a_bar_in_its_middle_and_no_wall() -> None:
    found = chart([Place(label="2026-11", value=5, told="5")])
    (bar,) = found.bars
    assert bar.width < found.width / 4
    assert bar.x + bar.width / 2 == bar.middle == found.width / 2


def test_what_has_no_order_has_one_in_json() -> None:
    names = [f"region{number}" for number in range(10, 40)]
    assert jsonable({"regions": frozenset(map(Region, names))}) == {"regions": names}


def test_the_runbook_has_a_section_for_every_code() -> None:
    found = runbook()
    assert [one.code for one in found if not one.code] == [""]
    assert {one.code for one in found if one.has_letters} == {code.value for code in FailureCode}
    spans = [span for one in found for block in one.blocks for item in block.items for span in item]
    anchors = {span.anchor for span in spans if span.kind == "link"}
    assert anchors <= {f"#{one.code}" for one in found}
    assert not [span for span in spans if span.kind == "text" and "`" in span.text]


def test_a_replication_knows_its_image() -> None:
    world = build_world()
    job = add_job(world)
    found = replication(world.app, job.key, world.clock())
    assert found is not None
    assert found.version_id == version_id(version="1.0.1")
    assert Region("eastus").name == found.shown.home_region
