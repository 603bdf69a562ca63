"""`replicate` asks for a replication now."""

from datetime import timedelta
from pathlib import Path

from replication.domain.errors import TransientError
from replication.domain.job import Lease
from replication.domain.policy import GalleryScope, ReplicationPolicy
from tests.support.builders import version_body, version_id
from tests.support.fakes import World, build_world
from tests.support.jobs import altered
from tests.support.shell import Shell


def test_a_new_version_is_put_on_record_and_queued(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    answer = shell("replicate", str(version_id()))
    assert answer.code == 0
    assert answer.out.startswith("queued: ")
    assert f"gallery-replicator status {version_id().key}" in answer.out
    assert len(world.queues.waiting) == 1
    assert world.job(version_id()).trigger == "asked for by the command line"


def test_the_answer_as_json_holds_the_key(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    answer = shell("replicate", str(version_id()), "--json")
    assert answer.code == 0
    assert answer.json == {
        "action": "queued",
        "reason": world.job(version_id()).reason,
        "image_version_id": str(version_id()),
        "key": version_id().key,
    }


def test_a_version_that_has_nowhere_to_go_is_skipped_and_that_is_done(
    world: World, shell: Shell
) -> None:
    world.gallery.add(version_id(), version_body(location="polandcentral"))
    answer = shell("replicate", str(version_id()))
    assert (answer.code, answer.out.split(":")[0]) == (0, "skipped")


def test_a_version_on_record_is_looked_at_again(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    shell("replicate", str(version_id()))
    world.run()
    assert shell("replicate", str(version_id())).code == 0
    assert len(world.queues.waiting) == 1


def test_a_look_under_way_is_no_failure(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    shell("replicate", str(version_id()))
    stored = world.store.load(version_id().key)
    assert stored is not None
    lease = Lease(owner="worker-9", expires_at=world.clock() + timedelta(minutes=2))
    world.store.replace(stored, altered(stored.job, lease=lease, next_attempt_at=None))
    answer = shell("replicate", str(version_id()))
    assert answer.code == 0
    assert "look at 2026-11-23 08:02:00 UTC" in answer.out


def test_a_version_that_does_not_exist_is_not_found(shell: Shell) -> None:
    answer = shell("replicate", str(version_id()), "--json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.endswith("the image version does not exist (any more)\n")


def test_a_version_out_of_scope_is_not_allowed(tmp_path: Path) -> None:
    world = build_world(policy=ReplicationPolicy(galleries=GalleryScope(attach=("prod",))))
    world.gallery.add(version_id(), version_body())
    shell = Shell(open_app=lambda: world.app, folder=tmp_path, env={})
    answer = shell("replicate", str(version_id()), "--json")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == "Error: gallery labgallery is not attached by the policy\n"
    assert world.queues.waiting == []


def test_a_queue_out_of_reach_has_failed(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    world.queues.failures = [TransientError("storage: no route")]
    answer = shell("replicate", str(version_id()))
    assert (answer.code, answer.err) == (1, "Error: storage: no route\n")


def test_a_malformed_id_is_wrong_usage(closed_shell: Shell) -> None:
    assert closed_shell("replicate", "maths").code == 2
