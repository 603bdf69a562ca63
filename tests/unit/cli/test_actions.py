"""`actions` shows what operators did, on the command line and elsewhere."""

import pytest

from bootstrap.app import App
from tests.support.builders import version_body, version_id
from tests.support.fakes import World
from tests.support.letter_worlds import lay_event, lay_job
from tests.support.shell import Shell

ID = version_id()


def test_what_was_done_on_the_command_line_is_listed_the_newest_first(
    world: World, shell: Shell
) -> None:
    world.gallery.add(ID, version_body())
    letter = lay_job(world, version_id(version="2.0.0"))
    lay_event(world)
    for args in (
        ["replicate", str(ID)],
        ["queues", "pause", "replication-jobs", "--reason", "an incident"],
        ["cancel", ID.key],
        ["cancel", ID.key],
        ["dead-letters", "discard", letter.id],
    ):
        shell(*args)
        world.clock.advance(1)
    many = ["dead-letters", "discard", "--code", "malformed-event"]
    token = shell(*many, "--json").json["token"]
    shell(*many, "--token", token)
    rows = shell("actions", "--json").json
    assert not rows["more"]
    assert [(one["action"], one["done"]) for one in rows["items"]] == [
        ("discard", True),
        ("discard", True),
        ("cancel", False),
        ("cancel", True),
        ("pause", True),
        ("replicate", True),
    ]
    assert {one["by"] for one in rows["items"]} == {"the command line"}
    heading, *lines = shell("actions").out.splitlines()
    assert heading.split() == ["AT", "ACT", "ABOUT", "BY", "DONE", "OUTCOME"]
    assert [line.split()[1] for line in lines] == [one["action"] for one in rows["items"]]
    assert "dead letters code=malformed_event, state=open" in lines[0]
    assert f"labgallery/maths/2.0.0 dead letter {letter.id[:12]}" in lines[1]
    assert "labgallery/maths/1.0.0" in lines[2]
    assert "replication-jobs (an incident)" in lines[4]


def test_where_storage_knows_callers_an_act_names_its_operator(world: World, shell: Shell) -> None:
    asked: list[object] = []

    def who(app: App) -> str:
        asked.append(app)
        return "operator 0f0e"

    shell.surroundings["who"] = who
    shell("queues")
    assert asked == []  # looking needs nobody's name
    shell("queues", "pause", "replication-jobs")
    (record,) = shell("actions", "--json").json["items"]
    assert record["by"] == "operator 0f0e on the command line"
    (pause,) = world.app.pauses.all().values()
    assert pause.by == record["by"]


@pytest.mark.slow
def test_a_cut_list_says_so_and_a_longer_one_is_read_page_by_page(
    world: World, shell: Shell
) -> None:
    for number in range(205):
        shell("queues", "pause", "replication-jobs", "--reason", f"reason {number}")
        world.clock.advance(1)
    cut = shell("actions", "--limit", "2").out.splitlines()
    assert cut[-1] == "The newest 2; there are more: raise --limit."
    whole = shell("actions", "--limit", "1000", "--json").json
    assert (len(whole["items"]), whole["more"]) == (205, False)


def test_an_empty_journal_is_said_in_words(shell: Shell) -> None:
    answer = shell("actions")
    assert (answer.code, answer.out) == (0, "Nobody has done anything yet.\n")


@pytest.mark.parametrize("args", [["actions"], ["actions", "--json", "--limit", "1"]])
def test_it_prints_the_same_over_the_api(
    world: World, shell: Shell, far: Shell, args: list[str]
) -> None:
    assert far(*args) == shell(*args)
    far("queues", "pause", "replication-tracking", "--reason", "over the API")
    world.clock.advance(1)
    shell("queues", "resume", "replication-tracking")
    assert far(*args) == shell(*args)
    assert far("actions", "--json").json["items"][1]["by"] == "the local operator"
