"""Notices on a fake clock: a region fails for many versions, and receivers hear of it once."""

import json
import logging
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from tenacity import Retrying, stop_after_attempt

from bootstrap.app import build_app
from replication.dead_letters.index import ListedLetters
from replication.domain.errors import (
    FailureCode,
    PermanentError,
    ReplicationError,
    ThrottledError,
    TransientError,
)
from replication.domain.regions import Region
from replication.guards.circuits import Circuit, CircuitFailure
from replication.guards.region_health import CIRCUITS
from replication.listing.query import ListQuery, read_page
from replication.notices.digest import Digest, cloud_event
from replication.notices.sources import Watch
from replication.ports import LetterAction, LetterPage, LetterQuery, LetterState
from tests.support.builders import NOON, SUBSCRIPTION, version_id
from tests.support.fakes import build_world
from tests.support.letters import MemoryDeadLetters
from tests.support.listing import MemoryListing
from tests.support.scenarios.notice_steps import (
    PERSON,
    Channel,
    export,
    letter,
    pass_time,
    run,
    told_world,
)


@dataclass
class Counted(MemoryDeadLetters):
    """Dead letters that count the pages that were asked for."""

    pages: int = 0

    def find(self, query: LetterQuery) -> LetterPage:
        self.pages += 1
        return super().find(query)


def test_a_region_that_fails_for_many_versions_is_told_once_reminded_of_and_resolved() -> None:
    channel = Channel()
    world = told_world(channel)
    world.gallery.failing = {"westus3": 10_000}
    for number in range(12):
        export(world, version_id(version=f"1.0.{number}"))
        pass_time(world, 1)
    pass_time(world, 24)
    assert len(world.letters.letters) == 12
    assert channel.story == [("new", "region|westus3"), ("reminder", "region|westus3")]
    world.gallery.failing = {}
    for one in tuple(world.letters.letters):
        world.app.dead_letters.act(one, LetterAction.REPLAY, by="an operator")
    pass_time(world, 60)
    assert channel.story[2:] == [("resolved", "region|westus3")]


def test_nothing_is_read_while_nobody_is_told() -> None:
    world = build_world()
    world.controls.failures = [TransientError("must not be asked")]
    world.listing.failures = [TransientError("must not be asked")]
    assert run(world) == ()
    assert (len(world.controls.failures), len(world.listing.failures)) == (1, 1)


def test_ten_thousand_letters_of_one_code_are_one_notice_with_their_number() -> None:
    channel = Channel()
    world = told_world(channel)
    for number in range(10_000):
        world.letters.put(letter(number, at=NOON + timedelta(seconds=number)))
    service = world.app.notices
    counted = Counted(letters=world.letters.letters, tags=world.letters.tags)
    replace(service, sources=replace(service.sources, letters=counted)).run()
    assert counted.pages == 1
    (digest,) = channel.heard
    (change,) = cloud_event(digest)["data"]["changes"]
    assert (change["jobs"], change["atLeast"]) == (10_000, False)
    assert change["since"] == NOON.isoformat()
    assert (len(change["galleries"]), change["moreGalleries"]) == (12, 8)


def test_few_letters_are_seen_beside_any_number_of_others() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(500_000, code="quota_exceeded"))
    run(world)
    for number in range(500):
        world.letters.put(letter(number))
    for _ in range(30):
        world.clock.advance(300)
        run(world)
    assert channel.story == [("new", "letter|quota_exceeded"), ("new", "letter|locked")]
    world.app.dead_letters.act(letter(500_000).id, LetterAction.DISCARD, by="an operator")
    for _ in range(8):
        world.clock.advance(300)
        run(world)
    assert channel.story[2:] == [("resolved", "letter|quota_exceeded")]


@pytest.mark.parametrize("nowhere", [0, 3])
def test_a_region_s_letters_are_counted_however_many_others_there_are(nowhere: int) -> None:
    channel = Channel()
    world = told_world(channel)
    early = NOON - timedelta(days=2)
    world.letters.put(letter(1, code="copy_failed", regions=("westus3",), at=early))
    for number in range(300):
        late = letter(100 + number, code="copy_failed", regions=("uksouth",))
        world.letters.put(replace(late, at=NOON + timedelta(seconds=number)))
    for number in range(nowhere):
        world.letters.put(letter(1000 + number, code="copy_failed"))
    run(world)
    found = {one.cause.key: one.cause for one in channel.heard[0].notices}
    assert (found["region|westus3"].jobs, found["region|westus3"].since) == (1, early)
    assert (found["region|uksouth"].jobs, found["region|uksouth"].at_least) == (300, False)
    assert ("letter|copy_failed" in found) is (nowhere > 0)
    if nowhere:
        assert (found["letter|copy_failed"].jobs, found["letter|copy_failed"].at_least) == (3, True)


@pytest.mark.parametrize("letters", [6, 900])
def test_a_run_costs_two_calls_for_each_failure_code_and_one(letters: int) -> None:
    world = told_world(Channel())
    listing = MemoryListing()
    listed = ListedLetters(store=MemoryDeadLetters(), listing=listing)
    codes = ("locked", "copy_failed", "region_unavailable")
    for number in range(letters):
        code = codes[number % len(codes)]
        regions = ("westus3",) if code != "locked" else ()
        listed.put(letter(number, code=code, regions=regions, at=NOON - timedelta(hours=number)))
    service = world.app.notices
    calls = listing.calls
    seen = replace(service.sources, letters=listed).read()
    assert listing.calls - calls <= 1 + 2 * len(codes)
    assert {one.key: one.jobs for one in seen.causes} == {
        "letter|locked": letters // 3,
        "region|westus3": letters // 3,
        "letter|region_unavailable|westus3": letters // 3,
    }
    assert min(one.since for one in seen.causes) == NOON - timedelta(hours=letters - 1)


def test_a_digest_tells_nothing_personal_and_no_words_of_others() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1))
    run(world)
    assert PERSON not in json.dumps(cloud_event(channel.heard[0]))


def test_hostile_names_break_nothing() -> None:
    channel = Channel()
    world = told_world(channel)
    hostile = str(version_id()).replace("labgallery", "<script>\u202e\x00")
    world.letters.put(letter(1, image_version_id=hostile, code="<b>\n", regions=("<i>", "\x1b")))
    run(world)
    (change,) = cloud_event(channel.heard[0])["data"]["changes"]
    assert change["code"] == "<b>\ufffd"
    assert change["regions"] == ["\ufffd", "<i>"]


def test_a_letter_that_is_replayed_or_resolved_is_no_cause() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1, state=LetterState.REPLAYED))
    run(world)
    assert channel.heard == []


def test_an_open_circuit_and_the_letters_of_its_region_are_one_cause() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1, code="copy_failed", regions=("westus3",)))
    failures = tuple(CircuitFailure(key=f"v{n}", at=NOON) for n in range(5))
    probe_at = world.clock() + timedelta(minutes=30)
    world.app.shared_state.put(
        CIRCUITS,
        Circuit(region=Region("westus3"), failures=failures, opened_at=NOON, probe_at=probe_at),
    )
    run(world)
    (change,) = cloud_event(channel.heard[0])["data"]["changes"]
    assert (change["code"], change["region"], change["jobs"]) == ("region_held_back", "westus3", 5)
    assert f"tried again at {probe_at:%Y-%m-%d %H:%M:%S} UTC" in change["next"]


def test_a_region_that_lacks_something_is_a_cause_of_its_own() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1, code="region_unavailable", regions=("westus3", "uksouth")))
    world.letters.put(letter(2, code="region_unavailable"))
    world.letters.put(letter(3, code="budget_exceeded"))
    run(world)
    assert {key for _, key in channel.story} == {
        "letter|budget_exceeded",
        "letter|region_unavailable",
        "letter|region_unavailable|uksouth",
        "letter|region_unavailable|westus3",
    }


def test_stuck_copies_are_one_cause_a_region() -> None:
    channel = Channel()
    world = told_world(channel)
    world.gallery.slowness = {"westus3": 1e9}
    export(world, *(version_id(version=f"1.0.{number}") for number in range(4)))
    pass_time(world, 3)
    assert len(read_page(world.listing, ListQuery(stuck=True)).jobs) == 4
    assert channel.story == [("new", "stuck|westus3")]
    (only,) = channel.heard[0].notices
    assert only.cause.galleries == {"labgallery"}
    few = replace(world.app.notices.sources, watch=Watch(max_stuck=2)).read()
    (cause,) = few.causes
    assert (cause.jobs, cause.at_least, few.unsure) == (2, True, ("stuck|",))


def test_one_receiver_that_fails_does_not_make_another_hear_twice() -> None:
    broken = Channel(name="teams", failures=[TransientError("down"), TransientError("down")])
    well = Channel()
    world = told_world(broken, well)
    world.letters.put(letter(1))
    for _ in range(4):
        run(world)
        world.clock.advance(300)
    assert broken.story == well.story == [("new", "letter|locked")]
    assert broken.heard[0].id == well.heard[0].id


@pytest.mark.parametrize(
    "error",
    [TransientError("down"), PermanentError("no", code=FailureCode.INVALID_REQUEST)],
)
def test_a_failure_is_logged_and_tried_in_the_next_run(
    error: ReplicationError, caplog: pytest.LogCaptureFixture
) -> None:
    channel = Channel(failures=[error])
    world = told_world(channel)
    world.letters.put(letter(1))
    with caplog.at_level(logging.ERROR, logger="gallery_replicator"):
        run(world)
    assert json.loads(caplog.messages[0])["event"] == "notices.failed"
    run(world)
    assert channel.story == [("new", "letter|locked")]


def test_a_pause_that_a_receiver_asks_for_is_kept() -> None:
    channel = Channel(failures=[ThrottledError("slow down", retry_after_s=1200)])
    world = told_world(channel)
    world.letters.put(letter(1))
    run(world)
    world.clock.advance(1199)
    run(world)
    assert channel.heard == []
    world.clock.advance(1)
    run(world)
    assert channel.story == [("new", "letter|locked")]


def test_two_instances_do_not_both_send() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1))

    @dataclass
    class Meanwhile(Channel):
        def send(self, digest: Digest) -> None:
            other = build_app(world.app.settings, world.app.policy, world.app.ports)
            other.notices.run()
            super().send(digest)

    first = Meanwhile()
    replace(world.app.notices, channels=(first,)).run()
    assert (len(first.heard), len(channel.heard)) == (1, 0)


def test_one_who_died_while_sending_is_followed_by_another_with_the_same_id() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1))

    class Dying(Channel):
        def send(self, digest: Digest) -> None:
            super().send(digest)
            raise KeyboardInterrupt

    dying = Dying()
    with pytest.raises(KeyboardInterrupt):
        replace(world.app.notices, channels=(dying,)).run()
    run(world)
    assert channel.heard == []
    world.clock.advance(300)
    run(world)
    assert [one.id for one in channel.heard] == [one.id for one in dying.heard]


def test_a_claim_that_lapsed_belongs_to_whoever_took_it() -> None:
    world = told_world(Channel())
    world.letters.put(letter(1))
    quick = Channel()

    class Slow(Channel):
        def send(self, digest: Digest) -> None:
            world.clock.advance(600)
            replace(world.app.notices, channels=(quick,)).run()
            world.letters.put(letter(2, code="quota_exceeded"))
            world.clock.advance(600)
            replace(world.app.notices, channels=(quick,)).run()
            super().send(digest)

    replace(world.app.notices, channels=(Slow(),)).run()
    run(world)
    assert quick.story == [("new", "letter|locked"), ("new", "letter|quota_exceeded")]


def test_storage_that_fails_ends_in_the_log_and_not_in_an_error() -> None:
    channel = Channel()
    world = told_world(channel)
    once = replace(world.app.ports, retries=_once)
    world.app = build_app(world.app.settings, world.app.policy, once)
    world.letters.put(letter(1))
    world.controls.failures = [TransientError("storage is down") for _ in range(2)]
    (report,) = run(world)
    assert report.problem == "storage is down"
    run(world)
    assert channel.story == [("new", "letter|locked")]


def _once() -> Retrying:
    return Retrying(stop=stop_after_attempt(1), reraise=True)


def test_a_quiet_run_writes_nothing() -> None:
    world = told_world(Channel())
    world.letters.put(letter(1))
    run(world)
    before = dict(world.controls.rows)
    world.clock.advance(300)
    run(world)
    assert world.controls.rows == before


def test_a_preview_tells_nobody_and_changes_nothing() -> None:
    channel = Channel()
    world = told_world(channel)
    world.letters.put(letter(1))
    for app in (world.app.notices, replace(world.app.notices, channels=())):
        (report,) = app.preview()
        assert report.digest is not None
        assert [one.cause.code for one in report.digest.notices] == ["locked"]
    assert (channel.heard, world.controls.rows) == ([], {})


def test_a_test_reaches_every_receiver_and_names_those_that_it_does_not() -> None:
    well, broken = Channel(), Channel(name="teams", failures=[TransientError("down")])
    reports = told_world(well, broken).app.notices.test()
    assert [(one.channel, one.problem) for one in reports] == [("webhook", None), ("teams", "down")]
    assert [one.test for one in well.heard] == [True]
    assert SUBSCRIPTION not in json.dumps(cloud_event(well.heard[0]))
