"""`dead-letters list` and `show`: what is on the desk."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from api.schemas.dead_letters import Letter, LetterDetail
from cli.tables.dead_letters import age_of, letter_list
from replication.ports import DeadLetter, LetterState
from tests.support.builders import NOON, version_id
from tests.support.fakes import World
from tests.support.letter_worlds import lay_event, lay_job, lay_message
from tests.support.shell import Shell

HOSTILE = "\x1b[2J\x00\u202e[bold]\ud800\rgone\nError: forged"
ANOTHER = version_id(gallery="other", version="2.0.0")


def with_id(world: World, letter_id: str) -> DeadLetter:
    letter = replace(lay_event(world), id=letter_id)
    world.letters.put(letter)
    return letter


def test_the_open_letters_are_listed_the_newest_first(world: World, shell: Shell) -> None:
    event = lay_event(world)
    world.clock.advance(5 * 60)
    job = lay_job(world, version_id())
    world.clock.advance(65 - (world.clock() - job.at).total_seconds())
    answer = shell("dead-letters", "list")
    heading, first, second = answer.out.splitlines()
    assert answer.code == 0
    assert heading.split() == [
        *("AGE", "STATE", "CODE", "IMAGE", "VERSION", "REGIONS", "ATTEMPTS", "CAUSE", "ID")
    ]
    assert first.split()[:5] == ["1", "min", "open", "locked", "labgallery/maths/1.0.0"]
    assert "centralus, eastus2, " in first
    assert "refused by the test" in first
    assert first.endswith(f" {job.id[:12]}")
    assert second.split()[3:6] == ["malformed_event", "(event)", "-"]
    assert second.endswith(f" {event.id[:12]}")


def test_the_list_as_json_has_the_shape_of_the_api(world: World, shell: Shell) -> None:
    letters = [lay_event(world, number=number) for number in range(3)]
    items = [Letter.of(one).document() for one in sorted(letters, key=lambda one: one.id)]
    assert shell("dead-letters", "list", "--json").json == {"items": items, "more": False}
    cut = shell("dead-letters", "list", "--json", "--limit", "2").json
    assert cut == {"items": items[:2], "more": True}


def test_a_list_longer_than_a_page_is_read_to_its_end(world: World, shell: Shell) -> None:
    for number in range(203):
        lay_event(world, number=number)
    whole = shell("dead-letters", "list", "--json", "--limit", "1000").json
    assert (len(whole["items"]), whole["more"]) == (203, False)
    assert len({one["id"] for one in whole["items"]}) == 203


def test_a_cut_list_says_so(world: World, shell: Shell) -> None:
    for number in range(2):
        lay_event(world, number=number)
    answer = shell("dead-letters", "list", "--limit", "1")
    assert answer.out.splitlines()[-1] == "These are 1; there are more: raise --limit."


def test_the_list_is_filtered_by_what_a_letter_is_about(world: World, shell: Shell) -> None:
    event, job = lay_event(world), lay_job(world, version_id())
    message = lay_message(world, ANOTHER)

    def ids(*args: str) -> set[str]:
        return {one["id"] for one in shell("dead-letters", "list", "--json", *args).json["items"]}

    assert ids() == {event.id, job.id, message.id}
    assert ids("--code", "Locked") == {job.id}
    assert ids("--code", "malformed-event") == {event.id}
    assert ids("--source", "replication-jobs") == {message.id}
    assert ids("--gallery", "OTHER") == {message.id}
    assert ids("--region", "West US 3") == {job.id}
    assert ids("--image-version", str(ANOTHER).upper()) == {message.id}
    assert ids("--code", "locked", "--source", "event") == set()


def test_letters_that_are_done_with_are_shown_only_when_asked_for(
    world: World, shell: Shell
) -> None:
    still_open, resolved = lay_event(world, number=1), lay_event(world, number=2)
    world.app.desk.resolve(resolved.id, reason="all regions are ready")

    def ids(state: str) -> set[str]:
        shown = shell("dead-letters", "list", "--json", "--state", state).json
        return {one["id"] for one in shown["items"]}

    assert ids("open") == {still_open.id}
    assert ids("Resolved") == {resolved.id}
    assert ids("replayed") == set()
    assert ids("all") == {still_open.id, resolved.id}


def test_an_empty_desk_is_said_in_words(shell: Shell) -> None:
    answer = shell("dead-letters", "list")
    assert (answer.code, answer.out) == (0, "No dead letter matches.\n")


def test_a_mistyped_code_is_told_the_nearest_one(shell: Shell) -> None:
    answer = shell("dead-letters", "list", "--code", "lockd")
    assert answer.code == 0
    assert answer.out.endswith("knows no code 'lockd'; the nearest is 'locked'.\n")


def test_in_a_terminal_a_letter_takes_few_columns_and_fits(world: World) -> None:
    lay_job(world, version_id())
    replayed = replace(lay_event(world), state=LetterState.REPLAYED)
    world.letters.put(replayed)
    items = [Letter.of(one) for one in world.letters.letters.values()]
    console = Console(width=100)
    with console.capture() as captured:
        console.print(letter_list(items, now=world.clock(), stacked=True))
    shown = captured.get()
    assert max(len(line) for line in shown.splitlines()) <= 100
    assert "centralus, eastus2 +6" in " ".join(shown.split())
    assert "replayed" in shown
    for item in items:
        assert item.id[:12] in shown


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=12, hours=23), "12 d"),
    ],
)
def test_an_age_is_told_in_the_unit_that_suits(age: timedelta, shown: str) -> None:
    assert age_of((NOON - age).isoformat(), NOON) == shown


def test_a_letter_is_shown_whole(world: World, shell: Shell) -> None:
    letter = lay_job(world, version_id())
    answer = shell("dead-letters", "show", letter.id.upper())
    assert answer.code == 0
    fields = dict(line.split("  ", 1) for line in answer.out.split("\n\n", 1)[0].splitlines())
    shown = {name: value.strip() for name, value in fields.items()}
    view = LetterDetail.whole(letter).document()
    assert shown.pop("Laid").startswith("2026-11-23T08:")
    assert shown == {
        "Id": letter.id,
        "Code": "locked",
        "Meaning": view["advice"],
        "Runbook": "docs/runbook.md#locked",
        "Cause": letter.cause,
        "Image version": str(version_id()),
        "Key": version_id().key,
        "Regions not ready": ", ".join(letter.regions),
        "Source": "job",
        "Attempts": str(letter.attempts),
        "Correlation id": "corr-1",
        "State": "open",
    }
    lines = answer.out.splitlines()
    assert any(line.split()[1:2] == ["planned"] for line in lines)
    assert lines[lines.index("Raw message") + 1] == letter.raw
    assert lines[-1] == f"Replay it with: gallery-replicator dead-letters replay {letter.id[:12]}"


def test_a_letter_as_json_has_the_shape_of_the_api(world: World, shell: Shell) -> None:
    letter = lay_job(world, version_id())
    answer = shell("dead-letters", "show", letter.id, "--json")
    assert (answer.code, answer.json) == (0, LetterDetail.whole(letter).document())
    assert {"timeline", "raw", "runbook", "advice"} <= set(answer.json)


def test_a_letter_that_is_resolved_says_why_and_how_to_be_rid_of_it(
    world: World, shell: Shell
) -> None:
    letter = lay_event(world)
    world.app.desk.resolve(letter.id, reason="all regions are ready")
    lines = shell("dead-letters", "show", letter.id).out.splitlines()
    assert any(line.endswith(": all regions are ready") for line in lines)
    assert lines[-1] == f"Discard it with: gallery-replicator dead-letters discard {letter.id[:12]}"


@pytest.mark.parametrize("digits", [6, 12, 31])
def test_the_first_digits_of_an_id_serve_as_well(world: World, shell: Shell, digits: int) -> None:
    letters = [lay_event(world, number=number) for number in range(300)]
    letter = max(letters, key=lambda one: one.id) if digits == 6 else letters[7]
    world.app.desk.resolve(letter.id, reason="done")
    answer = shell("dead-letters", "show", letter.id[:digits].upper(), "--json")
    assert (answer.code, answer.json["id"]) == (0, letter.id)


def test_digits_that_mean_several_letters_are_wrong_usage_and_name_them(
    world: World, shell: Shell
) -> None:
    ids = ["abcdef01" + "0" * 24, "abcdef02" + "0" * 24]
    for letter_id in ids:
        with_id(world, letter_id)
    answer = shell("dead-letters", "show", "abcdef", "--json")
    assert (answer.code, answer.out) == (2, "")
    assert all(letter_id in answer.err for letter_id in ids)
    assert shell("dead-letters", "show", "abcdef02", "--json").json["id"] == ids[1]


@pytest.mark.parametrize("asked", ["abcdef", "0" * 32, "f" * 31])
def test_a_letter_that_does_not_exist_is_not_found(world: World, shell: Shell, asked: str) -> None:
    lay_event(world)
    answer = shell("dead-letters", "show", asked, "--json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("Error: no dead letter has ")
    assert asked in answer.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["show", "abcde"], "six at least"),
        (["show", "0" * 33], "six at least"),
        (["show", HOSTILE], "six at least"),
        (["list", "--state", "gone"], "state is 'gone'; it is one of open, replayed, resolved"),
        (["list", "--code", "x'; y"], "is not a failure code; they are budget_exceeded, "),
        (["list", "--source", "mail"], "it is one of event, job, replication-jobs, "),
        (["list", "--gallery", "a'b"], "is not a name of a gallery"),
        (["list", "--gallery", ""], "is not a name of a gallery"),
        (["list", "--region", "\x00"], "cannot be a region name"),
        (["list", "--image-version", "maths"], "is not of the form"),
        (["list", "--limit", "0"], "--limit"),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    closed_shell: Shell, args: list[str], said: str
) -> None:
    answer = closed_shell("dead-letters", *args)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "\x1b" not in answer.err


@pytest.mark.parametrize("command", ["list", "show"])
def test_hostile_text_in_a_letter_cannot_steer_the_terminal(
    world: World, shell: Shell, command: str
) -> None:
    letter = replace(
        lay_event(world),
        cause=HOSTILE,
        raw=HOSTILE,
        correlation_id=HOSTILE,
        image_version_id=None,
        regions=(HOSTILE,),
        code="code\x1b[31m",
    )
    world.letters.put(letter)
    answer = shell("dead-letters", command, *([letter.id] if command == "show" else []))
    assert answer.code == 0
    assert all(one.isprintable() for one in answer.out if one != "\n")
    assert "\\x1b[2J\\x00\\u202e[bold]\\ud800\\rgone" in answer.out
    assert not any(line.startswith("Error: forged") for line in answer.out.splitlines())
    assert "\\ngone" not in answer.out
    if command == "show":
        assert f"{HOSTILE.encode('unicode_escape').decode()}\n" in answer.out


def test_a_long_cause_is_cut_in_the_list_and_whole_when_shown(world: World, shell: Shell) -> None:
    letter = lay_event(world, cause="because " * 60)
    assert letter.cause.strip() not in shell("dead-letters", "list").out
    assert letter.cause.strip() in shell("dead-letters", "show", letter.id).out


def test_a_raw_message_of_any_length_stays_on_one_line(world: World, shell: Shell) -> None:
    letter = replace(lay_event(world), raw="x" * 300_000)
    world.letters.put(letter)
    lines = shell("dead-letters", "show", letter.id).out.splitlines()
    assert lines[lines.index("Raw message") + 1] == letter.raw
