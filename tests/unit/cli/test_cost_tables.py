"""The tables of `costs` for what Azure tells: nobody's versions, orphans, ghosts; and budgets."""

import tempfile
from decimal import Decimal
from pathlib import Path

import pytest

from cli.tables.costs import money
from tests.support.costs.trouble import (
    STRANGER,
    world_of_trouble,
)
from tests.support.fakes import World
from tests.support.shell import Shell


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return world_of_trouble()


def section(text: str, title: str) -> list[str]:
    _, _, rest = text.partition(f"\n{title}\n")
    return [" ".join(line.split()) for line in rest.split("\n\n")[0].splitlines()]


def test_what_azure_tells_is_shown_with_what_it_costs(world: World, shell: Shell) -> None:
    answer = shell("costs", "--limit", "1")
    assert (answer.code, answer.err) == (0, "")
    unused = section(answer.out, "Versions that nobody uses")
    assert unused[0].startswith("2 versions, ")
    assert "no machine, scale set or lab that this identity sees (1 looked at)" in unused[0]
    assert unused[-1] == "and 1 more"
    superseded = section(answer.out, "Superseded versions: their definition has a newer one")
    assert superseded[0].startswith("2 versions, ")
    orphans = section(answer.out, "Orphans: in Azure, not on our books")
    assert orphans[0] == "1 version, 6.35 USD a month"
    assert orphans[-1].endswith(
        "eastus 6.35 USD no event told of the version yet; a sweep puts it on the books"
    )
    ghosts = section(answer.out, "Ghosts: on our books, not in Azure")
    assert ghosts[0].startswith("1 version, ")
    assert ghosts[-1].endswith("the version is not in Azure; a sweep takes it off the books")
    assert world.store.rows


def test_budgets_are_shown_with_their_state(world: World, shell: Shell) -> None:
    del world
    lines = section(shell("costs", "--no-azure").out, "Budgets")
    assert [line.split()[:2] for line in lines] == [
        ["BUDGET", "GALLERY"],
        ["all", "all"],
        ["each", "labgallery"],
    ]
    assert lines[1].endswith("% within")
    assert lines[2].endswith("% over")


def test_the_same_as_json(world: World, shell: Shell) -> None:
    del world
    report = shell("costs", "--json").json
    assert (report["unused"]["count"], report["orphans"]["count"], report["ghosts"]["count"]) == (
        2,
        1,
        1,
    )
    (orphan,) = report["orphans"]["items"]
    assert (orphan["image_version_id"], orphan["monthly"]) == (str(STRANGER), "6.35")
    (ghost,) = report["ghosts"]["items"]
    assert [one["currency"] for one in ghost["charged"]] == ["USD"]
    assert [one["state"] for one in report["budgets"]["items"]] == ["within", "over"]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (None, "-"),
        (Decimal(0), "0.00"),
        (Decimal("0.004"), "<0.01"),
        (Decimal("-0.004"), ">-0.01"),
        (Decimal("1.005"), "1.00"),
        (Decimal("12.345"), "12.34"),
    ],
)
def test_an_amount_is_shown_in_cents_and_a_missing_one_is_no_zero(
    amount: Decimal | None, shown: str
) -> None:
    assert money(amount) == shown
