"""Worlds made of recorded rows, and the calls of the HTTP API that were answered from them."""

import json
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from bootstrap import use
from bootstrap.app import build_app
from bootstrap.costs import build_costs
from costs.ports import CostPorts
from costs.pricing.estimator import Estimates
from costs.pricing.price_book import decode_book
from costs.pricing.sizes import decode_sizes
from costs.report.cache import ReportCache
from handlers.http import actions, costs, dead_letters, health, queues, replications
from replication.config.policy_file import parse_policy
from replication.domain.image_version import ImageVersionId
from replication.ports import QueueName
from tests.golden.codecs import KINDS, read_control, read_entry, read_job, read_letter
from tests.golden.data import FOLDER, Raw
from tests.support.costs.blobs import MemoryBlobs
from tests.support.fakes import World, build_world
from tests.support.http.calling import call

_FUNCTIONS = {
    "health": health.health,
    "replications": replications.replications,
    "replication": replications.replication,
    "queues": queues.queues,
    "actions": actions.actions,
    "dead_letters": dead_letters.list_letters,
    "dead_letter": dead_letters.show,
    "replay": dead_letters.replay,
    "discard": dead_letters.discard,
    "replay_many": dead_letters.replay_many,
    "discard_many": dead_letters.discard_many,
    "replicate": replications.replicate,
    "cancel": replications.cancel,
    "release": replications.release,
    "pause": queues.pause,
    "resume": queues.resume,
    "costs": costs.costs,
}


def recorded_world(recorded: Raw) -> World:
    """Return the world that the rows make."""
    policy = parse_policy(recorded["policy"].encode())
    world, blobs = build_world(policy=policy), MemoryBlobs()
    for name, file in recorded["ledger"].items():
        blobs.create(name, (FOLDER / file).read_bytes())
    if not recorded["ledger"]:
        blobs.create(f"prices/{policy.currency}.json", recorded["price_book"].encode())
        blobs.create("occupied-sizes.json", recorded["sizes"].encode())
    ports = replace(world.app.ports, costs=CostPorts(blobs=blobs))
    world.app = build_app(world.app.settings, policy, ports)
    if recorded["ledger"]:
        # The audit was asked with the shipped prices, and with estimates by the recorded ones.
        book = decode_book(recorded["price_book"].encode())
        sizes = decode_sizes(recorded["sizes"].encode())
        audit = build_costs(
            ports.costs,
            world.app.settings,
            policy,
            store=ports.store,
            gallery=ports.gallery,
            catalogs=ports.catalogs,
            estimates=Estimates(book=lambda _currency: book, sizes=lambda: sizes),
            clock=ports.clock,
            shown=ReportCache(),
        )
        world.app = replace(world.app, open_costs=lambda: audit)
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
        world.app.shared_state.put(KINDS[row["PartitionKey"]], read_control(row))
    for queue, body, delay_s in recorded["messages"]:
        world.queues.put_back(QueueName(queue), body, delay_s=delay_s)
    for text, body in recorded["gallery"]:
        world.gallery.add(ImageVersionId.parse(text), body)
    return world


def ask(world: World, asked: Raw) -> tuple[int, str]:
    """Return the status and the body that a call answers; `plan` is the command's."""
    if asked["call"] == "plan":
        plan = world.app.planner.plan(ImageVersionId.parse(asked["params"]["version"]))
        return int(HTTPStatus.OK), json.dumps(plan and plan.document())
    with use(world.app):
        answer = call(
            _FUNCTIONS[asked["call"]],
            params=asked.get("params"),
            route=asked.get("route"),
            body=asked.get("body"),
        )
    return answer.status, answer.text
