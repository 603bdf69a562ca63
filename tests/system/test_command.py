"""The installed command, as a process."""

import json
import threading
from pathlib import Path

from tests.support.command import in_terminal, run
from tests.support.fakes import build_world
from tests.support.http.serving import serving_app
from tests.support.scenarios.steps import ID, export


def test_help_lists_the_commands(tmp_path: Path) -> None:
    answer = run("--help", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    commands = ("plan", "replicate", "status", "cancel", "queues", "dead-letters", "regions")
    for command in (*commands, "policy", "sweep"):
        assert f" {command} " in answer.stdout


def test_regions_answers_in_json_without_any_setting(tmp_path: Path) -> None:
    answer = run("regions", "West US 2", "--json", folder=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["geography"] == "United States"


def test_policy_check_tells_mistakes_even_in_a_locale_without_the_letters(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("gälleries: {}\n", encoding="utf-8")
    answer = run(
        "policy", "check", "policy.yaml", folder=tmp_path, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("policy.yaml: line 1: unknown key 'g\\xe4lleries'")


def test_storage_that_does_not_answer_is_one_sentence(tmp_path: Path) -> None:
    account = "DefaultEndpointsProtocol=http;AccountName=lab;AccountKey=bGFi;"
    endpoints = "QueueEndpoint=http://127.0.0.1:9/lab;TableEndpoint=http://127.0.0.1:9/lab;"
    (tmp_path / "policy.yaml").write_text("version: 1\n", encoding="utf-8")
    values = {
        "AzureWebJobsStorage": account + endpoints,
        "REPLICATION_POLICY": str(tmp_path / "policy.yaml"),
    }
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8")
    answer = run("queues", "--json", folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: storage: ")
    assert len(answer.stderr.splitlines()) == 1


def test_missing_settings_are_named(tmp_path: Path) -> None:
    answer = run("status", folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("Error: AzureWebJobsStorage is missing: ")


def test_a_terminal_gets_colour_and_folded_lines(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("regions: {denied: [nowhereland]}\n", encoding="utf-8")
    shown = in_terminal("policy", "check", "policy.yaml", folder=tmp_path, columns=40)
    assert "\x1b[33m" in shown
    assert "\x1b[32m" in shown
    assert max(len(line) for line in shown.splitlines()) < 60


def test_in_a_terminal_bars_are_drawn_until_it_has_ended(tmp_path: Path) -> None:
    world = build_world()
    export(world)
    looks = threading.Semaphore(0)

    def work() -> None:
        if looks.acquire(timeout=60):
            world.run()

    worker = threading.Thread(target=work)
    worker.start()

    with serving_app(world.app) as site:
        site.platform = lambda _: looks.release()
        shown = in_terminal(
            *("--url", site.root, "status", ID.key, "--watch", "--interval", "1"),
            folder=tmp_path,
            columns=100,
        )
    worker.join()
    assert "━" in shown
    assert "0 of 8 ready" in shown
    assert "8 of 8 ready" in shown
    assert shown.rstrip().endswith("\x1b[?25h")  # the cursor is back
