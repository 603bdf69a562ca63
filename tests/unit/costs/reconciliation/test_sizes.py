"""What a bill tells about the size of an image is learned where it is safe, else told why not."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from costs.bill.model import BillLine, Covered
from costs.bill.text import Kind
from costs.pricing.sizes import OccupiedSize
from costs.reconciliation.lines import LedgerLine, pair
from costs.reconciliation.sizes import Learned, derive_sizes
from costs.reconciliation.verdicts import Circumstances, settle_quantities
from tests.support.builders import version_id
from tests.support.costs.verdicts import (
    ABOUT,
    DEFINITION,
    GALLERY,
    OTHER,
    VERSION,
    billed,
    booked,
    key,
)

EAST = key(region="eastus")


def learned(
    bill: list[BillLine], ledger: list[LedgerLine], about: Circumstances = ABOUT
) -> tuple[Learned, ...]:
    return derive_sizes(settle_quantities(pair(bill, ledger)), about)


def test_the_gb_of_a_replica_are_the_quantity_by_the_months_of_replicas() -> None:
    bill = [billed("1.20", "12"), billed("2.40", "24", EAST)]
    (one,) = learned(bill, [booked(), booked(at=EAST, replica_days=62, gb="60")])
    assert one.size == OccupiedSize(
        definition_id=DEFINITION.id,
        version="1.0.0",
        gb=Decimal(12),
        month="2026-10",
        source="bill",
    )
    assert (one.counted_gb, one.replica_months) == (Decimal(30), Decimal(3))
    assert one.average_of == 1
    assert one.why_not == ""


def test_half_a_month_of_a_replica_counts_half() -> None:
    (one,) = learned([billed("1.20", "6")], [booked(replica_days=31, days_in_month=31, gb="15")])
    assert one.size.gb == 6
    (half,) = learned([billed("1.20", "6.2")], [booked(replica_days=16)])
    assert (half.size.gb, half.why_not) == (Decimal("12.0125"), "")


def test_the_currency_of_the_bill_does_not_matter_for_the_size() -> None:
    (one,) = learned([billed(gb="12", at=key(currency="EUR"))], [booked()])
    assert (one.size.gb, one.why_not) == (Decimal(12), "")


def test_a_definition_of_several_versions_gives_their_average_to_the_newest() -> None:
    newer = booked(at=key(resource=OTHER), versions=(str(version_id(version="1.1.0")),))
    (one,) = learned([billed(gb="24", at=key(resource=DEFINITION))], [booked(), newer])
    assert (one.size.version, one.size.gb, one.average_of) == ("1.1.0", Decimal(12), 2)
    assert one.size.source == "bill, an average of 2 versions"


def test_a_size_that_was_not_known_before_is_learned() -> None:
    (one,) = learned([billed(gb="12")], [booked(None, None, gb_limit=None)])
    assert (one.counted_gb, one.why_not) == (None, "")


@pytest.mark.parametrize(
    ("bill", "ledger"),
    [
        ([billed()], []),
        ([], [booked()]),
        ([billed(at=key(resource=GALLERY))], [booked()]),
        ([billed(at=key(kind=Kind.TRANSFER))], [booked(at=key(kind=Kind.TRANSFER))]),
        ([billed(gb="0")], [booked()]),
        ([billed()], [booked(replica_days=0)]),
    ],
)
def test_there_is_nothing_to_learn_from_one_side_from_a_gallery_or_from_nothing(
    bill: list[BillLine], ledger: list[LedgerLine]
) -> None:
    assert learned(bill, ledger) == ()


WRONG_MONTH = {"2026-10": Covered(first=date(2026, 10, 1), last=date(2026, 10, 30))}


@pytest.mark.parametrize(
    ("bill", "ledger", "about", "why_not"),
    [
        (
            [billed(gb="12")],
            [booked()],
            replace(ABOUT, months=WRONG_MONTH),
            "the bill does not have the whole month yet",
        ),
        (
            [billed(gb="12", refund_rows=1)],
            [booked()],
            ABOUT,
            "there are refunds or corrections",
        ),
        (
            [billed(gb="12", equal_rows=1)],
            [booked()],
            ABOUT,
            "rows of the bill may be there twice",
        ),
        (
            [billed(gb="12", revised=True)],
            [booked()],
            ABOUT,
            "rows of the bill may be there twice",
        ),
        (
            [billed(gb="12")],
            [booked()],
            replace(ABOUT, aside={(VERSION.id, "2026-10"): 1}),
            "rows of the bill about it were set aside",
        ),
        (
            [billed(gb="24")],
            [booked(), booked(at=EAST)],
            ABOUT,
            "the bill and the ledger have it in different regions",
        ),
        (
            [billed(gb="12"), billed(gb="24", at=EAST)],
            [booked(), booked(at=EAST)],
            ABOUT,
            "its regions differ: from 12.00 to 24.00 GB a replica",
        ),
        (
            [billed(gb="3")],
            [booked(replica_days=9)],
            ABOUT,
            "it stood for 9 days of replicas only, 10 are the least",
        ),
        (
            [billed(gb="60")],
            [booked()],
            ABOUT,
            "it is more than the 30 GB that are provisioned",
        ),
        (
            [billed(gb="60")],
            [booked(confidence="high", gb_limit=None)],
            ABOUT,
            "an earlier bill had far less: there may be more replicas than on the ledger",
        ),
    ],
)
def test_what_is_not_safe_is_shown_and_not_kept(
    bill: list[BillLine], ledger: list[LedgerLine], about: Circumstances, why_not: str
) -> None:
    (one,) = learned(bill, ledger, about)
    assert one.why_not == why_not


def test_a_size_near_an_earlier_one_is_kept() -> None:
    (one,) = learned([billed(gb="33")], [booked(confidence="high", gb_limit=None)])
    assert one.why_not == ""
