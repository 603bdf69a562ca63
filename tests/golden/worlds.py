"""Worlds made of recorded rows, and the calls of the HTTP API that were answered from them."""

import json
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from unittest.mock import patch

from costs.estimates import Estimates
from costs.price_book import decode_book
from costs.sizes import decode_sizes
from handlers import actions_api, costs_api, dead_letters_api, http_api
from replication import bootstrap
from replication.app import build_app
from replication.image_version import ImageVersionId
from replication.policy_file import parse_policy
from replication.ports import QueueName
from tests.costs.fakes import MemoryBlobs
from tests.fakes import World, build_world
from tests.golden.codecs import read_control, read_entry, read_job, read_letter
from tests.golden.data import FOLDER, Raw
from tests.handlers.calling import call

_FUNCTIONS = {
    "health": http_api.health,
    "replications": http_api.replications,
    "replication": http_api.replication,
    "queues": http_api.queues,
    "actions": http_api.actions,
    "dead_letters": dead_letters_api.list_letters,
    "dead_letter": dead_letters_api.show,
    "replay": dead_letters_api.replay,
    "discard": dead_letters_api.discard,
    "replay_many": dead_letters_api.replay_many,
    "discard_many": dead_letters_api.discard_many,
    "replicate": actions_api.replicate,
    "cancel": actions_api.cancel,
    "release": actions_api.release,
    "pause": actions_api.pause,
    "resume": actions_api.resume,
    "costs": costs_api.costs,
}


def recorded_world(recorded: Raw) -> World:
    """Return the world that the rows make."""
    policy = parse_policy(recorded["policy"].encode())
    world, blobs = build_world(policy=policy), MemoryBlobs()
    for name, file in recorded["ledger"].items():
        blobs.create(name, (FOLDER / file).read_bytes())
    book = decode_book(recorded["price_book"].encode())
    sizes = decode_sizes(recorded["sizes"].encode())
    estimates = Estimates(book=lambda _currency: book, sizes=lambda: sizes)
    ports = replace(world.app.ports, blobs=blobs, estimates=estimates)
    world.app = build_app(world.app.settings, policy, ports)
    world.clock.now = datetime.fromisoformat(recorded["now"])
    for row in recorded["jobs"]:
        job = read_job(row)
        world.store.insert(job)
        world.app.listing.note(job)
    for row in recorded["timeline"]:
        world.history.append(row["PartitionKey"], [read_entry(row)])
    for row in recorded["letters"]:
        world.letters.put(read_letter(row))
    for row in recorded["controls"]:
        world.app.pauses.controls.put(read_control(row))
    for queue, body, delay_s in recorded["messages"]:
        world.queues.put_back(QueueName(queue), body, delay_s=delay_s)
    for text, body in recorded["gallery"]:
        world.gallery.add(ImageVersionId.parse(text), body)
    return world


def ask(world: World, asked: Raw) -> tuple[int, str]:
    """Return the status and the body that a call answers; `plan` is the command's."""
    if asked["call"] == "plan":
        plan = world.app.queries.plan(ImageVersionId.parse(asked["params"]["version"]))
        return int(HTTPStatus.OK), json.dumps(plan)
    with patch.object(bootstrap, "_app", world.app):
        answer = call(
            _FUNCTIONS[asked["call"]],
            params=asked.get("params"),
            route=asked.get("route"),
            body=asked.get("body"),
        )
    return answer.status, answer.text
