"""What docs/reconciliation.md says about figures and words is what the code does."""

import re
from decimal import Decimal

import pytest

from costs.bill.text import Kind, read_unit
from costs.reconciliation.lines import Verdict
from costs.reconciliation.sizes import LEAST_DAYS
from costs.reconciliation.verdicts import LATE, LEAST_DIFFERENCE, SHARE
from tests.support.documents import DOCS, table_rows

PAGE = DOCS / "reconciliation.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())


def test_the_page_has_every_verdict() -> None:
    assert [row[0] for row in table_rows(PAGE)] == [one.value for one in Verdict]


def test_the_page_names_the_tolerance() -> None:
    percent = f"{SHARE * 100:.0f}"
    assert f"both agree within {percent} %, or within {LEAST_DIFFERENCE} where" in TEXT
    # The longest month against the hours that a price list counts with.
    assert Decimal("0.018") < Decimal(744) / 730 - 1 < SHARE


def test_the_page_names_when_a_size_is_kept() -> None:
    assert LATE.days == 3
    assert "and three days have passed since" in TEXT
    assert f"stood for {LEAST_DAYS} days or more" in TEXT


@pytest.mark.parametrize(
    "unit", re.findall(r'"([^"]+)"', TEXT.partition("## Units")[2].partition(" are known")[0])
)
def test_the_units_on_the_page_are_known(unit: str) -> None:
    assert read_unit(unit, Kind.STORAGE) is not None
