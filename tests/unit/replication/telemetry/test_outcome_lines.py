"""One line in the log for every outcome, as a flat JSON object that names what it is about."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

import replication.telemetry.metrics as metrics_module
from replication.ports import LetterAction, QueueName
from replication.telemetry.metrics import METRICS, Metric
from tests.support.builders import version_body, version_id
from tests.support.documents import PROJECT
from tests.support.fakes import World, build_world
from tests.support.scenarios.steps import ID, export

OTHER = version_id(version="2.0.0")


def requested(world: World) -> None:
    world.gallery.add(ID, version_body())
    world.app.intake.request(ID, trigger="asked for by a test", correlation_id="corr-7")


def swept(world: World) -> None:
    world.gallery.add(ID, version_body())
    world.app.sweep.run()


def cancelled(world: World) -> None:
    world.app.operations.canceller.cancel(ID.key, remove=False, by="operator 1")


def released(world: World) -> None:
    world.app.operations.releaser.release(ID.key, by="operator 1")


def paused(world: World) -> None:
    world.app.pauses.pause(QueueName.JOBS, by="operator 1", reason="an incident")


def resumed(world: World) -> None:
    world.app.pauses.resume(QueueName.JOBS, by="operator 1")


def laid(world: World) -> None:
    world.app.desk.poison(b"{", queue="replication-jobs")


def discarded(world: World) -> None:
    (letter,) = world.letters.letters
    world.app.dead_letters.act(letter, LetterAction.DISCARD, by="operator 1")


def resolved(world: World) -> None:
    (letter,) = world.letters.letters
    for _ in range(2):
        world.app.desk.resolve(letter, reason="the job ended well")


def nothing(world: World) -> None:
    del world


@pytest.mark.parametrize(
    ("before", "act", "told"),
    [
        (nothing, export, ["event.queued"]),
        (nothing, requested, ["replication.requested"]),
        (export, requested, ["replication.requested"]),
        (nothing, swept, ["sweep.finding", "sweep.done"]),
        (export, swept, ["sweep.done"]),
        (export, cancelled, ["replication.cancelled", "job.ended"]),
        (export, released, ["replication.not_released"]),
        (nothing, paused, ["queue.paused"]),
        (paused, resumed, ["queue.resumed"]),
        (nothing, laid, ["dead_letter.kept"]),
        (laid, discarded, ["dead_letter.discard"]),
        (laid, resolved, ["dead_letter.resolved"]),
    ],
)
def test_an_outcome_is_one_line(
    caplog: pytest.LogCaptureFixture,
    before: Callable[[World], None],
    act: Callable[[World], None],
    told: list[str],
) -> None:
    world = build_world()
    before(world)
    caplog.set_level(logging.INFO)
    caplog.clear()
    act(world)
    assert [one["event"] for one in lines(caplog)] == told


def test_a_replication_leaves_one_line_for_each_message_and_each_replica(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = build_world()
    export(world)
    world.run()
    told = [one["event"] for one in lines(caplog)]
    assert told[0] == "event.queued"
    assert told.count("replica.completed") == len(world.job(ID).replicas)
    assert told.count("job.ended") == 1
    looks = [one for one in lines(caplog) if one["event"] == "replication.reconciled"]
    sequences = [one["sequence"] for one in looks]
    assert sequences == sorted(set(sequences))
    assert {one["key"] for one in looks} == {ID.key}


def test_a_request_is_told_with_what_it_led_to(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = build_world()
    world.app.intake.request(OTHER, trigger="asked for by a test", correlation_id="corr-7")
    (line,) = lines(caplog)
    assert line == {
        "event": "replication.requested",
        "key": OTHER.key,
        "image_version": str(OTHER),
        "correlation_id": "corr-7",
        "action": "not_found",
        "trigger": "asked for by a test",
        "reason": "the image version does not exist (any more)",
    }


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(one.message) for one in caplog.records if one.name == "gallery_replicator"]


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.name)
def test_every_metric_is_told_by_some_code(metric: Metric) -> None:
    (name,) = (known for known, one in vars(metrics_module).items() if one is metric)
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("replication", "costs", "handlers")
        for path in (PROJECT / folder).rglob("*.py")
        if path.name != "metrics.py" or folder == "handlers"
    ]
    # Once where it is imported, and where it is told.
    assert max(text.count(name) for text in sources) >= 2
