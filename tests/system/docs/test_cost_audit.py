"""docs/cost-audit.md says what the commands say, and its figures can be checked by hand."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.system.docs.cost_audit import OCCUPIED_GB, PAGE, Story, page, tell

STORAGE, TRANSFER = Decimal("0.05"), Decimal("0.02")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(Path(tmp_path_factory.mktemp("audit")))


def test_the_page_is_what_the_commands_say(story: Story) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(story), "write it anew: python -m tests.system.docs.cost_audit"


def test_the_plan_is_the_provisioned_size_at_the_price(story: Story) -> None:
    cost = story.plan["cost"]
    assert Decimal(str(cost["monthly"])) == 127 * STORAGE
    assert Decimal(str(cost["egress_once"])) == 127 * TRANSFER


def test_the_ledger_is_eight_days_of_two_replicas_and_one_transfer(story: Story) -> None:
    (total,) = story.report["totals"]
    storage = 2 * 8 * 127 * STORAGE / 30
    assert Decimal(total["storage"]) == storage.quantize(Decimal("0.000001"))
    assert Decimal(total["egress"]) == 127 * TRANSFER


def test_the_bill_is_what_is_occupied(story: Story) -> None:
    (sums,) = story.bill["totals"]
    billed = 2 * 8 * OCCUPIED_GB * STORAGE / 30 + OCCUPIED_GB * TRANSFER
    assert Decimal(sums["bill"]) == billed
    assert {one["verdict"] for one in story.bill["lines"]} == {"under"}


def test_the_next_plan_counts_with_what_the_bill_has_shown(story: Story) -> None:
    cost = story.next_plan["cost"]
    assert Decimal(str(cost["monthly"])) == OCCUPIED_GB * STORAGE
    assert cost["confidence"] == "medium"
