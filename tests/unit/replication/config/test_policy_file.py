from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.config.policy_file import MAX_BYTES, PolicyFileError, load_policy, parse_policy
from replication.domain.policy import GalleryScope, ReplicationPolicy
from replication.domain.regions import Region
from tests.support.strategies import outcome

SHIPPED = Path(__file__).parents[4] / "replication-policy.yaml"
WORDS = ["version", "galleries", "attach", "regions", "extra", "!!bool", "!!int", "!!set", "&a"]
PIECES = st.sampled_from([*WORDS, "*a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", "'", "1", "x"])


def problems(text: str | bytes) -> tuple[str, ...]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(PolicyFileError) as raised:
        parse_policy(content, name="p.yaml")
    assert all(line.startswith("p.yaml: ") for line in str(raised.value).splitlines()[:1])
    return raised.value.problems


@given(
    content=st.binary() | st.text().map(str.encode) | st.lists(PIECES).map("".join).map(str.encode)
)
def test_any_content_is_a_policy_or_a_policy_file_error(content: bytes) -> None:
    read = outcome(lambda: parse_policy(content), PolicyFileError)
    if isinstance(read, PolicyFileError):
        assert read.problems
        assert all(read.problems)


def test_an_empty_file_is_the_default_policy() -> None:
    assert parse_policy(b"") == ReplicationPolicy()
    assert parse_policy(b"# nothing but a remark\n") == ReplicationPolicy()


def test_the_file_that_ships_with_the_project_is_valid() -> None:
    assert isinstance(load_policy(SHIPPED), ReplicationPolicy)


def test_every_rule_is_read() -> None:
    policy = parse_policy(b"""
version: 1
galleries:
  attach: ["lab*"]
  detach: ["labtest"]
regions:
  extra: ["Sweden Central"]
  denied: [westus3]
new_regions:
  replica_count: 2
  storage_account_type: Standard_ZRS
repair:
  remove_and_add_back: false
  restore_removed_regions: true
""")
    assert policy == ReplicationPolicy(
        galleries=GalleryScope(attach=("lab*",), detach=("labtest",)),
        extra_regions=frozenset({Region("swedencentral")}),
        denied_regions=frozenset({Region("westus3")}),
        replica_count=2,
        storage_account_type="Standard_ZRS",
        repair_failed_regions=False,
        restore_removed_regions=True,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "version: 1\ngaleries: {}\n",
            (
                "line 2: unknown key 'galeries'; did you mean 'galleries'? "
                "(known: version, galleries, regions, new_regions, repair, costs)"
            ),
        ),
        (
            "galleries:\n  attach: []\n  detatch: []\n",
            (
                "line 3: unknown key 'galleries.detatch'; did you mean 'detach'? "
                "(known: attach, detach)"
            ),
        ),
        ("version: 1\nversion: 1\n", "line 2: 'version' stands twice"),
        ("regions:\n  extra: []\n  extra: []\n", "line 3: 'extra' stands twice"),
        ("version: 2", "line 1: version: Input should be 1"),
        ("galleries: {attach: lab}", "line 1: galleries.attach: Input should be a valid list"),
        (
            "galleries:\n  attach:\n    - lab\n    - 5\n",
            "line 4: galleries.attach.1: Input should be a valid string",
        ),
        (
            "galleries:\n  attach: ['']\n",
            "line 2: galleries.attach.0: String should have at least 1 character",
        ),
        (
            "new_regions:\n  replica_count: many\n",
            "line 2: new_regions.replica_count: Input should be a valid integer",
        ),
        (
            "new_regions:\n  replica_count: 101\n",
            "line 2: new_regions.replica_count: Input should be less than or equal to 100",
        ),
        (
            "regions:\n  extra:\n    - westus2\n    - 5\n",
            "line 4: regions.extra.1: Value error, a region name is a text, not int",
        ),
        (
            "regions:\n  denied: ['']\n",
            "line 2: regions.denied.0: Value error, a region name is empty",
        ),
        ("galleries: [", "line 1: did not find expected node content"),
        ("a: 1\n---\nb: 2\n", "line 2: but found another document"),
        ("- a\n", "line 1: is not a mapping of keys to values"),
        ("just words", "line 1: is not a mapping of keys to values"),
        ("? [a, b]\n: 1\n", "line 1: a key is not a plain text"),
        ("version: &v 1\nregions: *v\n", "line 1: is used again by an alias; write the value out"),
        ("version: !!bool maybe", "line 1: 'maybe' is no value of tag:yaml.org,2002:bool"),
        ("\nversion: !!int ''", "line 2: '' is no value of tag:yaml.org,2002:int"),
        ("version: !!timestamp x", "line 1: 'x' is no value of tag:yaml.org,2002:timestamp"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, expected: str) -> None:
    (said,) = problems(text)
    if "expected node" in expected:
        assert said.startswith("line 1: ")
    else:
        assert said == expected


def test_every_mistake_is_named_at_once() -> None:
    text = "galeries: {}\nregions: {denied: [5]}\nnew_regions: {replica_count: 0}\n"
    assert [one.split(":")[0] for one in problems(text)] == ["line 2", "line 3", "line 1"]


def test_objects_of_python_are_not_made() -> None:
    (said,) = problems("version: !!python/object/apply:os.system ['true']")
    assert "line 1" in said or "version" in said
    (said,) = problems("version: !!python/name:os.system x")
    assert "could not determine a constructor" in said


@pytest.mark.slow
@pytest.mark.parametrize("text", ["[" * 20_000, "{a: " * 5_000, "- " * 20_000])
def test_a_file_that_is_nested_without_end_is_refused(text: str) -> None:
    (said,) = problems(text)
    assert said


def test_a_file_that_unfolds_without_end_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{one}: &a{one} [{', '.join([f'*a{one - 1}'] * 8)}]" for one in range(1, 12)]
    (said,) = problems("\n".join(lines))
    assert "alias" in said


def test_bytes_that_are_no_text_are_refused() -> None:
    (said,) = problems(b"\xff\xfe\xfa")
    assert said.startswith("is not YAML in UTF-8")
    (said,) = problems(b"version: \x00")
    assert said.startswith("is not YAML in UTF-8")


def test_a_file_that_is_too_large_is_refused() -> None:
    (said,) = problems(b"#" * (MAX_BYTES + 1))
    assert said == "is larger than 256 KiB"


def test_a_file_that_is_not_there_is_named_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"none\.yaml: cannot be read .* REPLICATION_POLICY"):
        load_policy(tmp_path / "none.yaml")
    with pytest.raises(PolicyFileError, match="cannot be read"):
        load_policy(tmp_path)
