"""The pages of the desk against an emulator: calls, rows, and the time without storage."""

import gzip
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests

from bench.figures import Figure, at_most, stopwatch
from bench.filled_storage import fill
from bootstrap import use
from handlers.http import replications
from handlers.http.access import ENVIRONMENT
from tests.support.dashboard.pages import ask
from tests.support.http.calling import Answer, call
from tests.support.storage.wire import rows_in, running_storage

_SIZES = (1_000, 10_000, 100_000)
_PAGES = {
    "overview": "/dashboard",
    "replications": "/dashboard/replications",
    "filtered": "/dashboard/replications?phase=succeeded&gallery=gallery7",
    "searched": "/dashboard/replications?search=image1",
    "second page": "/dashboard/replications?cursor={cursor}",
    "one replication": "/dashboard/replications/{key}",
    "one replication, 1,200 looks": "/dashboard/replications/{long}",
    "dead letters": "/dashboard/dead-letters",
    "dead letters, filtered": "/dashboard/dead-letters?failure_code=locked&region=westus3",
    "regions": "/dashboard/regions",
    "costs, a month": "/dashboard/costs",
    "policy": "/dashboard/policy",
    "actions": "/dashboard/actions",
    "API: replications": "/api/v1/replications",
    "API: replications, filtered": "/api/v1/replications?phase=failed",
}
# A report that was made is kept while its files stay the same.
_KEPT = ("costs, a month",)
_ROUNDS = 15
_SERVER_MS, _WEIGHT_KB = 50.0, 100.0


def run(scale: float) -> Iterator[Figure]:
    """Ask for every page with three sizes of history."""
    for size in _SIZES:
        with running_storage() as storage:
            yield from _measure(storage, max(100, int(size * scale)), promised=scale == 1)


def _measure(storage: str, count: int, *, promised: bool) -> Iterator[Figure]:
    with _serving(storage):
        with stopwatch() as filling:
            key, long = fill(storage, count)
        yield Figure(name=f"filling {count:,}", value=filling.seconds, unit="s")
        cursor = ask("/dashboard/replications.json").json["next"]
        for name, template in _PAGES.items():
            address = template.format(key=key, long=long, cursor=cursor)
            first = _round(address)
            if name in _KEPT:
                yield Figure(
                    name=f"{name}, {count:,}: first time, without storage",
                    value=first.total_ms - first.storage_ms,
                    unit="ms",
                )
            rounds = [_round(address) for _ in range(_ROUNDS)]
            calls, rows = max(one.calls for one in rounds), max(one.rows for one in rounds)
            total = statistics.median(one.total_ms for one in rounds)
            server = statistics.median(one.total_ms - one.storage_ms for one in rounds)
            label = f"{name}, {count:,}"
            yield Figure(name=f"{label}: storage calls", value=calls, unit="")
            yield Figure(name=f"{label}: rows read", value=rows, unit="")
            yield Figure(name=f"{label}: in all", value=total, unit="ms")
            own = f"{label}: without storage"
            if promised:
                yield at_most(own, server, "ms", _SERVER_MS)
            else:
                yield Figure(name=own, value=server, unit="ms")
            weight = rounds[0].bytes / 1000
            if address.startswith("/api/"):
                yield Figure(name=f"{label}: weight", value=weight, unit="kB")
            else:
                yield at_most(f"{label}: weight", weight, "kB", _WEIGHT_KB)
            yield Figure(name=f"{label}: packed", value=rounds[0].packed / 1000, unit="kB")


@dataclass(slots=True)
class _Round:
    total_ms: float = 0.0
    storage_ms: float = 0.0
    calls: int = 0
    rows: int = 0
    bytes: int = 0
    packed: int = 0
    answers: list[requests.Response] = field(default_factory=list)


def _round(address: str) -> _Round:
    """Ask once, with a watch at the place where the vendor's clients leave this process."""
    done = _Round()
    send = requests.Session.send
    lock, waiting, since = Lock(), 0, 0.0

    def timed(session: requests.Session, request: Any, **options: Any) -> requests.Response:
        nonlocal waiting, since
        with lock:
            # Of calls side by side the time counts once.
            since = since if waiting else perf_counter()
            waiting += 1
        try:
            answer = send(session, request, **options)
        finally:
            with lock:
                waiting -= 1
                done.storage_ms += 0 if waiting else (perf_counter() - since) * 1000
        done.calls += 1
        done.answers.append(answer)
        return answer

    with patch.object(requests.Session, "send", timed), stopwatch() as watch:
        page = _ask(address)
    assert page.status == 200, page.text  # noqa: S101 - a page that fails is no figure
    done.total_ms = watch.seconds * 1000
    done.rows = sum(map(rows_in, done.answers))
    body = page.text.encode()
    done.bytes, done.packed = len(body), len(gzip.compress(body))
    return done


def _ask(address: str) -> Answer:
    """Ask for a page, or for the list of the API."""
    parts = urlsplit(address)
    if not parts.path.startswith("/api/"):
        return ask(address)
    return call(replications.replications, params=dict(parse_qsl(parts.query)))


@contextmanager
def _serving(storage: str) -> Iterator[None]:
    """Let the handlers answer from an app on the emulator, as on a developer's machine."""
    settings = {
        ENVIRONMENT: "Development",
        "AzureWebJobsStorage": storage,
        "AZURE_RESOURCE_MANAGER_URL": "http://127.0.0.1:9",
    }
    with patch.dict(os.environ, settings), use(None):
        yield
