"""`costs what-if`: each question and all at once, on the real ledger, and nothing written."""

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bootstrap.app import build_app
from costs.ports import CostPorts
from replication.domain.policy import ReplicationPolicy
from tests.support.builders import version_body, version_id
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.fakes import World, build_world
from tests.support.shell import Shell

REGIONS = (
    *("eastus", "eastus2", "westus", "westus2", "westus3", "centralus"),
    *("northcentralus", "southcentralus", "westcentralus"),
)
# 127 GB at 0.05 USD.
REPLICA = Decimal("6.35")
OLD, NEW = version_id(version="1.0.0"), version_id(version="2.0.0")


@pytest.fixture
def blobs() -> MemoryBlobs:
    return MemoryBlobs()


@pytest.fixture
def world(blobs: MemoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with two versions in all of their regions, everything priced."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    world = build_world()
    ports = replace(world.app.ports, costs=CostPorts(blobs=blobs))
    world.app = build_app(world.app.settings, ReplicationPolicy(), ports)
    for one in (OLD, NEW):
        world.gallery.add(one, version_body())
        world.app.intake.request(one, trigger="a test", correlation_id="corr-1")
    world.run()
    world.app.costs.price_books.save(full_book(REGIONS))
    return world


def ask(shell: Shell, *args: str) -> dict[str, Any]:
    answer = shell("costs", "what-if", *args, "--json")
    assert (answer.code, answer.err) == (0, "")
    document: dict[str, Any] = answer.json
    return document


def regions(world: World) -> int:
    """Return how many regions of a version the ledger charges for."""
    return 1 + sum(one.listed_at is not None for one in world.job(OLD).replicas)


def monthly(document: dict[str, Any]) -> list[Decimal]:
    (one,) = document["monthly"]
    assert one["currency"] == "USD"
    return [Decimal(one[name]) for name in ("before", "after", "saving", "once")]


def test_denying_a_region_saves_its_replicas(world: World, shell: Shell) -> None:
    before = REPLICA * regions(world) * 2
    document = ask(shell, "--deny-region", "West US", "--deny-region", "westus2")
    assert monthly(document) == [before, before - 4 * REPLICA, 4 * REPLICA, 0]
    assert (document["regions_gone"], document["versions_gone"], document["day"]) == (
        4,
        0,
        "2026-11-23",
    )


def test_another_storage_type_is_priced_with_its_transfers(world: World, shell: Shell) -> None:
    count = regions(world) * 2
    document = ask(shell, "--storage-type", "premium_lrs")
    premium, transfers = 127 * Decimal("0.145") * count, 127 * Decimal("0.02") * (count - 2)
    assert monthly(document) == [
        REPLICA * count,
        premium,
        REPLICA * count - premium,
        transfers,
    ]
    assert document["regions_changed"] == count


def test_keeping_the_last_version_saves_the_others(world: World, shell: Shell) -> None:
    whole = REPLICA * regions(world)
    document = ask(shell, "--keep-last", "1")
    assert monthly(document) == [2 * whole, whole, whole, 0]
    assert (document["versions_gone"], document["versions_gone_in_use"]) == (1, None)
    assert "there is no Resource Graph to ask" in document["notes"][0]
    assert "Azure was not asked" in ask(shell, "--keep-last", "1", "--no-azure")["notes"][0]


def test_another_replica_count_multiplies_the_storage(world: World, shell: Shell) -> None:
    before = REPLICA * regions(world) * 2
    assert monthly(ask(shell, "--replica-count", "2")) == [before, 2 * before, -before, 0]


def test_all_at_once_is_one_answer_and_every_row_is_counted(world: World, shell: Shell) -> None:
    count = regions(world)
    document = ask(
        shell,
        *("--keep-last", "1", "--deny-region", "westus"),
        *("--storage-type", "Premium_LRS", "--replica-count", "3"),
    )
    left = count - 1
    assert monthly(document)[1] == 127 * Decimal("0.145") * left * 3
    assert (document["regions_gone"], document["regions_changed"]) == (count + 1, left)
    assert document["rows"] == {"read": 2 * count, "used": 2 * count, "set_aside": []}
    (gallery,) = document["galleries"]
    assert gallery["gallery_id"].endswith("/galleries/labgallery")
    assert gallery["saving"] == document["monthly"][0]["saving"]


def test_nothing_is_written(world: World, shell: Shell, blobs: MemoryBlobs) -> None:
    rows, kept = dict(world.store.rows), dict(blobs.blobs)
    writes, letters = list(world.gallery.writes), dict(world.letters.letters)
    ask(shell, "--keep-last", "1", "--storage-type", "Premium_LRS")
    assert shell("costs", "what-if", "--deny-region", "westus").code == 0
    assert (world.store.rows, blobs.blobs) == (rows, kept)
    assert (world.gallery.writes, world.letters.letters) == (writes, letters)


def test_the_table_tells_the_saving_and_that_nothing_was_written(
    world: World, shell: Shell
) -> None:
    answer = shell("costs", "what-if", "--deny-region", "westus")
    lines = [" ".join(line.split()) for line in answer.out.splitlines() if line.strip()]
    before = REPLICA * regions(world) * 2
    figures = f"USD {before} {before - 2 * REPLICA} 12.70 0.00"
    assert lines == [
        "A month at the ledger of 2026-11-23; nothing was written.",
        "GALLERY CURRENCY NOW THEN SAVING A MONTH ONCE",
        f"labgallery {figures}",
        f"in all {figures}",
        "0 versions and 2 replica regions would go, 0 would be kept otherwise.",
        f"{2 * regions(world)} rows read, {2 * regions(world)} used, 0 set aside",
    ]


def test_what_has_no_price_is_told_and_not_saved(world: World, shell: Shell) -> None:
    document = ask(shell, "--storage-type", "Standard_ZRS")
    assert document["rows"]["set_aside"] == []
    world.app.ports.costs.blobs.blobs.clear()  # type: ignore[union-attr] # blobs in memory
    document = ask(shell, "--deny-region", "westus")
    assert document["monthly"] == []
    assert sum(one["rows"] for one in document["rows"]["set_aside"]) == 2 * regions(world)
    assert document["rows"]["set_aside"][0]["reason"].startswith("no price: no price in USD for")
    assert document["regions_gone"] == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "name a change: --deny-region, --storage-type, --keep-last or --replica-count"),
        (("--deny-region", "  "), "--deny-region: "),
        (("--storage-type", "tape"), "--storage-type is 'tape'; it is one of Standard_LRS,"),
    ],
)
def test_a_question_that_cannot_be_meant_is_wrong_usage(
    closed_shell: Shell, args: tuple[str, ...], said: str
) -> None:
    answer = closed_shell("costs", "what-if", *args)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"Error: {said}")


@pytest.mark.parametrize(
    "args", [("--keep-last", "0"), ("--replica-count", "101"), ("--keep-last", "many")]
)
def test_numbers_out_of_their_range_are_wrong_usage(
    closed_shell: Shell, args: tuple[str, ...]
) -> None:
    assert closed_shell("costs", "what-if", *args).code == 2
