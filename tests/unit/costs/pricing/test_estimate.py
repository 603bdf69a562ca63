"""What replicas would cost: two formulas, a range, and no zero where a price is missing."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costs.pricing.estimate import (
    Amount,
    CostEstimate,
    RegionalReplicas,
    estimate_cost,
    lab_services_monthly,
    snapshot_monthly,
    transfer_once,
)
from costs.pricing.estimator import Estimates
from costs.pricing.price_book import shipped_book
from costs.pricing.prices import TRANSFER_METER, PriceBook
from costs.pricing.sizes import OccupiedSize, SizeRange, definition_id, size_range
from replication.domain.errors import TransientError
from tests.support.builders import NOON, version_id
from tests.support.clock import FakeClock
from tests.support.costs.prices import STANDARD, book, full_book, price

REGIONS = ("eastus", "eastus2", "westus2", "westus3")
FULL = full_book(REGIONS)
TODAY = date(2026, 11, 23)
TEN_GB = SizeRange(
    low_gb=Decimal(9), gb=Decimal(10), high_gb=Decimal(11), basis="a test", confidence="medium"
)


def estimate(
    *added: RegionalReplicas,
    size: SizeRange | None = None,
    provisioned_gb: int | None = 127,
    prices: PriceBook = FULL,
) -> CostEstimate:
    return estimate_cost(
        size or size_range(provisioned_gb, version_id(), ()),
        added,
        home_region="eastus",
        provisioned_gb=provisioned_gb,
        book=prices,
        on=TODAY,
    )


def replicas(region: str, count: int = 1, kind: str = "Standard_LRS") -> RegionalReplicas:
    return RegionalReplicas(region=region, replica_count=count, storage_account_type=kind)


def test_the_snapshot_formula_gives_the_figure_of_the_docs() -> None:
    # 127 GB provisioned, 10 occupied; 3 regions with 2 replicas: 6 snapshots of 10 GB.
    rate = Decimal("0.05")
    assert snapshot_monthly(Decimal(10), [(2, rate)] * 3) == Decimal("3.00")
    assert transfer_once(Decimal(10), [Decimal("0.02")] * 2) == Decimal("0.40")


def test_the_lab_services_formula_gives_the_figure_of_the_guide() -> None:
    # 1 image, 2 versions, 8 regions, a 32 GB disk at 1.54 a month.
    monthly = lab_services_monthly(images=1, versions=2, replicas=8, disk_price=Decimal("1.54"))
    assert monthly == Decimal("24.64")


def test_the_two_formulas_disagree_on_the_same_image() -> None:
    eight = [(1, Decimal("0.05"))] * 8
    assert 2 * snapshot_monthly(Decimal(32), eight) == Decimal("25.60")
    assert 2 * snapshot_monthly(Decimal(10), eight) == Decimal("8.00")


def test_storage_is_priced_by_replica_and_the_transfer_by_region() -> None:
    cost = estimate(
        replicas("eastus2", 2), replicas("westus2", kind="Premium_LRS"), replicas("westus3")
    )
    # 127 GB times (2 * 0.05 + 0.145 + 0.05), to the cent; 127 GB times 3 * 0.02.
    assert (cost.monthly, cost.egress_once) == (Decimal("37.46"), Decimal("7.62"))
    # Four replicas at 5.89, the tier of a 127 GB disk.
    assert cost.lab_services_monthly == Decimal("23.56")


def test_an_estimate_is_a_range() -> None:
    cost = estimate(replicas("eastus2"), replicas("westus2"), size=TEN_GB)
    assert cost.monthly_range == Amount(
        low=Decimal("0.90"), likely=Decimal("1.00"), high=Decimal("1.10")
    )
    assert cost.egress_range == Amount(
        low=Decimal("0.36"), likely=Decimal("0.40"), high=Decimal("0.44")
    )
    assert cost.confidence == "medium"


def test_the_basis_names_both_formulas_the_size_and_where_the_prices_come_from() -> None:
    basis = estimate(replicas("eastus2")).basis
    assert "snapshot formula: occupied GB x replicas x snapshot rate of the region" in basis
    assert (
        "Lab Services formula: images x versions x replicas x price of the managed disk's tier: "
        "5.89 USD a month" in basis
    )
    assert "upper bound: 127 GB provisioned" in basis
    assert "list prices in USD read on 2026-11-01 (a test's book)" in basis
    assert "a GB is counted as a GiB" in basis


def test_a_region_without_a_price_leaves_no_sum_and_the_priced_ones_are_named_apart() -> None:
    cost = estimate(replicas("eastus2"), replicas("qatarcentral"), replicas("italynorth"))
    assert (cost.monthly, cost.confidence) == (None, "none")
    assert cost.priced_monthly == Decimal("6.35")
    assert [one.region for one in cost.unpriced] == ["qatarcentral", "italynorth"]
    assert cost.basis.startswith(
        "no sum, since storage has no price in qatarcentral, italynorth, the 1 with a price come "
        "to 6.35 USD a month (no price in USD for Standard_LRS storage in qatarcentral); snapshot"
    )
    assert cost.basis.endswith("read the price list with: gallery-replicator costs refresh-prices")
    # The transfer goes by the price of the home region.
    assert cost.egress_once == Decimal("7.62")


def test_a_transfer_without_a_price_leaves_the_storage() -> None:
    storage_alone = book(price("0.05", region="eastus2"))
    cost = estimate(replicas("eastus2"), prices=storage_alone)
    assert (cost.monthly, cost.egress_once) == (Decimal("6.35"), None)
    assert [one.region for one in cost.unpriced_transfer] == ["eastus2"]
    assert (
        "the transfer has no price for 1 regions (no price in USD for transfer from" in cost.basis
    )
    assert cost.lab_services_monthly is None
    assert "no price in USD for a disk of tier S10 in eastus2" in cost.basis


def test_an_unknown_size_has_no_cost() -> None:
    cost = estimate(replicas("eastus2"), provisioned_gb=None)
    assert (cost.monthly, cost.egress_once, cost.currency) == (None, None, "USD")
    assert cost.basis == "the size of the version is not known before its creation has ended"


def test_a_size_known_from_bills_alone_has_the_snapshot_formula_alone() -> None:
    cost = estimate(replicas("eastus2"), size=TEN_GB, provisioned_gb=None)
    assert (cost.monthly, cost.lab_services_monthly) == (Decimal("0.50"), None)
    assert "price of the managed disk's tier: no provisioned size yet" in cost.basis


def test_nothing_is_transferred_to_the_home_region() -> None:
    cost = estimate(replicas("eastus", 3))
    assert (cost.monthly, cost.egress_once) == (Decimal("19.05"), Decimal("0.00"))


def test_nothing_added_costs_nothing() -> None:
    cost = estimate()
    assert (cost.monthly, cost.egress_once) == (Decimal("0.00"), Decimal("0.00"))


def test_a_second_hand_price_lowers_the_confidence_and_is_named() -> None:
    prices = book(
        price("0.05", region="eastus2", meter=STANDARD),
        price("0.02", region="eastus", meter=TRANSFER_METER, source="second-hand: a script"),
    )
    cost = estimate(replicas("eastus2"), size=TEN_GB, prices=prices)
    assert cost.confidence == "low"
    assert "some of them second-hand" in cost.basis


def test_the_price_of_the_day_is_taken() -> None:
    changed = book(*FULL.prices, price("0.10", region="eastus2", since=date(2026, 11, 24)))
    assert estimate(replicas("eastus2"), prices=changed).monthly == Decimal("6.35")


@given(
    size=st.tuples(*(st.decimals(0, 5000, places=3, allow_nan=False),) * 3).map(sorted),
    counts=st.dictionaries(st.sampled_from(REGIONS), st.integers(1, 50)),
)
def test_amounts_are_in_order_and_grow_with_every_region(
    size: list[Decimal], counts: dict[str, int]
) -> None:
    low, gb, high = size
    of = SizeRange(low_gb=low, gb=gb, high_gb=high, basis="", confidence="low")
    cost = estimate(*(replicas(region, count) for region, count in counts.items()), size=of)
    assert cost.monthly_range is not None
    assert cost.egress_range is not None
    for amount in (cost.monthly_range, cost.egress_range):
        assert 0 <= amount.low <= amount.likely <= amount.high
    fewer = estimate(*(replicas(region) for region in list(counts)[1:]), size=of)
    assert fewer.monthly is not None
    assert fewer.egress_once is not None
    assert cost.monthly is not None
    assert cost.egress_once is not None
    assert fewer.monthly <= cost.monthly
    assert fewer.egress_once <= cost.egress_once


@given(st.sets(st.sampled_from(["eastus2", "westus2", "qatarcentral", "italynorth"])))
def test_a_missing_price_is_never_zero(regions: set[str]) -> None:
    cost = estimate(*(replicas(region) for region in sorted(regions)))
    missing = regions - set(REGIONS)
    assert (cost.monthly is None) == bool(missing)
    assert {one.region for one in cost.unpriced} == missing
    assert all(region in cost.basis for region in missing)


def test_the_shipped_prices_estimate_west_europe_and_say_where_they_end() -> None:
    estimates = Estimates(clock=FakeClock())
    north, west = replicas("northeurope"), replicas("westeurope")
    known = estimates.of(version_id(), [west], home_region="northeurope", provisioned_gb=127)
    assert (known.monthly, known.egress_once) == (Decimal("6.35"), Decimal("2.54"))
    assert known.confidence == "low"
    assert "the shipped snapshot of 2026-08-14" in known.basis
    unknown = estimates.of(version_id(), [north], home_region="westeurope", provisioned_gb=127)
    assert unknown.monthly is None
    assert "northeurope" in unknown.basis
    in_euro = Estimates(currency="EUR").of(
        version_id(), [west], home_region="northeurope", provisioned_gb=127
    )
    assert (in_euro.monthly, in_euro.currency) == (None, "EUR")
    assert "no price list in EUR was read yet" in in_euro.basis


def test_the_bill_of_an_earlier_version_narrows_the_estimate_of_the_next() -> None:
    earlier = OccupiedSize(
        definition_id=definition_id(version_id()),
        version="1.0.0",
        gb=Decimal(10),
        month="2026-10",
        source="a bill",
    )
    estimates = Estimates(clock=FakeClock(NOON), book=lambda _: FULL, sizes=lambda: (earlier,))
    cost = estimates.of(
        version_id(version="1.0.1"),
        [replicas("eastus2")],
        home_region="eastus",
        provisioned_gb=127,
    )
    assert (cost.monthly, cost.confidence) == (Decimal("0.50"), "medium")


def test_prices_that_cannot_be_read_leave_an_estimate_with_the_reason() -> None:
    clock, asked = FakeClock(NOON), []

    def unreachable(currency: str) -> PriceBook:
        asked.append(currency)
        raise TransientError("storage: nobody answers")

    estimates = Estimates(clock=clock, book=unreachable)
    for wait_s in (0, 29, 1):
        clock.advance(wait_s)
        cost = estimates.of(
            version_id(), [replicas("eastus2")], home_region="eastus", provisioned_gb=127
        )
        assert (cost.monthly, cost.basis) == (
            None,
            "no prices could be read: storage: nobody answers",
        )
    # A page of many estimates asks a storage once that does not answer.
    assert asked == ["USD", "USD"]


def test_sizes_are_read_anew_after_ten_minutes() -> None:
    clock, reads = FakeClock(NOON), []

    def sizes() -> tuple[OccupiedSize, ...]:
        reads.append(clock())
        return ()

    estimates = Estimates(clock=clock, book=shipped_book, sizes=sizes)
    for wait_s in (0, 599, 1):
        clock.advance(wait_s)
        estimates.of(version_id(), [], home_region="eastus", provisioned_gb=127)
    assert len(reads) == 2
