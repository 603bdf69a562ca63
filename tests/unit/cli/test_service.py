"""The app is the same for a command, in this process or over its API."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli.client.address import URL_VARIABLE
from cli.client.http import open_api
from cli.client.local import local_service
from cli.client.protocol import Outcome, RefusedError, Service
from cli.client.remote import remote_service
from cli.terminal.errors import NotAllowedError, NotFoundError, UsageProblem
from replication.domain.errors import TransientError
from replication.domain.job import Phase
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.listing.query import ListOrder, ListQuery
from replication.operations.dead_letters import SelectionChangedError
from replication.ports import LetterAction, LetterQuery, LetterState, QueueName
from tests.support.builders import version_body, version_id
from tests.support.fakes import World, build_world
from tests.support.letter_worlds import lay_event, lay_job, lay_unreadable_message, states
from tests.support.shell import Shell

ID = version_id()
ABSENT = "0" * 32
COMMAND = "gallery-replicator "


@pytest.fixture(params=["local", "remote"])
def service(request: pytest.FixtureRequest, world: World) -> Iterator[Service]:
    if request.param == "local":
        yield local_service(world.app)
        return
    root = request.getfixturevalue("site").root
    with open_api(root, scope=None, key=None, timeout_s=30) as api:
        yield remote_service(api)


def exported(world: World, *versions: str) -> None:
    for one in versions or (ID.version,):
        world.gallery.add(version_id(version=one), version_body())
        world.app.intake.request(version_id(version=one), trigger="a test", correlation_id="corr-1")


def test_pages_follow_one_another_by_their_cursor(world: World, service: Service) -> None:
    exported(world, "1.0.0", "2.0.0", "3.0.0")
    first = service.replications.page(ListQuery(limit=2))
    second = service.replications.page(ListQuery(limit=2, cursor=first.next))
    assert (len(first.items), len(second.items), second.next) == (2, 1, None)
    assert [*first.items, *second.items] == world.app.queries.replications(ListQuery()).items


def test_filters_mean_the_same(world: World, service: Service) -> None:
    exported(world)
    world.run()

    def found(query: ListQuery) -> int:
        return len(service.replications.page(query).items)

    ended = frozenset({Phase.SUCCEEDED, Phase.FAILED})
    assert found(ListQuery(phases=ended, gallery="LABGALLERY", geography="United States")) == 1
    assert found(ListQuery(phases=frozenset({Phase.PLANNED}))) == 0
    assert found(ListQuery(gallery="another & one")) == 0
    assert found(ListQuery(search="MAT", order=ListOrder.NAME)) == 1
    assert found(ListQuery(search="ath")) == 0
    assert found(ListQuery(stuck=True)) == 0


def test_one_replication_is_told_whole_or_is_not_there(world: World, service: Service) -> None:
    exported(world)
    world.run()
    assert service.replications.one(ID.key) == world.app.queries.replication(ID.key)
    assert service.replications.one(ABSENT) is None


def test_a_version_is_replicated(world: World, service: Service) -> None:
    world.gallery.add(ID, version_body())
    taken = service.replications.replicate(ID)
    assert taken.document() == {
        "action": "queued",
        "reason": world.job(ID).reason,
        "image_version_id": str(ID),
        "key": ID.key,
    }


def test_a_version_that_is_not_there_is_not_found(service: Service) -> None:
    with pytest.raises(NotFoundError, match="the image version does not exist"):
        service.replications.replicate(ID)


class TestOutOfScope:
    @pytest.fixture
    def world(self) -> World:
        return build_world(policy=ReplicationPolicy(galleries=GalleryScope(attach=("prod",))))

    def test_a_version_out_of_scope_is_not_allowed(self, service: Service) -> None:
        with pytest.raises(NotAllowedError, match="is not attached by the policy"):
            service.replications.replicate(ID)


def test_a_replication_is_cancelled_once(world: World, service: Service) -> None:
    exported(world)
    cancelled = service.replications.cancel(ID.key, remove=False)
    assert cancelled is not None
    assert cancelled.done
    assert world.job(ID).phase is Phase.CANCELLED
    again = service.replications.cancel(ID.key, remove=False)
    assert again == Outcome(done=False, reason="it is cancelled already", stands=True)
    assert service.replications.cancel(ABSENT, remove=True) is None


def test_only_what_a_budget_holds_can_be_released(world: World, service: Service) -> None:
    exported(world)
    released = service.replications.release(ID.key)
    assert released is not None
    assert (released.done, "it is not held by a budget" in released.reason) == (False, True)
    assert service.replications.release(ABSENT) is None


def test_queues_are_paused_and_resumed_and_twice_is_no_mistake(
    world: World, service: Service
) -> None:
    reasons = ("an incident", "another")
    paused = [service.queues.pause(QueueName.JOBS, reason=one) for one in reasons]
    assert [(one.name, one.paused, one.done) for one in paused] == [
        ("replication-jobs", True, True),
        ("replication-jobs", True, False),
    ]
    assert service.queues.all() == world.app.queries.queue_depths()
    resumed = [service.queues.resume(QueueName.JOBS) for _ in range(2)]
    assert [(one.paused, one.done) for one in resumed] == [(False, True), (False, False)]


def test_letters_are_listed_by_their_filter_and_shown_whole(world: World, service: Service) -> None:
    letter, event = lay_job(world, ID), lay_event(world)

    def ids(query: LetterQuery) -> set[str]:
        return {one.id for one in service.letters.page(query).items}

    assert ids(LetterQuery()) == {letter.id, event.id}
    assert ids(LetterQuery(code="locked", gallery="labgallery", region="westus3")) == {letter.id}
    assert ids(LetterQuery(image_version_id=str(ID), source="job", state=None)) == {letter.id}
    assert ids(LetterQuery(state=LetterState.RESOLVED)) == set()
    assert service.letters.one(letter.id).raw == letter.raw
    with pytest.raises(NotFoundError, match=f"no dead letter has the id {ABSENT}"):
        service.letters.one(ABSENT)


def test_one_letter_is_replayed_or_discarded(world: World, service: Service) -> None:
    letter, unreadable = lay_job(world, ID), lay_unreadable_message(world)
    assert service.letters.act(letter.id, LetterAction.REPLAY).done
    assert not service.letters.act(unreadable.id, LetterAction.REPLAY).done
    assert service.letters.act(unreadable.id, LetterAction.DISCARD).done
    assert states(world) == {letter.id: LetterState.REPLAYED}
    with pytest.raises(NotFoundError, match=f"no dead letter has the id {unreadable.id}"):
        service.letters.act(unreadable.id, LetterAction.DISCARD)


def test_exactly_the_letters_counted_are_acted_on(world: World, service: Service) -> None:
    laid = [lay_event(world, number=number) for number in range(3)]
    counted = service.letters.select(LetterQuery(), LetterAction.DISCARD)
    assert (counted.count, counted.by_code) == (3, {"malformed_event": 3})
    outcomes = service.letters.act_on_selection(LetterQuery(), LetterAction.DISCARD, counted.token)
    assert {(one.id, one.done) for one in outcomes} == {(one.id, True) for one in laid}
    assert states(world) == {}


def test_a_selection_that_changed_and_a_made_up_token_do_nothing(
    world: World, service: Service
) -> None:
    laid = [lay_event(world, number=number) for number in range(2)]
    token = service.letters.select(LetterQuery(), LetterAction.DISCARD).token
    service.letters.act(laid[0].id, LetterAction.DISCARD)
    with pytest.raises((SelectionChangedError, RefusedError), match="count again"):
        service.letters.act_on_selection(LetterQuery(), LetterAction.DISCARD, token)
    with pytest.raises(UsageProblem, match="the token is not one that counting gave out"):
        service.letters.act_on_selection(LetterQuery(), LetterAction.DISCARD, "x-1-0")
    assert set(states(world)) == {laid[1].id}


@pytest.mark.parametrize(
    "args",
    [
        ["status"],
        ["status", "--json", "--limit", "2"],
        ["status", "--phase", "failed", "--gallery", "LABGALLERY"],
        ["status", ID.key],
        ["status", str(ID), "--json"],
        ["status", ABSENT],
        ["queues"],
        ["queues", "--json"],
        ["dead-letters", "list", "--json"],
        ["dead-letters", "list", "--code", "locked", "--state", "all", "--json"],
        ["dead-letters", "show", "@letter", "--json"],
        ["dead-letters", "show", "@short", "--json"],
        ["dead-letters", "show", ABSENT],
        ["dead-letters", "replay", "@short", "--dry-run"],
        ["dead-letters", "replay", ABSENT],
        ["dead-letters", "discard", "abcdef"],
        ["dead-letters", "discard", "--all", "--token", "x"],
        ["dead-letters", "discard", "--all", "--token", "1-1-" + "0" * 16],
        ["cancel", ABSENT],
        ["cancel", "@done"],
        ["cancel", "@done", "--json"],
        ["release", "@done"],
        ["replicate", str(version_id(version="9.9.9"))],
        ["queues", "resume", "replication-tracking", "--json"],
    ],
    ids=" ".join,
)
def test_a_command_prints_the_same_either_way(
    world: World, shell: Shell, far: Shell, args: list[str]
) -> None:
    letter = lay_job(world, ID)
    exported(world, "2.0.0", "3.0.0")
    world.run()
    named = {
        "@letter": letter.id,
        "@short": letter.id[:12],
        "@done": version_id(version="2.0.0").key,
    }
    words = [named.get(one, one) for one in args]
    answer = far(*words)
    # What is to be typed next asks the same app again.
    again = answer.out.replace(f"gallery-replicator --url {far.env[URL_VARIABLE]} ", COMMAND)
    assert replace(answer, out=again) == shell(*words)
    local = ("--url", "costs refresh-prices")  # the latter reads the price list for a storage
    assert all(word.startswith(local) for word in answer.out.split(COMMAND)[1:])


def test_what_storage_cannot_tell_is_the_same_sentence_and_code(
    world: World, shell: Shell, far: Shell
) -> None:
    exported(world)
    world.store.failures = [TransientError("storage: no route") for _ in range(4)]
    near = shell("status")
    world.store.failures = [TransientError("storage: no route") for _ in range(3)]
    assert far("status") == near
    assert (near.code, near.err) == (1, "Error: storage: no route\n")
