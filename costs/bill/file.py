"""A bill's file before it is read: what it is, and how its lines are parted."""

import codecs
import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from costs.bill.engine import not_utf8, parquet_columns
from costs.bill.layout import Layout, recognise
from replication.domain.errors import MalformedError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD_BYTES = 2**20
_TAIL_BYTES = 4
_LONGEST_HEADER = 100_000
_LINE_END = re.compile(r"\r\n|\n|\r")
_PARQUET = b"PAR1"
_GZIP = b"\x1f\x8b"
_OTHERS = (
    (_PARQUET, "Parquet packed with gzip; unpack it first"),
    (b"%PDF", "a PDF, such as an invoice"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it first"),
    (b"<", "a page of HTML or XML"),
    (b"{", "JSON, such as the manifest of an export"),
    (b"[", "JSON"),
    (b"\x89PNG", "a picture"),
)
_WANTED = "give a Cost Management export of actual costs or FOCUS as .csv, .csv.gz or .parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillFile:
    """A file that has the columns of a bill; `delimiter` is None for Parquet."""

    path: Path
    layout: Layout
    width: int
    delimiter: str | None
    packed: bool = False
    ends_with_line: bool = True

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return self.path.name


def open_bill(path: Path) -> BillFile:
    """Look at a file; raises MalformedError that says what it is instead, and what to give."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(0, io.SEEK_END)
            size = file.tell()
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except IsADirectoryError as error:
        raise MalformedError(f"{path} is a folder; {_WANTED}, one after the other") from error
    except OSError as error:
        raise MalformedError(f"{path} cannot be read: {error.strerror}") from error
    if size == 0:
        raise MalformedError(f"{path.name} is empty: the export or its download was cut off")
    if head.startswith(_PARQUET):
        if size < 3 * _TAIL_BYTES or tail != _PARQUET:
            raise MalformedError(
                f"{path.name} is Parquet without its end: the download was cut off; fetch it again"
            )
        return _parquet(path)
    packed = head.startswith(_GZIP)
    if packed:
        head = _unpacked_head(head, path.name)
    return _csv(path, _text(head, path.name), packed=packed, tail=tail)


def _parquet(path: Path) -> BillFile:
    header = parquet_columns(path)
    return BillFile(path=path, layout=_layout(header, path), width=len(header), delimiter=None)


def _csv(path: Path, text: str, *, packed: bool, tail: bytes) -> BillFile:
    first = _first_line(text, path.name)
    headers = {one: next(csv.reader([first], delimiter=one), []) for one in _DELIMITERS}
    errors = {}
    for delimiter, header in headers.items():
        try:
            layout = _layout(header, path)
        except MalformedError as error:
            errors[delimiter] = error
        else:
            return BillFile(
                path=path,
                layout=layout,
                width=len(header),
                delimiter=delimiter,
                packed=packed,
                ends_with_line=packed or tail.endswith((b"\n", b"\r")),
            )
    likeliest = max(headers, key=lambda one: len(headers[one]))
    if len(headers[likeliest]) == 1:
        raise MalformedError(
            f"{path.name} has one column only; lines parted by "
            f"{', '.join(_DELIMITERS.values())} are read, others are not; {_WANTED}"
        )
    raise errors[likeliest]


def _layout(header: list[str], path: Path) -> Layout:
    try:
        return recognise(header)
    except MalformedError as error:
        raise MalformedError(f"{path.name}: {error}") from error


def _first_line(text: str, name: str) -> str:
    line = _LINE_END.split(text, 1)[0]
    if len(line) > _LONGEST_HEADER or not line.strip():
        raise MalformedError(f"{name} has no header in its first line; {_WANTED}")
    return line


def _text(head: bytes, name: str) -> str:
    """Decode the beginning of a file; raises MalformedError for what is no UTF-8 text."""
    if head.startswith(b"PK"):
        kind = "an Excel workbook" if b"xl/" in head or b"[Content" in head else "a ZIP archive"
        raise MalformedError(f"{name} is {kind}: unpack it or save it as CSV; {_WANTED}")
    plain = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, what in _OTHERS:
        if plain.startswith(magic):
            raise MalformedError(f"{name} is {what}; {_WANTED}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head[:64]:
        raise MalformedError(
            f"{name} is UTF-16 or not a text at all; if it is text, write it as UTF-8: "
            "iconv -f UTF-16 -t UTF-8 FILE > NEW"
        )
    # The last character of the piece may be cut in two.
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        return decoder.decode(head, final=False)
    except UnicodeDecodeError as error:
        raise MalformedError(not_utf8(name)) from error


def _unpacked_head(head: bytes, name: str) -> bytes:
    try:
        # A cut later on shows when the file is read as a whole.
        return zlib.decompressobj(wbits=31).decompress(head, _HEAD_BYTES)
    except (zlib.error, gzip.BadGzipFile) as error:
        raise MalformedError(f"{name} is a broken gzip file ({error}); fetch it again") from error
