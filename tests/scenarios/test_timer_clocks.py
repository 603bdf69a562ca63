"""Scenarios: notices and audit stop well before the host's `functionTimeout`, and go on later."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from costs.ledger.ledger import Ledger
from costs.ledger.rows import DayPrices
from replication.domain.limits import TIMER_MAX_RUN_S
from replication.notices.digest import Digest
from tests.support.builders import US_NEIGHBOURS
from tests.support.clock import FakeClock
from tests.support.costs.blobs import MemoryBlobs
from tests.support.costs.prices import full_book
from tests.support.fakes import build_world
from tests.support.scenarios.notice_steps import Channel, letter, run, told_world
from tests.support.scenarios.steps import export

SILENCE_S = 90.0


@dataclass
class SilentChannel(Channel):
    """A receiver that keeps its caller waiting as long as a channel tries."""

    clock: FakeClock | None = None

    def send(self, digest: Digest) -> None:
        if self.clock is not None:
            self.clock.advance(SILENCE_S)
        super().send(digest)


def test_receivers_that_do_not_answer_take_no_turn_for_ever() -> None:
    channels = [SilentChannel(name=f"receiver-{number}") for number in range(4)]
    world = told_world(*channels)
    for channel in channels:
        channel.clock = world.clock
    world.letters.put(letter(1))
    for _ in range(12):
        began = world.clock()
        run(world)
        assert (world.clock() - began).total_seconds() <= TIMER_MAX_RUN_S
        world.clock.now = began + timedelta(minutes=5)
    assert all(channel.story for channel in channels)


class SlowBlobs(MemoryBlobs):
    """A store in which a day takes its time."""

    clock: FakeClock

    def create(self, name: str, content: bytes) -> bool:
        self.clock.advance(TIMER_MAX_RUN_S / 31)
        return super().create(name, content)


@pytest.mark.slow
def test_an_audit_that_was_away_for_long_goes_on_in_its_next_run() -> None:
    world, blobs = build_world(), SlowBlobs()
    export(world)
    world.run()
    blobs.clock = world.clock
    world.clock.advance(35 * 86_400)
    ledger = Ledger(
        store=world.store,
        blobs=blobs,
        prices=lambda: DayPrices(book=full_book(("eastus", *US_NEIGHBOURS))),
        clock=world.clock,
    )
    runs = [len(ledger.audit(max_run_s=TIMER_MAX_RUN_S).days) for _ in range(3)]
    assert runs == [31, 4, 0]
