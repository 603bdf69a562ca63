"""The blobs of the ledger: written once, or compare-and-swap; in memory and on the emulator."""

import base64
import socket
from pathlib import Path

import pytest

from costs.azure.blobs import StorageBlobs
from costs.ports import LedgerBlobs
from replication.azure.storage.clients import StorageAccount
from replication.domain.errors import MalformedError, RecordChangedError, TransientError


def test_before_anything_is_written_nothing_is_there(
    ledger_blobs: LedgerBlobs, tmp_path: Path
) -> None:
    assert list(ledger_blobs.list("")) == []
    assert ledger_blobs.read("days/a") is None
    with pytest.raises(MalformedError, match="there is no blob days/a"):
        ledger_blobs.download("days/a", tmp_path / "a")


def test_a_blob_is_created_once_and_stays_as_it_is(ledger_blobs: LedgerBlobs) -> None:
    assert ledger_blobs.create("days/a", b"first")
    before = ledger_blobs.read("days/a")
    assert not ledger_blobs.create("days/a", b"second")
    assert ledger_blobs.read("days/a") == before
    assert before is not None
    assert before[0] == b"first"


def test_names_come_in_order_and_by_their_beginning(ledger_blobs: LedgerBlobs) -> None:
    for name in ("days/2026/b", "prices/x", "days/2026/a"):
        ledger_blobs.create(name, name.encode())
    found = list(ledger_blobs.list("days/"))
    assert [one.name for one in found] == ["days/2026/a", "days/2026/b"]
    assert [one.size for one in found] == [11, 11]
    assert found[0].etag != ""


def test_a_blob_is_replaced_only_by_who_has_seen_it_last(ledger_blobs: LedgerBlobs) -> None:
    ledger_blobs.replace("sizes", b"1", etag=None)
    with pytest.raises(RecordChangedError):
        ledger_blobs.replace("sizes", b"2", etag=None)
    seen = ledger_blobs.read("sizes")
    assert seen is not None
    ledger_blobs.replace("sizes", b"2", etag=seen[1])
    with pytest.raises(RecordChangedError):
        ledger_blobs.replace("sizes", b"3", etag=seen[1])
    with pytest.raises(RecordChangedError):
        ledger_blobs.replace("nothing", b"3", etag=seen[1])
    again = ledger_blobs.read("sizes")
    assert again is not None
    assert again[0] == b"2"
    assert again[1] != seen[1]


def test_a_blob_of_some_megabytes_comes_back_whole(
    ledger_blobs: LedgerBlobs, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 20_000
    ledger_blobs.create("days/large", content)
    ledger_blobs.download("days/large", tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == content
    found = ledger_blobs.read("days/large")
    assert found is not None
    assert found[0] == content


def test_a_storage_that_does_not_answer_is_a_passing_trouble(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/account"
        key = base64.b64encode(b"no key of anybody's").decode()
        service = StorageAccount(
            connection_string=(
                f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={key};"
                f"BlobEndpoint={address};QueueEndpoint={address};TableEndpoint={address};"
            )
        ).blobs()
        assert service is not None
        blobs = StorageBlobs(service)
        for call in (
            lambda: list(blobs.list("")),
            lambda: blobs.create("a", b""),
            lambda: blobs.download("a", tmp_path / "a"),
        ):
            with pytest.raises(TransientError, match="storage: "):
                call()


def test_no_two_contents_ever_have_the_same_tag(ledger_blobs: LedgerBlobs) -> None:
    tags = set()
    for name in ("days/a", "days/b"):
        ledger_blobs.create(name, b"same")
        for _ in range(3):
            found = ledger_blobs.read(name)
            assert found is not None
            assert found[1] not in tags
            tags.add(found[1])
            ledger_blobs.replace(name, b"same", etag=found[1])
    assert len(tags) == 6
