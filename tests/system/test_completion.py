"""What the shell offers for the next word."""

import os
import subprocess

import pytest

from tests.support.command import COMMAND


def offered(*words: str) -> list[str]:
    """Ask as bash does, with the last word not yet complete; no setting is there to be read."""
    env = {
        "PATH": os.environ["PATH"],
        "_GALLERY_REPLICATOR_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("gallery-replicator", *words)),
        "COMP_CWORD": str(len(words)),
    }
    answer = subprocess.run(  # noqa: S603 - our own command
        [COMMAND], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.stderr == ""
    return answer.stdout.split("\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dead-l"], "dead-letters"),
        (["status", "--phase", "fa"], "failed"),
        (["status", "--phase", "failed,tr"], "failed,tracking"),
        (["status", "--geography", "Norw"], "Norway"),
        (["queues", "pause", "replication-t"], "replication-tracking"),
        (["dead-letters", "list", "--code", "copy"], "copy_failed"),
        (["dead-letters", "replay", "--region", "westus3"], "westus3"),
        (["dead-letters", "discard", "--state", "res"], "resolved"),
        (["dead-letters", "list", "--source", "ev"], "event"),
        (["regions", "norwaye"], "norwayeast"),
    ],
    ids=str,
)
def test_a_word_is_completed_without_any_storage(words: list[str], expected: str) -> None:
    assert expected in offered(*words)


def test_the_script_for_a_shell_is_printed() -> None:
    env = {"PATH": os.environ["PATH"], "_GALLERY_REPLICATOR_COMPLETE": "source_bash"}
    answer = subprocess.run(  # noqa: S603 - our own command
        [COMMAND], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "complete -o default -F" in answer.stdout
    assert "gallery-replicator" in answer.stdout
