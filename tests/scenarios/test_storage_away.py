"""Twenty exports while the storage is away, or answers the host as it may: nothing lost or doubled.

With `-s` each story prints its figures, those of docs/reliability.md.
"""

import sys
from statistics import median
from typing import Any, NamedTuple

import pytest

from replication.domain.errors import FailureCode
from replication.ports import LetterAction, LetterState
from replication.records.message_codec import decode_message
from tests.support.localcloud.queue_service import Fault
from tests.support.scenarios.hosted import FIRST, Exports

JOBS = "replication-jobs"
POISON = f"{JOBS}-poison"
# All tries of the host's client.
TRIES = 6
MAX_DEQUEUE_COUNT = 5
STARTS_ANEW_WITHIN_S = 60
LOCK_S = 600


class Place(NamedTuple):
    """A request of the host that a fault may meet, and what the function does to bring it about."""

    fault: dict[str, Any]
    story: dict[str, Any]


PLACES = {
    "look": Place({"on": "exists", "queue": JOBS}, {}),
    "receive": Place({"on": "receive", "queue": JOBS}, {}),
    "delete": Place({"on": "delete", "queue": JOBS, "message_id": FIRST}, {}),
    "hide": Place({"on": "update", "queue": JOBS, "message_id": FIRST}, {"deaths": 1}),
    "renew": Place({"on": "update", "queue": JOBS, "message_id": FIRST}, {"slow_s": 400}),
    "bury": Place({"on": "put", "queue": POISON}, {"deaths": MAX_DEQUEUE_COUNT}),
    "create": Place(
        {"on": "create", "queue": POISON}, {"deaths": MAX_DEQUEUE_COUNT, "missing": POISON}
    ),
    "delete the buried": Place(
        {"on": "delete", "queue": JOBS, "message_id": FIRST}, {"deaths": MAX_DEQUEUE_COUNT}
    ),
}
# The answers that were recorded or read for each request, and how often each comes.
ANSWERS = [
    ("400 PopReceiptMismatch", 1, ("delete", "hide", "renew", "delete the buried")),
    ("400 InvalidInput", 1, ("look", "receive", "delete", "hide", "bury")),
    (
        "403 AuthorizationFailure",
        1,
        ("look", "receive", "delete", "hide", "renew", "bury", "create", "delete the buried"),
    ),
    ("404 QueueNotFound", 1, ("look", "receive", "delete", "hide", "renew", "bury")),
    ("404 MessageNotFound", 1, ("delete", "hide", "renew", "delete the buried")),
    ("404 ResourceNotFound", 1, ("look", "receive", "delete", "hide", "bury")),
    (
        "409 QueueBeingDeleted",
        1,
        ("look", "receive", "delete", "hide", "renew", "bury", "create"),
    ),
    ("409 QueueDisabled", 1, ("look", "receive", "delete")),
    ("409 AccountIsDisabled", 1, ("look", "receive", "delete", "hide")),
    ("413 RequestBodyTooLarge", 1, ("bury",)),
    ("408 RequestTimeout", TRIES, ("receive",)),
    ("429 TooManyRequests", TRIES, ("receive", "delete")),
    ("500 InternalError", 1, ("receive", "delete", "hide", "renew", "bury")),
    (
        "500 InternalError",
        TRIES,
        ("look", "receive", "delete", "hide", "renew", "bury", "create", "delete the buried"),
    ),
    ("503 ServerBusy", TRIES, ("receive", "delete", "hide", "bury")),
    ("reset", 1, ("receive", "delete")),
    ("reset", TRIES, ("look", "receive", "delete", "hide", "renew", "bury")),
    ("silence", TRIES, ("look", "receive", "delete", "hide", "bury")),
    ("lost_answer", 1, ("receive", "delete", "hide", "renew", "bury", "delete the buried")),
]
CELLS = [(place, answer, times) for answer, times, places in ANSWERS for place in places]


def fault(place: str, answer: str, times: int) -> Fault:
    status, _, code = answer.partition(" ")
    told = {"kind": "status", "status": int(status), "code": code} if code else {"kind": answer}
    return Fault(**PLACES[place].fault, **told, times=times)


def show(label: str, run: Exports) -> None:
    durations = sorted(run.durations_s)
    sys.stdout.write(
        f"{label}: {len(durations)} exports done, median {median(durations):.0f} s, "
        f"at most {durations[-1]:.0f} s; {len(run.ends)} hosts ended; "
        f"{run.came_again} messages came again; {len(run.world.letters.letters)} letters\n"
    )


def assert_nothing_lost_or_doubled(run: Exports) -> None:
    assert run.all_done
    assert run.left == {}
    assert len(run.world.gallery.writes) == run.count


@pytest.mark.parametrize("away_s", [0, 5, 30, 90])
def test_a_storage_that_is_away_loses_and_doubles_nothing(away_s: int) -> None:
    run = Exports(away=(30, away_s))
    run.run()
    show(f"storage away for {away_s} s", run)
    assert_nothing_lost_or_doubled(run)
    assert run.world.letters.letters == {}
    # A host stands 22 s; the one after it starts at once and ends as soon, if nothing answers.
    assert bool(run.ends) is (away_s > 22)
    calm = Exports()
    calm.run()
    # What could not be settled waits for its lock; all else goes on once a host is there.
    late_s = LOCK_S if run.came_again else away_s
    assert max(run.durations_s) <= max(calm.durations_s) + late_s + STARTS_ANEW_WITHIN_S


@pytest.mark.slow
@pytest.mark.parametrize(("place", "answer", "times"), CELLS)
def test_no_answer_to_the_host_loses_or_doubles_anything(
    place: str, answer: str, times: int
) -> None:
    run = Exports(faults=[fault(place, answer, times)], **PLACES[place].story)
    run.run()
    show(f"{place}: {times} x {answer}", run)
    assert run.faults_met == times
    assert_nothing_lost_or_doubled(run)


@pytest.mark.parametrize("answer", ["400 PopReceiptMismatch", "500 InternalError"])
def test_a_message_that_was_not_settled_comes_again_beside_its_finished_self(answer: str) -> None:
    run = Exports(faults=[fault("delete", answer, TRIES if "500" in answer else 1)])
    run.run()
    assert run.calls["replicate", FIRST] == 2
    assert_nothing_lost_or_doubled(run)


@pytest.mark.parametrize(
    ("place", "answer"),
    [("bury", "lost_answer"), ("delete the buried", "403 AuthorizationFailure")],
)
def test_a_message_that_is_buried_twice_is_one_letter(place: str, answer: str) -> None:
    run = Exports(faults=[fault(place, answer, 1)], **PLACES[place].story)
    run.run()
    # Two copies, each brought to the desk: what they say is the same.
    assert sum(count for (name, _), count in run.calls.items() if name == "dead_letter_jobs") == 2
    (letter,) = run.world.letters.letters.values()
    assert letter.code == FailureCode.POISON_MESSAGE
    assert decode_message(letter.raw).image_version_id == run.ids[0]
    assert_nothing_lost_or_doubled(run)


def test_a_letter_that_came_twice_is_sent_again_once_and_writes_nothing_more() -> None:
    run = Exports(faults=[fault("bury", "lost_answer", 1)], **PLACES["bury"].story)
    run.run()
    (letter,) = run.world.letters.letters.values()
    assert run.world.app.dead_letters.act(letter.id, LetterAction.REPLAY, by="Casey").done
    run.world.run()
    (letter,) = run.world.letters.letters.values()
    assert letter.state is LetterState.REPLAYED
    assert len(run.world.gallery.writes) == run.count


def test_messages_taken_by_a_receive_whose_answer_was_lost_come_when_their_lock_ends() -> None:
    run = Exports(faults=[fault("receive", "lost_answer", 1)])
    run.run()
    assert LOCK_S < max(run.durations_s) - median(run.durations_s) < LOCK_S + STARTS_ANEW_WITHIN_S
    assert_nothing_lost_or_doubled(run)


def test_a_refusal_ends_the_host_and_the_next_one_goes_on() -> None:
    run = Exports(faults=[fault("delete", "403 AuthorizationFailure", 1)])
    run.run()
    assert run.ends == [f"DELETE {JOBS}/messages/{FIRST} was answered 403 AuthorizationFailure"]
    # Only the message that was not settled waits for its lock; its neighbours were settled.
    assert run.came_again == 1
    assert_nothing_lost_or_doubled(run)


@pytest.mark.parametrize("stop_s", [20, 120])
def test_a_function_cut_by_a_stop_is_called_again_for_its_message(stop_s: int) -> None:
    # Its work is done 100 s after its call.
    run = Exports(stop_s=stop_s, slow_s=200)
    run.run()
    assert run.ends == ["stopped"]
    assert run.calls["replicate", FIRST] == 2
    # Messages that came between the signal and the end were taken all the same.
    assert run.came_again == 1
    assert_nothing_lost_or_doubled(run)
