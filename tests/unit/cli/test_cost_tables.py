"""The tables of `costs` for what Azure tells: nobody's versions, orphans, ghosts; and budgets."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from bootstrap.app import build_app
from bootstrap.costs import open_costs
from cli.tables.costs import money
from costs.pricing.estimator import Estimates
from costs.report.usage import Machine
from replication.domain.policy import Budget, ReplicationPolicy
from tests.support.builders import version_body, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.fakes import World, build_world
from tests.unit.cli.conftest import Shell

REGIONS = (
    *("eastus", "eastus2", "westus", "westus2", "westus3", "centralus"),
    *("northcentralus", "southcentralus", "westcentralus"),
)
OLD, NEW, GONE = (version_id(version=f"{number}.0.0") for number in (1, 2, 3))
STRANGER = version_id(image="physics")


@dataclass(frozen=True)
class OneMachine:
    """Somebody runs the newer version."""

    def all(self) -> Iterator[Machine]:
        yield Machine(kind="microsoft.compute/virtualmachines", image=str(NEW))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with an orphan, a ghost, a used and an unused version."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    world = build_world()
    policy = ReplicationPolicy(
        budgets=(
            Budget(name="all", monthly=Decimal(1000)),
            Budget(name="each", monthly=Decimal(1), each_gallery=True),
        )
    )
    ports = replace(
        world.app.ports,
        blobs=MemoryBlobs(),
        machines=OneMachine(),
        estimates=Estimates(book=lambda _: full_book(REGIONS)),
    )
    world.app = build_app(world.app.settings, ReplicationPolicy(), ports)
    for one in (OLD, NEW, GONE):
        world.gallery.add(one, version_body())
        world.app.intake.request(one, trigger="a test", correlation_id="corr-1")
    world.run()
    del world.gallery.bodies[str(GONE).lower()]
    world.gallery.add(STRANGER, version_body())
    world.app = build_app(world.app.settings, policy, ports)
    open_costs(world.app).price_books.save(full_book(REGIONS))
    return world


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
