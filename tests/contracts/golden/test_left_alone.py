"""What a newer release wrote stays as it is, whoever comes by: nothing of it is destroyed."""

import json
from dataclasses import replace

import pytest

from bootstrap import use
from bootstrap.app import build_app
from costs.pricing.price_book import PriceBooks, decode_book
from costs.pricing.sizes import OccupiedSizes, decode_sizes
from handlers import jobs as triggers
from replication.azure.storage.dead_letters import TableDeadLetters
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import (
    FailureCode,
    NewerFormatError,
    RecordChangedError,
    TransientError,
)
from replication.domain.image_version import ImageVersionId
from replication.listing.store import ListingRow
from replication.shared_state.port import ControlRow
from tests.contracts.golden.codecs import (
    KINDS,
    newer,
    read_control,
    read_job,
    read_letter,
    read_listed_letter,
    read_standing,
    stored_document,
)
from tests.contracts.golden.data import Case, Raw, as_json, cases
from tests.contracts.golden.one_table import OneTable
from tests.support.builders import version_body, written_event
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.fakes import build_world
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.listings import new_listing, once, store_of
from tests.support.triggers import bodies_waiting, trigger

_STEP = 25


def some(kind: str) -> tuple[Case, ...]:
    """Return cases of every sort in which they were made."""
    found = {one.made.partition(":")[0]: one for one in cases(kind)}
    return (*found.values(), *cases(kind)[::_STEP])


def test_a_newer_record_survives_events_requests_and_sweeps() -> None:
    for one in some("job"):
        job, world = read_job(one.raw), build_world()
        allowed = frozenset({job.image_version_id.subscription_id.lower()})
        settings = replace(world.app.settings, allowed_subscriptions=allowed)
        world.app = build_app(settings, world.app.policy, world.app.ports)
        row = (newer(one.raw)["document_0"], 77)
        world.store.rows[job.key] = row
        world.gallery.add(job.image_version_id, version_body())
        with pytest.raises(NewerFormatError):
            world.app.intake.receive(written_event(job.image_version_id), {})
        with pytest.raises(NewerFormatError):
            world.app.operations.replicate(job.image_version_id, by="a test")
        with pytest.raises(NewerFormatError):
            world.app.operations.cancel(job.key, remove=True, by="a test")
        world.clock.advance(3600)
        assert any(job.key in error for error in world.app.sweep.run().errors)
        assert world.store.rows == {job.key: row}


def test_a_newer_message_goes_back_to_its_queue_as_it_came() -> None:
    for one in some("message"):
        world, body = build_world(), newer(one.raw)
        with use(world.app):
            trigger(triggers.track, body)
        assert bodies_waiting(world) == [body]
        assert (world.store.rows, world.letters.letters) == ({}, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_control_is_neither_changed_nor_removed(kind: str) -> None:
    for one in some(kind):
        world, control = build_world(), read_control(one.raw)
        later = newer(one.raw)
        row = ControlRow(kind=kind, key=later["RowKey"], document=_document(later), etag="77")
        world.controls.rows[kind, row.key] = row
        shared = world.app.shared_state
        assert shared.all(KINDS[kind]) == {}
        with pytest.raises(TransientError):
            shared.put(KINDS[kind], control)
        with pytest.raises(TransientError):
            shared.remove(KINDS[kind], KINDS[kind].key(control))
        assert world.controls.rows == {(kind, row.key): row}


def test_a_newer_letter_is_shown_and_not_written_over() -> None:
    for one in some("letter"):
        if "v" not in one.raw:
            continue
        table = OneTable.of(newer(one.raw))
        letters, kept = TableDeadLetters(table), as_json(table.rows[0])
        stored = letters.get(one.raw["RowKey"])
        assert stored is not None
        assert stored.letter.code == FailureCode.NEWER_FORMAT.value
        with pytest.raises(RecordChangedError):
            letters.replace(stored, read_letter(one.raw))
        assert (as_json(table.rows[0]), table.written) == (kept, [])


def test_a_newer_place_in_the_listing_is_left_by_the_job_that_stands_there() -> None:
    job = read_job(cases("job")[0].raw)
    for one in some("standing"):
        if one.made.startswith("by hand: format"):
            continue
        standing, listing = read_standing(one.raw), new_listing()
        of = replace(job, image_version_id=ImageVersionId.parse(standing.listed.image_version_id))
        rows = _put(store_of(listing), one.raw)
        with pytest.raises(NewerFormatError):
            listing.note(of)
        assert store_of(listing).rows == rows


def test_a_newer_listed_letter_is_left_by_the_letter_that_stands_there() -> None:
    letter = read_letter(cases("letter")[0].raw)
    for one in some("listed_letter"):
        listed, listing = read_listed_letter(one.raw), MemoryListing()
        letters = ListedLetters(store=MemoryDeadLetters(), listing=listing, retries=once)
        rows = _put(listing, one.raw)
        letters.put(replace(letter, id=listed.id))
        with pytest.raises(NewerFormatError):
            letters.mend()
        assert listing.rows == rows


def test_a_newer_price_book_is_not_written_over() -> None:
    for one in cases("price_book"):
        blobs, book = MemoryBlobs(), decode_book(one.raw.encode())
        name, content = f"prices/{book.currency}.json", newer(one.raw).encode()
        blobs.create(name, content)
        with pytest.raises(NewerFormatError):
            PriceBooks(blobs=blobs, clock=FakeClock()).save(book)
        assert [found for found, _ in blobs.blobs.values()] == [content]


def test_newer_sizes_are_not_written_over() -> None:
    for one in cases("occupied_sizes"):
        blobs, content = MemoryBlobs(), newer(one.raw).encode()
        blobs.create("occupied-sizes.json", content)
        with pytest.raises(NewerFormatError):
            OccupiedSizes(blobs=blobs).merge(decode_sizes(one.raw.encode()))
        assert [found for found, _ in blobs.blobs.values()] == [content]


def _document(row: Raw) -> Raw:
    document: Raw = json.loads(row["document_0"])
    return document


def _put(store: MemoryListing, rows: list[Raw]) -> dict[str, ListingRow]:
    """Put newer rows into a listing, and return all that is in it."""
    for row in newer(rows):
        stored = replace(stored_document(row), etag="77")
        store.rows[stored.key] = stored
    return dict(store.rows)
