"""`plan` shows where a version would go, and changes nothing."""

from dataclasses import replace
from pathlib import Path

from replication.domain.errors import FailureCode, PermanentError, TransientError
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.regions import Region
from tests.support.builders import US_NEIGHBOURS, version_body, version_id
from tests.support.fakes import World, build_world
from tests.support.shell import Shell


def test_a_plan_lists_every_region_with_its_state_and_reason(world: World, shell: Shell) -> None:
    home, listed = {"name": "East US"}, {"name": "West US 2"}
    world.gallery.add(version_id(), version_body(regions=[home, listed]))
    answer = shell("plan", str(version_id()).upper())
    lines = answer.out.splitlines()
    assert answer.code == 0
    assert lines[1].split() == ["Home", "region", "eastus"]
    assert [line.split()[:3] for line in lines if line.startswith("westus2")] == [
        ["westus2", "already", "listed"]
    ]
    assert [line for line in lines if line.startswith("centralus ")] == [
        "centralus       wanted          in the geography United States"
    ]
    assert "the shipped snapshot of" in answer.out
    assert (world.store.rows, world.queues.waiting, world.gallery.writes) == ({}, [], [])


def test_the_plan_as_json_is_the_view_of_the_queries(world: World, shell: Shell) -> None:
    world.gallery.add(version_id(), version_body())
    answer = shell("plan", str(version_id()), "--json")
    assert answer.code == 0
    assert [one["region"] for one in answer.json["regions"]] == US_NEIGHBOURS
    planned = world.app.planner.plan(version_id())
    assert planned is not None
    assert answer.json == planned.document()
    assert answer.err == ""


def test_a_region_named_like_markup_is_printed_as_it_is(tmp_path: Path) -> None:
    world = build_world(policy=ReplicationPolicy(extra_regions=frozenset({Region("[red]x")})))
    world.gallery.add(version_id(), version_body())
    shell = Shell(open_app=lambda: world.app, folder=tmp_path, env={})
    answer = shell("plan", str(version_id()))
    assert "[red]x " in answer.out
    assert "no physical region of this cloud is called [red]x" in answer.out


def test_a_version_out_of_scope_has_an_empty_plan_with_the_reason(tmp_path: Path) -> None:
    policy = ReplicationPolicy(galleries=GalleryScope(detach=("lab*",)))
    world = build_world(policy=policy)
    world.gallery.add(version_id(), version_body())
    answer = Shell(open_app=lambda: world.app, folder=tmp_path, env={})("plan", str(version_id()))
    assert answer.code == 0
    assert "gallery labgallery is detached by the policy ('lab*')" in answer.out


def test_a_version_that_does_not_exist_is_not_found(shell: Shell) -> None:
    answer = shell("plan", str(version_id()), "--json")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"Error: there is no image version {version_id()}\n"


def test_a_malformed_id_is_wrong_usage_and_names_the_part(closed_shell: Shell) -> None:
    answer = closed_shell("plan", str(replace(version_id(), version="1.0")))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "Error: '1.0' is not a version number Major.Minor.Patch of 32-bit integers\n"
    )


def test_a_refusal_by_azure_is_not_allowed(world: World, shell: Shell) -> None:
    world.gallery.read_failures = [
        PermanentError("AuthorizationFailed: no read", code=FailureCode.NOT_AUTHORISED)
    ]
    answer = shell("plan", str(version_id()))
    assert (answer.code, answer.err) == (4, "Error: AuthorizationFailed: no read\n")


def test_another_permanent_failure_has_failed(world: World, shell: Shell) -> None:
    world.gallery.read_failures = [PermanentError("locked", code=FailureCode.LOCKED)]
    assert shell("plan", str(version_id())).code == 1


def test_azure_out_of_reach_has_failed(world: World, shell: Shell) -> None:
    world.gallery.read_failures = [TransientError("nobody answers")]
    answer = shell("plan", str(version_id()), "--json")
    assert (answer.code, answer.out, answer.err) == (1, "", "Error: nobody answers\n")
