"""`status --watch` follows what happens, and its exit code is what came of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from rich.console import Console

from api.schemas.replications import Region
from api.schemas.replications import ReplicationDetail as Detail
from cli.tables.progress import eta_s, progress_picture
from replication.domain.errors import FailureCode, PermanentError
from replication.domain.job import Phase
from tests.support.builders import version_body, version_id
from tests.support.fakes import World
from tests.support.http.serving import Canned, Site
from tests.support.shell import Shell

ID = version_id()
GONE = Canned(status=503, body=b"")


def exported(world: World) -> None:
    world.gallery.add(ID, version_body())
    world.app.intake.request(ID, trigger="a test", correlation_id="corr-1")


def working(world: World, slept: list[float] | None = None) -> Callable[[float], None]:
    """Return a sleep in which the app works on, by the world's own clock."""

    def sleep(seconds: float) -> None:
        if slept is not None:
            slept.append(seconds)
        until = world.clock() + timedelta(seconds=seconds)
        world.run(until=until)
        world.clock.now = max(world.clock.now, until)

    return sleep


@pytest.fixture(params=["shell", "far"])
def either(request: pytest.FixtureRequest) -> Shell:
    shell: Shell = request.getfixturevalue(request.param)
    return shell


def test_a_replication_is_followed_until_it_has_succeeded(world: World, either: Shell) -> None:
    exported(world)
    slept: list[float] = []
    either.surroundings["sleep"] = working(world, slept)
    answer = either("status", ID.key, "--watch", "--interval", "300")
    assert (answer.code, answer.err) == (0, "")
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert set(slept) == {300.0}
    lines = [line.split(" ", 1)[1] for line in answer.out.splitlines()]
    assert [one.split(":")[0] for one in lines if "succeeded:" in one] == ["succeeded"]
    west = [one for one in lines if one.startswith("westus3 ")]
    assert west[0].startswith("westus3 planned: ")
    assert west[-1].startswith("westus3 completed 100 %: ")
    assert len(lines) == len(set(lines))


def test_a_replication_that_fails_ends_with_one(world: World, either: Shell) -> None:
    exported(world)
    world.gallery.write_failures = [PermanentError("locked", code=FailureCode.LOCKED)]
    either.surroundings["sleep"] = working(world)
    answer = either("status", str(ID), "--watch")
    assert (answer.code, answer.err) == (1, "")
    assert " failed: " in answer.out


def test_what_has_ended_already_is_told_at_once(world: World, shell: Shell) -> None:
    exported(world)
    world.run()
    slept: list[float] = []
    shell.surroundings["sleep"] = slept.append
    assert shell("status", ID.key, "--watch").code == 0
    assert slept == []


def test_as_json_each_change_is_one_line(world: World, either: Shell) -> None:
    exported(world)
    either.surroundings["sleep"] = working(world)
    answer = either("status", ID.key, "--watch", "--interval", "60", "--json")
    views = [json.loads(line) for line in answer.out.splitlines()]
    assert answer.code == 0
    assert Detail.of_document(views[-1]) == world.app.queries.replication(ID.key)
    assert all(one != other for one, other in pairwise(views))


def interrupt(_: float) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("args", [[ID.key], []])
def test_ctrl_c_ends_it_in_one_sentence(world: World, either: Shell, args: list[str]) -> None:
    exported(world)
    either.surroundings["sleep"] = interrupt
    answer = either("status", *args, "--watch")
    assert (answer.code, answer.err) == (130, "Stopped watching; what was watched goes on.\n")
    assert answer.out


def test_the_table_is_followed_with_a_line_for_each_change(world: World, shell: Shell) -> None:
    exported(world)
    left = [3]

    def sleep(_: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        world.run()

    shell.surroundings["sleep"] = sleep
    answer = shell("status", "--watch", "--gallery", "labgallery")
    lines = answer.out.splitlines()
    assert [one.split(":")[0] for one in lines] == [
        f"{ID.key} labgallery/maths/1.0.0 planned",
        f"{ID.key} labgallery/maths/1.0.0 succeeded",
    ]


def test_a_look_that_nobody_answers_is_repeated(world: World, far: Shell, site: Site) -> None:
    exported(world)
    works = working(world)
    troubles = [[GONE] * 3]

    def sleep(seconds: float) -> None:
        works(seconds)
        site.canned = troubles.pop() if troubles else []

    far.surroundings["sleep"] = sleep
    answer = far("status", ID.key, "--watch", "--interval", "300")
    assert answer.code == 0
    said = f"{site.root} answers 503, and the app does not say why"
    assert answer.err == f"Nobody answered: {said}; it is tried again.\n"


def test_a_first_look_that_nobody_answers_has_failed(world: World, far: Shell, site: Site) -> None:
    exported(world)
    site.canned = [GONE] * 3
    answer = far("status", ID.key, "--watch")
    assert (answer.code, answer.out) == (1, "")


def test_what_is_no_longer_the_app_ends_it(world: World, far: Shell, site: Site) -> None:
    exported(world)

    def sleep(_: float) -> None:
        site.canned = [Canned(status=404, body=b"", media_type="text/plain")]

    far.surroundings["sleep"] = sleep
    assert far("status", ID.key, "--watch").code == 1


def test_what_is_not_on_record_is_not_found(either: Shell) -> None:
    answer = either("status", ID.key, "--watch")
    assert (answer.code, answer.out) == (3, "")


@pytest.mark.parametrize(
    "args",
    [["--interval", "5"], ["--watch", "--interval", "0"], ["--watch", "--interval", "99999"]],
)
def test_what_cannot_be_meant_is_wrong_usage(closed_shell: Shell, args: list[str]) -> None:
    assert closed_shell("status", *args).code == 2


def test_the_picture_has_a_bar_for_each_region_and_those_under_way_first(world: World) -> None:
    exported(world)
    world.gallery.slowness = {"westus3": 1e9}
    world.run(until=world.clock() + timedelta(hours=3))
    view = world.app.queries.replication(ID.key)
    assert view is not None
    names = {one.region for one in view.regions}
    console = Console(width=100)
    with console.capture() as captured:
        console.print(progress_picture(view, now=world.clock()))
    lines = captured.get().splitlines()
    assert lines[1].split() == ["Phase", "tracking,", "stuck"]
    rows = [line.split()[0] for line in lines if line.startswith(tuple(names))]
    assert set(rows) == names
    assert rows[0] == "westus3"
    assert "7 of 8 ready" in captured.get()


def region(world: World, **changes: object) -> Region:
    now = world.clock()
    exported(world)
    shown = Region.of(world.job(ID).replicas[0]).document()
    since, moved = now - timedelta(minutes=12), now - timedelta(minutes=2)
    moments = {"copying_since": since.isoformat(), "progressed_at": moved.isoformat()}
    copying = {"state": "replicating", "progress": 25, **moments}
    return Region.of_document({**shown, **copying, **changes})


def test_a_copy_is_expected_at_its_speed_so_far(world: World) -> None:
    # A quarter took ten minutes, three quarters take thirty, and two have passed.
    assert eta_s(region(world), now=world.clock()) == 28 * 60
    assert eta_s(region(world), now=world.clock() + timedelta(hours=9)) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"state": "completed"},
        {"state": "failed"},
        {"progress": None},
        {"progress": 0},
        {"progress": 101},
        {"copying_since": None},
        {"progressed_at": None},
        {"progressed_at": "2020-01-01T00:00:00Z"},
        {"copying_since": "2020-01-01T00:00:00Z"},
        {"stuck": {"since": "2020-01-01T00:00:00Z", "expected_percent_per_min": None}},
    ],
    ids=str,
)
def test_nothing_is_expected_where_nothing_can_be_told(
    world: World, change: dict[str, object]
) -> None:
    assert eta_s(region(world, **change), now=world.clock()) is None


def test_a_view_changed_in_nothing_but_its_region_is_one_line(world: World, shell: Shell) -> None:
    exported(world)
    world.run(until=world.clock() + timedelta(seconds=60))
    count = [0]

    def sleep(_: float) -> None:
        count[0] += 1
        if count[0] == 2:
            raise KeyboardInterrupt
        stored = world.store.load(ID.key)
        assert stored is not None
        first = stored.job.replicas[0]
        world.store.replace(stored, stored.job.with_replicas(replace(first, progress=42)))

    shell.surroundings["sleep"] = sleep
    before_that = len(world.job(ID).replicas) + 1
    lines = shell("status", ID.key, "--watch").out.splitlines()
    assert len(lines) == before_that + 1
    assert " 42 %: " in lines[-1]
