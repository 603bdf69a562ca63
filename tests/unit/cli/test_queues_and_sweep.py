"""`queues` shows what waits; `sweep` finds what was missed."""

from dataclasses import replace

from replication.domain.errors import FailureCode, PermanentError, TransientError
from replication.domain.message import JobMessage
from replication.ports import QueueDepth, QueueName
from tests.support.builders import version_body, version_id
from tests.support.fakes import MemoryQueues, World
from tests.support.shell import Shell


def test_every_queue_is_shown_with_what_waits_in_it(world: World, shell: Shell) -> None:
    message = JobMessage(image_version_id=version_id(), sequence=1, correlation_id="corr-1")
    world.queues.send(QueueName.JOBS, message)
    world.queues.send(QueueName.JOBS, message, delay_s=60)
    answer = shell("queues")
    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()] == [
        ["QUEUE", "MESSAGES", "HIDDEN", "OLDEST", "POISON", "PAUSED"],
        ["replication-jobs", "2", "1", "0", "s", "0", "no"],
        ["replication-tracking", "0", "0", "-", "0", "no"],
        ["replication-events", "0", "0", "-", "0", "no"],
    ]


class DeepQueues(MemoryQueues):
    def depths(self) -> tuple[QueueDepth, ...]:
        depth = QueueDepth(
            name="replication-jobs", depth=7, invisible=None, oldest_age_s=61.4, poison_depth=2
        )
        return (depth,)


def test_what_cannot_be_counted_is_a_dash(world: World, shell: Shell) -> None:
    queries = replace(world.app.queries, queues=DeepQueues(world.clock))
    shell.open_app = lambda: replace(world.app, queries=queries)
    assert shell("queues").out.splitlines()[1].split() == [
        *("replication-jobs", "7", "-", "61", "s", "2", "no")
    ]


def test_the_queues_as_json_have_the_shape_of_the_api(world: World, shell: Shell) -> None:
    assert shell("queues", "--json").json == world.app.queries.queue_depths().document()


def test_a_sweep_queues_a_version_that_no_event_told_of(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    answer = shell("sweep")
    assert answer.code == 0
    assert str(version_id()).lower() in answer.out.lower()
    said = "1 image versions seen, 0 out of scope, 1 queued, 0 replicas stuck."
    assert answer.out.splitlines()[-1] == said
    assert len(world.queues.waiting) == 1


def test_a_dry_run_tells_and_changes_nothing(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    answer = shell("sweep", "--dry-run")
    assert answer.code == 0
    assert answer.out.splitlines()[-1].endswith(", 1 would be queued (dry run), 0 replicas stuck.")
    assert (world.queues.waiting, world.store.rows) == ([], {})


def test_the_sweep_as_json_names_every_finding(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    report = shell("sweep", "--dry-run", "--json").json
    assert [one["key"] for one in report.pop("findings")] == [version_id().key]
    counts = {"versions_seen": 1, "out_of_scope": 0, "stuck_replicas": 0}
    assert report == {"dry_run": True, **counts, "errors": []}


def test_a_sweep_that_finds_nothing_says_so(shell: Shell) -> None:
    answer = shell("sweep")
    said = "0 image versions seen, 0 out of scope, 0 queued, 0 replicas stuck.\n"
    assert (answer.code, answer.out) == (0, said)


def test_an_incomplete_sweep_prints_what_it_did_and_has_failed(world: World, shell: Shell) -> None:
    world.gallery.read_failures = [TransientError("nobody answers")]
    answer = shell("sweep", "--json")
    assert answer.code == 1
    assert answer.json["errors"] == ["subscriptions: nobody answers"]
    assert answer.err == "Error: subscriptions: nobody answers\n"


def test_a_storage_that_refuses_is_not_allowed(world: World, shell: Shell) -> None:
    world.store.failures = [PermanentError("storage refused", code=FailureCode.NOT_AUTHORISED)]
    assert shell("sweep").code == 4
