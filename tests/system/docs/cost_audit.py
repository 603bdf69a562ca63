"""Follow one image from plan to bill, and write docs/cost-audit.md from what the commands say.

`python -m tests.system.docs.cost_audit` writes the page anew.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bootstrap.app import build_app
from costs.ports import CostPorts
from costs.pricing.price_book import PriceBooks
from replication.domain.policy import ReplicationPolicy
from tests.support.builders import version_body, version_id, written_event
from tests.support.costs.bills import EA, bill_row, write_csv
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.documents import DOCS
from tests.support.fakes import World, build_world
from tests.support.shell import Shell

PAGE = DOCS / "cost-audit.md"
REGIONS = ("uksouth", "ukwest")
EXPORTED = datetime(2026, 11, 23, 9, tzinfo=UTC)
FIRST = version_id(gallery="labs", image="biology-101", version="1.0.0")
SECOND = version_id(gallery="labs", image="biology-101", version="1.0.1")
OCCUPIED_GB = Decimal(42)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the commands said, one after another."""

    plan: dict[str, Any]
    report: dict[str, Any]
    bill: dict[str, Any]
    next_plan: dict[str, Any]


def tell(folder: Path) -> Story:
    """Export an image, let the month pass, reconcile its bill, and plan the next version."""
    world = _world()
    shell = Shell(open_app=lambda: world.app, folder=folder, env={})
    world.gallery.add(FIRST, version_body(location="uksouth"))
    plan = _json(shell, "plan", str(FIRST))
    world.app.intake.receive(written_event(FIRST, at=world.clock()), {})
    world.run()
    world.clock.now = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
    assert shell("costs", "audit").code == 0
    month = ("--from", "2026-11", "--to", "2026-11")
    report = _json(shell, "costs", *month, "--group-by", "region", "--no-azure")
    world.clock.now = datetime(2026, 12, 5, 9, tzinfo=UTC)
    bill = _json(shell, "costs", "reconcile", str(_bill(folder / "november.csv")))
    world.gallery.add(SECOND, version_body(location="uksouth"))
    world.clock.advance(3601)  # a process keeps what it read of sizes for an hour
    return Story(plan=plan, report=report, bill=bill, next_plan=_json(shell, "plan", str(SECOND)))


def page(story: Story) -> str:
    """Return the page."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, of our own figures
    )
    templates.filters |= {"cents": _cents, "plain": _plain}
    (total,), (sums,) = story.report["totals"], story.bill["totals"]
    (learned,) = story.bill["learned"]
    return templates.get_template("cost_audit.md.jinja").render(
        exported=f"{EXPORTED:%d %B %Y}",
        occupied=OCCUPIED_GB,
        plan=story.plan["cost"],
        total=total,
        groups=sorted(story.report["groups"]["items"], key=lambda one: one["key"]["region"]),
        ledger_rows=story.report["rows"],
        sums=sums,
        lines=story.bill["lines"],
        learned=learned,
        bill_rows=story.bill["rows"],
        later=story.next_plan["cost"],
    )


def _world() -> World:
    world = build_world()
    blobs = MemoryBlobs()
    books = PriceBooks(blobs=blobs, clock=world.clock)
    world.clock.now = datetime(2026, 11, 1, tzinfo=UTC)
    books.save(full_book(REGIONS))
    world.clock.now = EXPORTED
    ports = replace(world.app.ports, costs=CostPorts(blobs=blobs))
    world.app = build_app(world.app.settings, ReplicationPolicy(), ports)
    return world


def _bill(path: Path) -> Path:
    days = [date(2026, 11, day) for day in range(23, 31)]
    storage = {"quantity": OCCUPIED_GB / 30, "cost": OCCUPIED_GB / 30 * Decimal("0.05")}
    rows = [
        bill_row(day=day, resource=str(FIRST), region=region, **storage)
        for day in days
        for region in REGIONS
    ]
    transfer = bill_row(
        day=days[0],
        resource=str(FIRST),
        region="uksouth",
        meter="Standard Inter-Region Data Transfer",
        unit="1 GB",
        quantity=OCCUPIED_GB,
        cost=OCCUPIED_GB * Decimal("0.02"),
    )
    return write_csv(path, [*rows, transfer], layout=EA)


def _json(shell: Shell, *words: str) -> dict[str, Any]:
    answer = shell(*words, "--json")
    assert answer.code == 0, answer.err
    found: dict[str, Any] = answer.json
    return found


def _cents(amount: str | float | None) -> str:
    return "unknown" if amount is None else f"{Decimal(str(amount)):.2f}"


def _plain(amount: str) -> str:
    return f"{Decimal(amount).normalize():f}"


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        PAGE.write_text(page(tell(Path(scratch))), encoding="utf-8")
