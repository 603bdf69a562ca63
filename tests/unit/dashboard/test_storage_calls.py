"""A page costs the same, however many replications there are."""

from collections import Counter
from dataclasses import replace

import pytest

from replication.domain.errors import FailureCode
from replication.domain.job import Phase
from replication.ports import LetterState
from tests.support.dashboard.counting import count_calls
from tests.support.dashboard.pages import ask
from tests.support.dashboard.worlds import add_job, troubled_world
from tests.support.fakes import World
from tests.support.http.serving import Serve

PAGES = {
    "/dashboard": "Overview",
    "/dashboard/replications": "Replications",
    "/dashboard/replications?phase=tracking&gallery=labgallery": "Replications",
    "/dashboard/replications?geography=United+States&sort=newest": "Replications",
    "/dashboard/replications?sort=name": "Replications",
    "/dashboard/replications?stuck=yes": "Replications",
    "/dashboard/replications?search=mat": "Replications, searched",
    "/dashboard/replications/{key}": "One replication",
    "/dashboard/dead-letters": "Dead letters",
    "/dashboard/dead-letters?failure_code=locked&state=replayed": "Dead letters",
    "/dashboard/dead-letters?region=westus2": "Dead letters, of a region",
    "/dashboard/dead-letters/{letter}": "One dead letter",
    "/dashboard/regions": "Regions",
    "/dashboard/policy": "Policy",
    "/dashboard/actions": "Actions",
}
FEW, MANY = 10, 1_000
# The rows of counts and hours: eight for each phase, for "stuck", for replicas, and for an hour.
MOST_COUNTS = 8 * (len(Phase) + 2)
MOST_HOURS = 8 * 24
# Likewise eight for each failure code.
MOST_LETTER_COUNTS = 8 * len(FailureCode)
LIST_LIMIT = 50


def world_of(jobs: int) -> World:
    """Return a world with so many jobs, some stuck, some failed, some waiting."""
    world = troubled_world()
    phases = (Phase.TRACKING, Phase.FAILED, Phase.PARTIAL, Phase.WAITING, Phase.SUCCEEDED)
    for number in range(10, 10 + jobs):
        phase = phases[number % len(phases)]
        add_job(world, number, phase=phase, stuck=phase is Phase.TRACKING and number % 2 == 0)
    for number in range(5_000, 5_005):
        add_job(world, number, stuck=True)
    (letter,) = (one for one in world.letters.letters.values() if one.code == "copy_failed")
    for number in range(jobs):
        state = tuple(LetterState)[number % 3]
        world.letters.put(replace(letter, id=f"{number:032x}", state=state))
    return world


def asked(world: World, serve: Serve, address: str) -> tuple[Counter[str], Counter[str]]:
    """Return the calls of a page, and the rows that it read."""
    counting, calls = count_calls(world)
    serve(counting)
    found = address.format(
        key=next(iter(world.store.rows)), letter=next(iter(world.letters.letters))
    )
    assert ask(found).status == 200
    return Counter(calls.calls), Counter(calls.rows)


@pytest.mark.slow
def test_a_page_costs_no_more_with_a_thousand_replications_than_with_ten(serve: Serve) -> None:
    few, many = world_of(FEW), world_of(MANY)
    for address in PAGES:
        # A page that is full already leaves out the ranges that come after it.
        assert asked(many, serve, address)[0] <= asked(few, serve, address)[0], address


@pytest.mark.slow
def test_a_list_reads_one_row_more_than_it_shows(serve: Serve) -> None:
    many = world_of(MANY)
    for address, title in PAGES.items():
        if title.startswith("Replications"):
            calls, rows = asked(many, serve, address)
            assert set(calls) == {"listing.between"}
            assert rows["listing"] <= LIST_LIMIT + 1
        if title.startswith("Dead letters"):
            calls, rows = asked(many, serve, address)
            causes = len(many.letters.causes())
            assert set(calls) == {"letters' listing.between"}
            assert rows["letters' listing"] <= LIST_LIMIT + 1 + causes + MOST_LETTER_COUNTS
    rows = asked(many, serve, "/dashboard")[1]
    shown = 4 * (5 + 1)  # what is stuck, failed, partial and waiting
    assert rows["listing"] <= shown + MOST_COUNTS + MOST_HOURS


@pytest.mark.parametrize("cursor_pages", [3])
def test_all_pages_together_show_every_replication_once(serve: Serve, cursor_pages: int) -> None:
    world = serve(world_of(LIST_LIMIT * (cursor_pages - 1)))
    keys: list[str] = []
    query = ""
    for _ in range(cursor_pages + 1):
        page = ask(f"/dashboard/replications.json{query}").json
        keys += [one["key"] for one in page["items"]]
        if page["next"] is None:
            break
        query = f"?cursor={page['next']}"
    assert sorted(keys) == sorted(world.store.rows)
