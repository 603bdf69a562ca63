"""A file that is no bill, or half of one, is named for what it is."""

import gzip
import zipfile
from pathlib import Path

import duckdb
import pytest

from costs.bill.engine import explain
from costs.bill.file import open_bill
from costs.bill.layout import recognise
from replication.domain.errors import MalformedError
from tests.support.costs.bills import (
    EA,
    FOCUS_1_0,
    FOCUS_1_2,
    MCA,
    bill_row,
    month_rows,
    read_bill,
    write_csv,
    write_parquet,
)


def refusal(path: Path) -> str:
    with pytest.raises(MalformedError) as raised:
        read_bill(path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        (EA, "ActualCost (EA)"),
        (MCA, "ActualCost (MCA)"),
        (FOCUS_1_0, "FOCUS 1.0"),
        (FOCUS_1_2, "FOCUS 1.2"),
        ({what: one.upper() for what, one in EA.items()}, "ActualCost (EA)"),
    ],
)
def test_a_layout_is_recognised_by_its_columns(layout: dict[str, str], name: str) -> None:
    assert recognise(list(layout.values())).name == name


def test_a_missing_column_is_named_with_what_would_do() -> None:
    header = [name for name in EA.values() if name not in ("Quantity", "ResourceId")]
    with pytest.raises(MalformedError) as raised:
        recognise(header)
    told = str(raised.value)
    assert "resource: ResourceId or InstanceId; quantity: Quantity or UsageQuantity" in told
    assert "'Date', 'MeterName'" in told
    with pytest.raises(MalformedError, match=r"a FOCUS export needs columns .*currency"):
        recognise([one for one in FOCUS_1_2.values() if one != "BillingCurrency"])


def test_a_long_header_is_cut_and_a_column_that_is_there_twice_is_named() -> None:
    with pytest.raises(MalformedError, match="and 8 more"):
        recognise([f"column {number}" for number in range(20)])
    with pytest.raises(MalformedError, match="the column Quantity is there 2 times"):
        recognise([*EA.values(), "quantity"])


def test_a_priced_quantity_without_a_consumed_one_counts_blocks() -> None:
    names = FOCUS_1_2 | {"quantity": "PricingQuantity", "unit": "PricingUnit"}
    assert recognise(list(names.values())).priced_in_blocks
    assert not recognise(list(FOCUS_1_2.values())).priced_in_blocks


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_recognised(tmp_path: Path, delimiter: str) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows(), delimiter=delimiter)
    assert open_bill(path).delimiter == delimiter
    bill = read_bill(path)
    assert bill.used == 31
    told = [note for note in bill.notes if "parts its fields" in note]
    assert len(told) == (delimiter != ",")


def test_an_unknown_delimiter_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bill.csv"
    path.write_text("Date^Quantity\n1^2\n", encoding="utf-8")
    assert refusal(path).startswith(
        "bill.csv has one column only; lines parted by commas, semicolons, tabs, bars are read"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "bill.csv is empty: the export or its download was cut off"),
        (b"%PDF-1.7 invoice", "bill.csv is a PDF, such as an invoice; give a Cost Management"),
        (b"\xd0\xcf\x11\xe0 sheet", "bill.csv is an old Excel workbook"),
        (b'{"blobs": []}', "bill.csv is JSON, such as the manifest of an export"),
        (b"<html></html>", "bill.csv is a page of HTML or XML"),
        ("Date,Cost\n".encode("utf-16"), "bill.csv is UTF-16 or not a text at all"),
        ("Date,Cost\n".encode("utf-16-le"), "bill.csv is UTF-16 or not a text at all"),
        ("Datum,Währung\n".encode("latin-1"), "bill.csv is not UTF-8"),
        (b"PAR1 and nothing more", "bill.csv is Parquet without its end: the download was cut off"),
        (b"PAR1 broken inside PAR1", "bill.csv cannot be read: "),
        (b"\x1f\x8b\x08broken", "bill.csv is a broken gzip file"),
        (gzip.compress(b"PAR1", mtime=0), "bill.csv is Parquet packed with gzip; unpack it first"),
        (b"\n\n", "bill.csv has no header in its first line"),
        (b"x" * 200_000, "bill.csv has no header in its first line"),
        (b"Date,Name\n2026-10-01,x\n", "bill.csv: an ActualCost or FOCUS export needs columns"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(content)
    assert refusal(path).startswith(said)


def test_a_zip_archive_and_an_excel_workbook_are_told_apart(tmp_path: Path) -> None:
    for inside, said in (("bill.csv", "a ZIP archive"), ("xl/workbook.xml", "an Excel workbook")):
        path = tmp_path / "bill.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(inside, "content")
        assert refusal(path).startswith(f"bill.zip is {said}: unpack it or save it as CSV")


def test_a_folder_and_a_file_that_is_not_there_are_named(tmp_path: Path) -> None:
    assert "is a folder; give a Cost Management export" in refusal(tmp_path)
    assert refusal(tmp_path / "none.csv").endswith("cannot be read: No such file or directory")


def test_a_row_that_was_cut_off_stops_everything(tmp_path: Path) -> None:
    whole = write_csv(tmp_path / "bill.csv", month_rows()).read_bytes()
    cut = tmp_path / "cut.csv"
    cut.write_bytes(whole[: whole.rindex(b"LRS Snap")])
    told = refusal(cut)
    assert told.startswith(
        "cut.csv, line 32 cannot be read: it has 3 fields where the header has 10"
    )
    assert told.endswith("Fetch it again; nothing was counted")


def test_a_quote_that_does_not_end_stops_everything(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows())
    path.write_bytes(path.read_bytes() + b'2026-10-01,"/subscr')
    assert "line 33 cannot be read: a quoted field does not end" in refusal(path)


def test_a_gzip_file_that_was_cut_off_stops_everything(tmp_path: Path) -> None:
    packed = gzip.compress(write_csv(tmp_path / "bill.csv", month_rows() * 50).read_bytes())
    path = tmp_path / "bill.csv.gz"
    path.write_bytes(packed)
    assert read_bill(path).rows == 50 * 31
    path.write_bytes(packed[: len(packed) * 2 // 3])
    assert "it is a gzip file that ends too soon" in refusal(path)


def test_parquet_that_was_cut_off_stops_everything(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "bill.parquet", month_rows())
    assert read_bill(path).used == 31
    path.write_bytes(path.read_bytes()[:-20])
    assert "is Parquet without its end" in refusal(path)


@pytest.mark.parametrize("rows_before", [1, 12_000])
def test_another_encoding_further_down_is_told(tmp_path: Path, rows_before: int) -> None:
    rows = [*[bill_row()] * rows_before, bill_row(charge="Rückerstattung")]
    path = write_csv(tmp_path / "bill.csv", rows, encoding="latin-1")
    assert refusal(path).startswith("bill.csv is not UTF-8; exports are")


def test_too_little_memory_is_no_fault_of_the_file() -> None:
    error = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate\nmore words")
    assert explain(error, "bill.csv") == (
        "bill.csv needs more memory or disk space than there is: Out of Memory Error: could not "
        "allocate"
    )


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows(), encoding="utf-8-sig")
    assert read_bill(path).used == 31


def test_a_huge_field_is_refused_and_a_large_one_is_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", [bill_row(**{"": "x" * 1_000_000})])
    assert read_bill(path).used == 1
    write_csv(path, [bill_row(**{"": "x" * 9_000_000})])
    assert "the line is longer than 4,000,000 bytes" in refusal(path)


def test_a_decimal_comma_between_commas_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows())
    path.write_text(path.read_text(encoding="utf-8").replace("0.", "0,"), encoding="utf-8")
    assert "a decimal comma between commas?" in refusal(path)


def test_an_export_without_rows_is_told(tmp_path: Path) -> None:
    said = "has a header and no rows: the export is of a time without costs, or was cut off"
    assert said in refusal(write_csv(tmp_path / "bill.csv", []))
    assert said in refusal(write_parquet(tmp_path / "bill.parquet", []))


def test_a_last_line_without_an_end_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "bill.csv", month_rows())
    path.write_bytes(path.read_bytes().rstrip())
    bill = read_bill(path)
    assert bill.used == 31
    (note,) = bill.notes
    assert note == (
        "bill.csv does not end with the end of a line: its last row is counted, but it may have "
        "been cut off there"
    )
