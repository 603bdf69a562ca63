"""Seeds of the whole app, many more of which `make soak` runs; and proof that checks can fail."""

import hashlib
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.app import Ports
from replication.dead_letters.index import ListedLetters
from replication.domain.image_version import ImageVersionId
from replication.ports import JobPage, QueueName
from tools.simulation.figures import replay_command, run_seeds
from tools.simulation.simulation import Simulation

SEEDS = 200
PROJECT = Path(__file__).resolve().parents[2]
_CHUNK = 50
# Seeds beyond those of the run, so that a planted mistake meets other worlds than the sound app.
_PLANTED = range(50_000, 50_060)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SEEDS, _CHUNK))
def test_nothing_is_lost_whatever_breaks(first: int) -> None:
    figures = run_seeds(range(first, first + _CHUNK))
    told = [f"{problem}\n  {replay_command(seed)}" for seed, problem in figures.violations]
    assert not told, "\n".join(told)
    assert figures.counts["exports"] >= _CHUNK


@pytest.mark.parametrize("seed", [3, 16, 61])
def test_a_seed_replays_step_by_step(seed: int) -> None:
    assert _trace_of(seed) == _trace_of(seed)


def test_every_kind_of_fault_happens() -> None:
    counts: Counter[str] = Counter()
    for first in range(0, 100, _CHUNK):
        counts.update(run_seeds(range(first, first + _CHUNK)).counts)
    kinds = (
        *("answer_lost", "conflict", "copy_failed", "copy_stalled", "list_broken"),
        *("message_doubled", "message_lost", "storage_answer_lost", "storage_blip", "thought_gone"),
        *("throttled", "throttled_without_a_time", "unavailable", "unknown_refusal", "write_lost"),
        *("cancels", "deletions", "kills", "poisoned", "rival writes", "replayed"),
    )
    assert [kind for kind in kinds if not counts[kind]] == []


def test_the_command_runs_many_seeds_and_tells_their_figures() -> None:
    ran = _command("--seeds", "60", "--workers", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "100 % of 60 seeds" in ran.stdout
    for words in ("seeds per second", "kills", "violations"):
        assert words in ran.stdout


def test_the_command_replays_a_seed_step_by_step() -> None:
    ran = _command("--seed", "3", "--trace")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "arm.read 1.0.0" in ran.stdout
    assert ran.stdout.endswith("seed 3: all invariants hold\n")


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tools.simulation", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def _trace_of(seed: int) -> tuple[int, str]:
    lines: list[str] = []
    Simulation(seed, out=lines.append).run()
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()


class _Wrapped:
    """A port with one call changed."""

    def __init__(self, port: object, **changed: Callable[..., Any]) -> None:
        self._port = port
        self._changed = changed

    def __getattr__(self, name: str) -> Any:
        return self._changed.get(name) or getattr(self._port, name)


def drops_a_region(ports: Ports) -> Ports:
    """Write the list without its last foreign region, as read-append-write does."""
    gallery = ports.gallery

    def write(version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]) -> None:
        foreign = [one for one in entries if one.get("regionalReplicaCount") == 2]
        gallery.set_target_regions(version_id, [one for one in entries if one not in foreign[-1:]])

    return replace(ports, gallery=_Wrapped(gallery, set_target_regions=write))


def writes_twice(ports: Ports) -> Ports:
    """Send each write once more, as a client that retries by itself does."""
    gallery = ports.gallery

    def write(version_id: ImageVersionId, entries: Sequence[Mapping[str, Any]]) -> None:
        gallery.set_target_regions(version_id, entries)
        gallery.set_target_regions(version_id, entries)

    return replace(ports, gallery=_Wrapped(gallery, set_target_regions=write))


def forgets_to_look_again(ports: Ports) -> Ports:
    """Queue nothing for tracking, and let the sweep find no record."""
    queues, store = ports.queues, ports.store

    def send(queue: QueueName, *args: Any, **kwargs: Any) -> None:
        if queue is not QueueName.TRACKING:
            queues.send(queue, *args, **kwargs)

    def find(_query: object) -> JobPage:
        return JobPage(jobs=(), next_cursor=None)

    return replace(ports, queues=_Wrapped(queues, send=send), store=_Wrapped(store, find=find))


def keeps_no_letters(ports: Ports) -> Ports:
    """Say that a letter is kept, and keep none."""
    return replace(ports, letters=_Wrapped(ports.letters, put=lambda _letter: None))


def lists_no_letters(ports: Ports) -> Ports:
    """Say that a letter is listed, and list none."""
    letters = ports.letters
    assert isinstance(letters, ListedLetters)
    listing: Any = _Wrapped(letters.listing, commit=lambda _changes: None)
    return replace(ports, letters=replace(letters, listing=listing))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drops_a_region, "which the app had not added"),
        (writes_twice, "without a fresh look"),
        (forgets_to_look_again, "past its deadline"),
        (keeps_no_letters, "has no dead letter"),
        (lists_no_letters, "and the list shows"),
    ],
)
def test_a_planted_mistake_is_noticed(spoil: Callable[[Ports], Ports], words: str) -> None:
    for seed in _PLANTED:
        run = Simulation(seed, spoil=spoil).run()
        if any(words in problem for problem in run.problems):
            return
    raise AssertionError(f"{spoil.__name__} was not noticed in {len(_PLANTED)} seeds")
