"""What replicas would cost if they were kept otherwise, computed by hand and by the module."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costs.ports import Machine
from costs.pricing.prices import MissingPrice, Price
from costs.report.facts import ReplicaRow, amount
from costs.report.query import Change
from costs.report.usage import Usage, usage_of
from costs.report.what_if import Prices, WhatIf, newest_versions, what_if
from tests.support.builders import version_id
from tests.support.costs.prices import price

NOT_ASKED = Usage(unknown="Azure was not asked")


def replica(
    region: str = "westus", *, version: str = "1.0.0", gallery: str = "labgallery", **changes: Any
) -> ReplicaRow:
    """Return one replica of 100 GB at 0.05 USD: 5 USD a month."""
    fields: dict[str, Any] = {
        "image_version_id": str(version_id(gallery=gallery, version=version)),
        "region": region,
        "home_region": "eastus",
        "is_home": region == "eastus",
        "storage_account_type": "Standard_LRS",
        "replicas": 1,
        "gb": Decimal(100),
        "unit_price": Decimal("0.05"),
        "currency": "USD",
        "unpriced": None,
    }
    return ReplicaRow(**(fields | changes))


def storage(region: str, storage_type: str, currency: str) -> Price | MissingPrice:
    if region == "mars":
        return MissingPrice(reason=f"no price in {currency} for {storage_type} storage in mars")
    return price("0.145" if storage_type == "Premium_LRS" else "0.05", currency=currency)


def transfer(source: str, target: str, currency: str) -> Price | MissingPrice:
    if target == "moon":
        return MissingPrice(reason=f"no price from {source} to moon")
    return price("0.02", currency=currency)


def ask(rows: Iterable[ReplicaRow], usage: Usage = NOT_ASKED, **change: Any) -> WhatIf:
    rows = list(rows)
    wanted = Change(**change)
    newest = newest_versions({one.image_version_id for one in rows}, wanted.keep_last or 1)
    prices = Prices(storage=storage, transfer=transfer)
    return what_if(rows, wanted, newest=newest, prices=prices, usage=usage)


def saving(answer: WhatIf) -> dict[str, str | None]:
    return {currency: amount(one.saving) for currency, one in answer.currencies.items()}


def test_a_denied_region_is_saved_and_a_home_region_stays() -> None:
    answer = ask(
        [replica("westus"), replica("eastus"), replica("westus2")],
        deny_regions=frozenset({"westus", "eastus"}),
    )
    assert saving(answer) == {"USD": "5.00"}
    assert (answer.regions_gone, answer.home_regions_kept, answer.versions_gone) == (1, 1, set())
    assert answer.notes == ["1 versions have a denied region as their home, where they stay"]


def test_another_storage_type_costs_its_own_price_and_a_transfer_once() -> None:
    answer = ask([replica("westus"), replica("eastus")], storage_type="Premium_LRS")
    (balance,) = answer.currencies.values()
    figures = [amount(one) for one in (balance.before, balance.after, balance.saving, balance.once)]
    assert figures == ["10.00", "29.00", "-19.00", "2.00"]
    assert answer.regions_changed == 2
    assert "they are removed and added again, with a transfer once" in answer.notes[0]


def test_what_has_the_storage_type_already_does_not_change() -> None:
    answer = ask([replica(storage_account_type="standard_lrs")], storage_type="Standard_LRS")
    assert (saving(answer), answer.regions_changed, answer.notes) == ({"USD": "0.00"}, 0, [])


def test_only_the_newest_versions_of_each_definition_are_kept() -> None:
    rows = [replica(version=text) for text in ("1.2.0", "1.10.0", "1.9.0")]
    rows += [replica(version="0.1.0", gallery="other")]
    answer = ask(rows, keep_last=2)
    assert saving(answer) == {"USD": "5.00"}
    assert answer.versions_gone == {str(version_id(version="1.2.0")).lower()}
    assert answer.notes == [
        "whether anybody uses the versions that would go is not known: Azure was not asked"
    ]


def test_versions_that_would_go_and_are_in_use_are_told() -> None:
    definition = str(version_id()).rsplit("/versions/", 1)[0]
    rows = [replica(version=text) for text in ("1.0.0", "2.0.0", "3.0.0")]
    used = usage_of([Machine(kind="vm", image=f"{definition}/versions/1.0.0")])
    answer = ask(rows, used, keep_last=1)
    assert answer.versions_in_use == 1
    assert answer.notes == ["1 of the 2 versions that would go are, or may be, in use"]


def test_another_replica_count_multiplies_storage_and_not_the_transfer() -> None:
    answer = ask([replica(replicas=3), replica("westus2")], replica_count=2)
    (balance,) = answer.currencies.values()
    assert [amount(one) for one in (balance.before, balance.after, balance.once)] == [
        "20.00",
        "20.00",
        "0.00",
    ]
    assert answer.regions_changed == 2


def test_changes_work_together_what_leaves_first() -> None:
    rows = [
        replica("westus", version="1.0.0"),
        replica("westus", version="2.0.0"),
        replica("westus2", version="2.0.0"),
    ]
    answer = ask(
        rows,
        keep_last=1,
        deny_regions=frozenset({"westus"}),
        storage_type="Premium_LRS",
        replica_count=2,
    )
    (balance,) = answer.currencies.values()
    assert [amount(one) for one in (balance.before, balance.after, balance.once)] == [
        "15.00",
        "29.00",
        "2.00",
    ]
    assert (answer.regions_gone, answer.regions_changed, len(answer.versions_gone)) == (2, 1, 1)


def test_currencies_and_galleries_of_one_name_are_kept_apart() -> None:
    elsewhere = replica().image_version_id.replace("labs-rg", "other-rg")
    rows = [
        replica(),
        replica(image_version_id=elsewhere),
        replica("westus2", currency="EUR"),
    ]
    answer = ask(rows, deny_regions=frozenset({"westus", "westus2"}))
    assert saving(answer) == {"USD": "10.00", "EUR": "5.00"}
    here = replica().image_version_id.lower().partition("/images/")[0]
    assert {key: amount(one.saving) for key, one in answer.galleries.items()} == {
        (here, "USD"): "5.00",
        (here.replace("labs-rg", "other-rg"), "USD"): "5.00",
        (here, "EUR"): "5.00",
    }


def test_what_has_no_price_is_set_aside_with_why_and_still_counts_as_going() -> None:
    rows = [
        replica("mars", unit_price=None, unpriced="no price for mars"),
        replica("westus", unit_price=None),
        replica("westus2", version="2.0.0"),
    ]
    answer = ask(rows, keep_last=1)
    assert (saving(answer), answer.regions_gone, len(answer.versions_gone)) == (
        {"USD": "0.00"},
        2,
        1,
    )
    assert answer.set_aside == {
        "no price: no price for mars": 1,
        "no price: the row does not say why": 1,
    }
    retyped = ask([replica("mars"), replica("moon")], storage_type="Premium_LRS")
    assert retyped.set_aside == {"no price: no price in USD for Premium_LRS storage in mars": 1}
    assert amount(retyped.currencies["USD"].before) == "5.00"
    assert "1 of those transfers have no price" in retyped.notes[-1]


def test_a_record_that_cannot_be_read_neither_goes_nor_changes() -> None:
    broken = replica(image_version_id="unreadable record k", unit_price=None, unpriced="broken")
    answer = ask([broken], storage_type="Premium_LRS", deny_regions=frozenset({"westus"}))
    assert (answer.set_aside, answer.rows) == ({"broken": 1}, 1)
    assert (answer.regions_gone, answer.regions_changed, answer.currencies) == (0, 0, {})


def test_an_empty_day_has_nothing_to_save_and_no_change_is_none() -> None:
    assert ask([], keep_last=1) == WhatIf()
    assert Change().is_none
    assert not Change(keep_last=1).is_none


ROWS = st.lists(
    st.builds(
        replica,
        st.sampled_from(["eastus", "westus", "westus2", "mars"]),
        version=st.sampled_from(["1.0.0", "1.2.0", "1.10.0"]),
        gallery=st.sampled_from(["a", "b"]),
        currency=st.sampled_from(["USD", "EUR"]),
        replicas=st.integers(min_value=1, max_value=5),
        unit_price=st.none() | st.decimals(min_value=0, max_value=1, places=4),
        storage_account_type=st.sampled_from(["Standard_LRS", "Premium_LRS"]),
    ),
    max_size=30,
)


@given(
    rows=ROWS,
    deny=st.frozensets(st.sampled_from(["eastus", "westus"])),
    keep=st.none() | st.integers(min_value=1, max_value=3),
    storage_type=st.none() | st.just("Premium_LRS"),
    count=st.none() | st.integers(min_value=1, max_value=4),
)
def test_every_row_is_counted_once_and_galleries_add_up_to_the_currencies(
    rows: list[ReplicaRow],
    deny: frozenset[str],
    keep: int | None,
    storage_type: str | None,
    count: int | None,
) -> None:
    answer = ask(
        rows, deny_regions=deny, keep_last=keep, storage_type=storage_type, replica_count=count
    )
    aside = sum(answer.set_aside.values())
    assert (answer.rows, 0 <= aside <= len(rows)) == (len(rows), True)
    assert answer.regions_gone + answer.regions_changed <= len(rows)
    for currency, whole in answer.currencies.items():
        parts = [one for (_, of), one in answer.galleries.items() if of == currency]
        assert sum(one.before for one in parts) == whole.before
        assert sum(one.after for one in parts) == whole.after
        if storage_type is None and count is None:
            assert whole.saving >= 0
