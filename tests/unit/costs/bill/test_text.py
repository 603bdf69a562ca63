"""The words of a bill mean the same in every layout; what cannot be read is not guessed."""

from datetime import date

import pytest

from costs.bill.text import (
    Charge,
    Kind,
    Level,
    NumberStyle,
    meter_kind,
    number_style,
    read_charge,
    read_currency,
    read_days,
    read_region,
    read_resource,
    read_unit,
)
from replication.domain.region_snapshot import shipped_catalog
from tests.support.builders import version_id

VERSION = str(version_id())
GALLERY = VERSION.split("/images/", maxsplit=1)[0]
DEFINITION = VERSION.split("/versions/", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (VERSION, Level.VERSION),
        (VERSION.upper(), Level.VERSION),
        (f" {VERSION}/ ", Level.VERSION),
        (DEFINITION, Level.DEFINITION),
        (GALLERY, Level.GALLERY),
    ],
)
def test_a_row_may_name_a_version_a_definition_or_a_gallery(text: str, level: Level) -> None:
    found = read_resource(text)
    assert found is not None
    assert found.level is level
    assert found.gallery == GALLERY.lower()
    assert VERSION.lower().startswith(found.id)
    assert found.definition in (GALLERY.lower(), DEFINITION.lower())


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{GALLERY}/applications/tool/versions/1.0.0",
        f"{GALLERY}/applications/tool",
        f"{DEFINITION}/versions/newest",
        GALLERY.replace("Microsoft.Compute", "Microsoft.Storage"),
        GALLERY.replace("labgallery", "lab gallery"),
        "/subscriptions/1/resourceGroups/2",
    ],
)
def test_what_is_no_image_of_a_gallery_is_not_taken_for_one(text: str) -> None:
    assert read_resource(text) is None


@pytest.mark.parametrize(
    ("text", "per"),
    [
        ("1 GB/Month", 1),
        ("100 GB/Month", 100),
        ("10 gb/month", 10),
        ("1 GB-Month", 1),
        ("GB-Months", 1),
        ("Gb / Month", 1),
        ("1 GB Month", 1),
        ("GB", 1),
        ("1.0 GB/Month", 1),
    ],
)
def test_the_units_of_storage_are_read(text: str, per: int) -> None:
    assert read_unit(text, Kind.STORAGE) == per


@pytest.mark.parametrize(("text", "per"), [("1 GB", 1), ("GB", 1), ("10 GB", 10), ("100 GB", 100)])
def test_the_units_of_a_transfer_are_read(text: str, per: int) -> None:
    assert read_unit(text, Kind.TRANSFER) == per


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 TB/Month", Kind.STORAGE),
        ("1 GiB/Month", Kind.STORAGE),
        ("1 GB/Hour", Kind.STORAGE),
        ("1 GB/Month", Kind.TRANSFER),
        ("0 GB", Kind.TRANSFER),
        ("0 GB", Kind.STORAGE),
        ("1/Month", Kind.STORAGE),
        ("", Kind.STORAGE),
        ("GB!", Kind.TRANSFER),
        ("12345678 GB", Kind.TRANSFER),
    ],
)
def test_an_unknown_unit_is_not_guessed(text: str, kind: Kind) -> None:
    assert read_unit(text, kind) is None


def test_a_meter_is_of_storage_of_a_transfer_or_unknown() -> None:
    assert meter_kind("LRS Snapshots") is Kind.STORAGE
    assert meter_kind("Snapshots ZRS Snapshots") is Kind.STORAGE
    assert meter_kind("Standard Inter-Region Data Transfer") is Kind.TRANSFER
    assert meter_kind("Inter-Region Out") is Kind.TRANSFER
    assert meter_kind("P10 LRS Disk") is None


def test_a_currency_is_a_code_of_three_letters() -> None:
    assert (read_currency(" usd "), read_currency("EUR")) == ("USD", "EUR")
    assert (read_currency(""), read_currency("€"), read_currency("US")) == (None, None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("EastUS", ("eastus", True)),
        ("East US", ("eastus", True)),
        ("eastus", ("eastus", True)),
        ("West Europe", ("westeurope", True)),
        ("US East", ("useast", False)),
        ("", ("", False)),
    ],
)
def test_a_region_has_one_name(text: str, expected: tuple[str, bool]) -> None:
    assert read_region(text, shipped_catalog()) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-31",
        "20261031",
        "2026-10-31T00:00:00Z",
        "2026-10-31 00:00:00",
        "2026-10-31T00:00:00.0000000Z",
        "10/31/2026",
        "10/31/2026 12:00:00 AM",
        " 2026-10-31 ",
    ],
)
def test_a_date_is_read_in_every_way_in_which_exports_write_it(text: str) -> None:
    found = read_days([text])
    assert found.of == {text: date(2026, 10, 31)}
    assert (found.shifted, found.ambiguous) == (frozenset(), False)


def test_a_period_of_another_zone_counts_on_the_day_in_utc_on_which_it_begins() -> None:
    east, west = "2026-10-01T00:00:00+02:00", "2026-10-31T20:00:00-07:00"
    found = read_days([east, west])
    assert found.of == {east: date(2026, 9, 30), west: date(2026, 11, 1)}
    assert found.shifted == {east, west}


def test_dates_with_slashes_are_those_of_the_united_states_unless_one_cannot_be() -> None:
    both = read_days(["10/5/2026"])
    assert (both.of, both.ambiguous) == ({"10/5/2026": date(2026, 10, 5)}, True)
    assert both.order == "month/day/year"
    sure = read_days(["10/5/2026", "10/31/2026"])
    assert (sure.of["10/5/2026"], sure.ambiguous) == (date(2026, 10, 5), False)
    others = read_days(["5/10/2026", "31/10/2026"])
    assert (others.of["5/10/2026"], others.order) == (date(2026, 10, 5), "day/month/year")
    assert read_days(["5.10.2026"]).of == {"5.10.2026": date(2026, 10, 5)}


def test_a_bill_of_two_orders_is_read_in_one_and_the_rest_is_left() -> None:
    assert read_days(["31/10/2026", "10/31/2026"]).of == {"10/31/2026": date(2026, 10, 31)}


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2/30/2026", "0001-01-01T00:00:00+05:00"]
)
def test_what_is_no_date_is_left(text: str) -> None:
    assert read_days([text]).of == {}


@pytest.mark.parametrize(
    ("points", "commas", "surely", "expected"),
    [
        (5, 0, 0, NumberStyle.POINT),
        (0, 0, 0, NumberStyle.POINT),
        (5, 1, 0, NumberStyle.POINT),
        (0, 5, 3, NumberStyle.COMMA),
        (0, 5, 0, None),
    ],
)
def test_how_numbers_are_written_is_found_out_or_left_open(
    points: int, commas: int, surely: int, expected: NumberStyle | None
) -> None:
    assert number_style(points=points, commas=commas, surely_commas=surely) is expected


@pytest.mark.parametrize(
    ("charge", "charge_class", "expected"),
    [
        ("Usage", "", Charge.USAGE),
        ("", "", Charge.USAGE),
        ("usage", "Correction", Charge.REFUND),
        ("Refund", "", Charge.REFUND),
        ("Credit", "", Charge.REFUND),
        ("Adjustment", "", Charge.REFUND),
        ("Tax", "", Charge.OTHER),
        ("Purchase", "Correction", Charge.OTHER),
    ],
)
def test_refunds_and_corrections_are_told_from_usage(
    charge: str, charge_class: str, expected: Charge
) -> None:
    assert read_charge(charge, charge_class) is expected
