"""`status` shows what is on record."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console

from cli.tables.progress import progress_picture
from cli.tables.replications import replication_list
from replication.domain.errors import FailureCode, PermanentError, TransientError
from replication.domain.image_version import ImageVersionId
from replication.domain.regions import Region
from replication.listing.query import ListQuery
from tests.support.builders import version_body, version_id
from tests.support.fakes import World
from tests.support.letter_worlds import lay_job
from tests.support.shell import Shell


def enrol(world: World, *ids: ImageVersionId) -> None:
    for one in ids:
        world.gallery.add(one, version_body())
        world.app.intake.request(one, trigger="a test", correlation_id="corr-1")


def test_one_replication_is_shown_with_its_regions_and_timeline(world: World, shell: Shell) -> None:
    enrol(world, version_id())
    world.run()
    answer = shell("status", str(version_id()).upper())
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert "Phase          succeeded" in lines
    assert [line.split()[:4] for line in lines if line.startswith("westus3 ")] == [
        ["westus3", "completed", "100", "%"]
    ]
    assert any(line.startswith("2026-11-23T08:00:00.000Z  planned") for line in lines)


def test_the_key_serves_as_well_as_the_id(world: World, shell: Shell) -> None:
    enrol(world, version_id())
    by_key = shell("status", version_id().key.upper(), "--json")
    by_id = shell("status", str(version_id()), "--json")
    assert (by_key.code, by_key.json) == (0, by_id.json)
    assert by_key.json == _view(world)


def test_a_region_whose_copies_fail_is_shown_so_and_showing_it_is_done(
    world: World, shell: Shell
) -> None:
    enrol(world, version_id())
    world.gallery.failing = {"westus3": 1000}
    world.run()
    answer = shell("status", version_id().key)
    assert answer.code == 0
    assert "Phase          partial" in answer.out.splitlines()
    assert [line.split()[1] for line in answer.out.splitlines() if line.startswith("westus3 ")] == [
        "failed"
    ]


def test_a_failed_replication_is_shown_with_its_cause_and_showing_it_is_done(
    world: World, shell: Shell
) -> None:
    enrol(world, version_id())
    world.gallery.write_failures = [PermanentError("no [write] here", code=FailureCode.LOCKED)]
    world.run()
    answer = shell("status", version_id().key)
    assert answer.code == 0
    assert "Phase          failed" in answer.out.splitlines()
    assert "Failure        locked: no [write] here" in answer.out.splitlines()


def test_a_failure_says_what_it_means_and_where_its_dead_letter_is(
    world: World, shell: Shell
) -> None:
    letter = lay_job(world, version_id())
    lines = shell("status", version_id().key).out.splitlines()
    view = _view(world)
    show = f"gallery-replicator dead-letters show {letter.id[:12]}"
    assert f"Meaning        {view['failure']['advice']}" in lines
    assert "Runbook        docs/runbook.md#locked" in lines
    assert f"Dead letter    {letter.id} ({show})" in lines
    assert shell(*show.split()[1:]).code == 0


def test_without_a_failure_there_is_no_advice_and_no_letter(world: World, shell: Shell) -> None:
    enrol(world, version_id())
    world.run()
    out = shell("status", version_id().key).out
    assert not any(word in out for word in ("Meaning", "Runbook", "Dead letter", "Stuck", "stuck"))


def test_a_stuck_region_is_shown_with_since_when_and_the_speed_expected(
    world: World, shell: Shell
) -> None:
    enrol(world, version_id())
    world.gallery.slowness = {"westus3": 1e9}
    world.run(until=world.clock() + timedelta(hours=3))
    since = _region(world, "westus3")["stuck"]["since"]
    answer = shell("status", version_id().key)
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert "Phase          tracking, stuck" in lines
    said = f"westus3: no progress since {since}, no progress was ever seen"
    assert f"Stuck          {said}" in lines
    shown = {line.split()[0]: line.split()[1:3] for line in lines if line.startswith("westus")}
    assert (shown["westus3"], shown["westus"][0]) == (["replicating,", "stuck"], "completed")
    assert "tracking, stuck" in shell("status").out


def test_a_copy_that_stopped_half_way_is_shown_with_its_speed_before(
    world: World, shell: Shell
) -> None:
    enrol(world, version_id())
    world.gallery.slowness = {"westus3": 1e9}
    world.run(until=world.clock() + timedelta(hours=3))
    stored = world.store.load(version_id().key)
    assert stored is not None
    replica = stored.job.replica(Region("westus3"))
    assert replica is not None
    assert replica.copying_since is not None
    moved_at = replica.copying_since + timedelta(minutes=20)
    half_way = replace(replica, progress=50, progressed_at=moved_at, stuck_since=moved_at)
    world.store.replace(stored, stored.job.with_replicas(half_way))
    since = _region(world, "westus3")["stuck"]["since"]
    said = f"westus3: no progress since {since}, 2.5 % a minute expected"
    assert f"Stuck          {said}" in shell("status", version_id().key).out.splitlines()


def _region(world: World, name: str) -> dict[str, Any]:
    (found,) = [one for one in _view(world)["regions"] if one["region"] == name]
    region: dict[str, Any] = found
    return region


def _view(world: World) -> dict[str, Any]:
    view = world.app.queries.replication(version_id().key)
    assert view is not None
    return view.document()


def test_regions_left_out_are_shown_with_the_reason(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body(mode="Shallow"))
    world.app.intake.request(version_id(), trigger="a test", correlation_id="corr-1")
    answer = shell("status", version_id().key)
    assert answer.code == 0
    assert "left out" in answer.out
    assert "stays in its home region" in answer.out


def test_all_replications_are_listed_one_a_line_and_nothing_is_cut(
    world: World, shell: Shell
) -> None:
    ids = [version_id(version=f"1.0.{number}") for number in range(3)]
    enrol(world, *ids)
    answer = shell("status")
    heading, *rows = answer.out.splitlines()
    assert answer.code == 0
    assert heading.split()[:3] == ["KEY", "PHASE", "IMAGE"]
    assert sorted(row.split()[0] for row in rows) == sorted(one.key for one in ids)
    assert all(row.endswith(world.job(version_id(version="1.0.0")).reason) for row in rows)
    assert "\x1b" not in answer.out
    assert "0/8" in rows[0]


def test_in_a_terminal_a_replication_takes_two_lines_and_fits(world: World) -> None:
    enrol(world, version_id())
    items = world.app.queries.replications(ListQuery()).items
    console = Console(width=100)
    with console.capture() as captured:
        console.print(replication_list(items, stacked=True))
    first, second = [line.split() for line in captured.get().splitlines()[1:3]]
    assert first[:4] == ["labgallery/maths/1.0.0", "planned", "eastus", "0/8"]
    assert second[:3] == [version_id().key, "United", "States"]


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_cuts_neither_a_reason_nor_a_figure(world: World, width: int) -> None:
    enrol(world, version_id(image="biology-101-advanced"))
    world.gallery.slowness = {"westus3": 1e9}
    world.run(until=world.clock() + timedelta(hours=3))
    (one,) = world.app.queries.replications(ListQuery()).items
    console = Console(width=width)
    with console.capture() as captured:
        console.print(replication_list([one], stacked=True))
    lines = captured.get().splitlines()
    heading = next(line for line in lines if "REASON" in line)
    assert any(" 7/8 " in line for line in lines)
    # Every letter of the reason is there, wherever a line ends.
    below = lines[lines.index(heading) + 1 :]
    cells = "".join(line[heading.index("REASON") :] for line in below)
    assert "".join(one.reason.split()) in "".join(cells.split())
    with console.capture() as captured:
        console.print(progress_picture(one, now=world.clock()))
    rows = captured.get().splitlines()
    assert any("100 % completed" in row for row in rows)
    assert any("replicating, stuck" in row for row in rows)


def test_the_list_as_json_tells_whether_there_is_more(world: World, shell: Shell) -> None:
    enrol(world, *(version_id(version=f"1.0.{number}") for number in range(3)))
    cut = shell("status", "--json", "--limit", "2").json
    whole = shell("status", "--json", "--limit", "3").json
    assert (len(cut["items"]), cut["more"]) == (2, True)
    assert (len(whole["items"]), whole["more"]) == (3, False)


def test_a_list_longer_than_a_page_is_read_to_its_end(world: World, shell: Shell) -> None:
    enrol(world, *(version_id(version=f"1.0.{number}") for number in range(203)))
    answer = shell("status", "--json", "--limit", "1000")
    assert (len(answer.json["items"]), answer.json["more"]) == (203, False)


def test_a_cut_list_says_so(world: World, shell: Shell) -> None:
    enrol(world, version_id(), version_id(version="2.0.0"))
    answer = shell("status", "--limit", "1")
    assert answer.out.splitlines()[-1] == "The first 1; there are more: raise --limit."


def test_the_list_is_filtered_by_phase_gallery_and_geography(world: World, shell: Shell) -> None:
    enrol(world, version_id())
    world.run()
    enrol(world, version_id(gallery="other"))

    def keys(*args: str) -> set[str]:
        return {one["key"] for one in shell("status", "--json", *args).json["items"]}

    done, new = version_id().key, version_id(gallery="other").key
    assert keys() == {done, new}
    assert keys("--phase", "Succeeded") == {done}
    assert keys("--phase", "failed,planned", "--phase", "cancelled") == {new}
    assert keys("--gallery", "OTHER") == {new}
    assert keys("--geography", "United States") == {done, new}
    assert keys("--geography", "Norway") == set()


def test_what_changed_last_comes_first_unless_another_order_is_asked_for(
    world: World, shell: Shell
) -> None:
    for image in ("b", "c", "a"):
        enrol(world, version_id(image=image))
        world.clock.advance(60)

    def images(*args: str) -> list[str]:
        items = shell("status", "--json", *args).json["items"]
        return [one["image_version_id"].split("/")[-3] for one in items]

    assert images() == ["a", "c", "b"]
    assert images("--sort", "oldest") == ["b", "c", "a"]
    assert images("--sort", "name") == ["a", "b", "c"]
    assert images("--search", "C") == ["c"]


def test_only_what_is_stuck_is_listed_when_asked_for(world: World, shell: Shell) -> None:
    enrol(world, version_id(), version_id(gallery="other"))
    world.gallery.slowness = {"westus3": 1e9}
    world.run(until=world.clock() + timedelta(hours=3))
    world.gallery.slowness = {}
    enrol(world, version_id(image="fresh"))
    items = shell("status", "--stuck", "--json").json["items"]
    assert {one["key"] for one in items} == {version_id().key, version_id(gallery="other").key}


def test_an_empty_list_is_said_in_words(shell: Shell) -> None:
    answer = shell("status")
    assert (answer.code, answer.out) == (0, "No replication on record matches.\n")


@pytest.mark.parametrize("asked", [version_id().key, str(version_id())])
def test_what_is_not_on_record_is_not_found(shell: Shell, asked: str) -> None:
    answer = shell("status", asked, "--json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"Error: no replication is on record for {asked}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["maths"], "nor a key of 32 hex digits"),
        (["--phase", "done"], "phase is 'done'; it is one of applying, cancelled"),
        ([version_id().key, "--phase", "failed"], "--phase is for the table of all"),
        ([version_id().key, "--limit", "5"], "--limit is for the table of all"),
        ([version_id().key, "--stuck"], "--stuck is for the table of all"),
        ([version_id().key, "--sort", "name"], "--sort is for the table of all"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    closed_shell: Shell, args: list[str], said: str
) -> None:
    answer = closed_shell("status", *args)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_limit_out_of_bounds_is_wrong_usage(closed_shell: Shell) -> None:
    assert closed_shell("status", "--limit", "0").code == 2


def test_storage_out_of_reach_has_failed(world: World, shell: Shell) -> None:
    enrol(world, version_id())
    world.store.failures = [TransientError("storage: no route")]
    answer = shell("status")
    assert (answer.code, answer.out, answer.err) == (1, "", "Error: storage: no route\n")
