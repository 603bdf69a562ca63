"""Scenarios on a fake clock: events and queue messages on the desk, sent again."""

from dataclasses import replace

import pytest

from replication.domain.job import Phase
from replication.domain.message import JobMessage
from replication.intake.events import ReceivedEvent
from replication.ports import DeadLetter, LetterState, QueueName
from replication.records.message_codec import encode_message
from tests.support.builders import SUBSCRIPTION, version_body
from tests.support.fakes import World, build_world
from tests.support.scenarios.desk_steps import fail, replay, the_letter
from tests.support.scenarios.steps import ID, export


def bad_event(world: World) -> DeadLetter:
    broken = {
        "id": "event-9",
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "source": f"/subscriptions/{SUBSCRIPTION}",
        "subject": str(ID).replace("1.0.0", "one"),
        "time": world.clock().isoformat(),
        "data": {
            "operationName": "Microsoft.Compute/galleries/images/versions/write",
            "resourceUri": str(ID).replace("1.0.0", "one"),
            "claims": {"name": "Casey Teacher"},
        },
    }
    received = ReceivedEvent(
        id="event-9",
        type=str(broken["type"]),
        subject=str(broken["subject"]),
        at=world.clock(),
        data=broken["data"],
    )
    assert world.app.intake.receive(received, broken).action == "rejected"
    return the_letter(world)


def test_an_event_that_is_still_bad_stays_one_open_letter() -> None:
    world = build_world()
    letter = bad_event(world)
    assert letter.code == "malformed_event"
    for _ in range(2):
        outcome = replay(world)
        assert not outcome.done
        assert the_letter(world).state is LetterState.OPEN
    assert the_letter(world).id == letter.id
    assert world.queues.waiting == []


def test_an_event_that_can_be_read_by_now_is_taken_in() -> None:
    world = build_world()
    letter = bad_event(world)
    # What a newer release would understand, this one is shown mended.
    world.letters.put(replace(letter, raw=letter.raw.replace("versions/one", "versions/1.0.0")))
    world.gallery.add(ID, version_body())
    assert replay(world).done
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1
    assert the_letter(world).state is LetterState.REPLAYED


@pytest.mark.parametrize("raw", ["not JSON", "[]", "[" * 100_000, '{"id": 1, "type": null}', ""])
def test_an_event_that_was_kept_unreadable_says_so(raw: str) -> None:
    world = build_world()
    world.letters.put(replace(bad_event(world), raw=raw))
    outcome = replay(world)
    assert outcome.reason
    assert all(one.raw for one in world.letters.letters.values()) or not outcome.done


def test_a_poison_message_is_a_request_for_its_version() -> None:
    world = build_world()
    export(world)
    message = world.queues.take()
    assert message is not None
    world.app.desk.poison(encode_message(message).encode(), queue=QueueName.JOBS.value)
    assert the_letter(world).code == "poison_message"
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED
    assert len(world.gallery.writes) == 1


def test_a_poison_message_of_a_version_that_nobody_knows_enrols_it() -> None:
    world = build_world()
    world.gallery.add(ID, version_body())
    message = JobMessage(image_version_id=ID, sequence=4, correlation_id="c")
    world.app.desk.poison(encode_message(message).encode(), queue=QueueName.TRACKING.value)
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_poison_message_of_a_version_that_does_not_exist_is_not_sent_again() -> None:
    world = build_world()
    message = JobMessage(image_version_id=ID, sequence=4, correlation_id="c")
    world.app.desk.poison(encode_message(message).encode(), queue=QueueName.JOBS.value)
    outcome = replay(world)
    assert (outcome.done, outcome.reason) == (
        False,
        "the image version does not exist (any more)",
    )
    assert the_letter(world).state is LetterState.OPEN


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"", "not JSON"),
        (b"{}", "no format version"),
        (b'{"v": 1, "job": {}}', "job.image_version_id: Field required"),
        (b"x" * 70_000, "longer than 8192 bytes"),
    ],
)
def test_a_message_that_cannot_be_read_is_not_sent_again_and_says_why(
    body: bytes, why: str
) -> None:
    world = build_world()
    world.app.desk.poison(body, queue=QueueName.JOBS.value)
    outcome = replay(world)
    assert not outcome.done
    assert why in outcome.reason
    assert world.queues.waiting == []
    assert the_letter(world).state is LetterState.OPEN


def test_a_message_that_an_older_release_could_not_read_is_read_by_this_one() -> None:
    world = build_world()
    world.gallery.add(ID, version_body())
    world.app.desk.poison(b'{"v": 2}', queue=QueueName.JOBS.value)
    readable = encode_message(JobMessage(image_version_id=ID, sequence=1, correlation_id="c"))
    world.letters.put(replace(the_letter(world), raw=readable))
    assert replay(world).done
    world.run()
    assert world.job(ID).phase is Phase.SUCCEEDED


def test_a_message_of_a_newer_release_goes_back_to_its_queue_as_it_came() -> None:
    world = build_world()
    body = '{"v": 2, "job": {"image": "in other words"}}'
    world.app.desk.poison(body.encode(), queue=QueueName.TRACKING.value)
    assert the_letter(world).code == "newer_format"
    outcome = replay(world)
    assert outcome.reason == "queued on replication-tracking again, for the newer release"
    assert [(one[2], one[3]) for one in world.queues.waiting] == [(QueueName.TRACKING, body)]
    assert the_letter(world).state is LetterState.REPLAYED


def test_a_letter_from_no_queue_of_ours_is_refused_and_kept() -> None:
    world = build_world()
    world.app.desk.poison(b'{"v": 2}', queue="unreadable")
    outcome = replay(world)
    assert not outcome.done
    assert "'unreadable', which is no queue" in outcome.reason
    assert the_letter(world).state is LetterState.OPEN


def test_a_letter_whose_version_cannot_be_read_is_refused_and_kept() -> None:
    world = build_world()
    letter = replace(fail(world), image_version_id="/subscriptions/nonsense")
    world.letters.put(letter)
    outcome = replay(world)
    assert not outcome.done
    assert outcome.reason.startswith("the letter's image version: ")
    assert the_letter(world) == letter
