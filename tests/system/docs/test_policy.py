"""The policy's document is true: its examples parse, and its keys are those of the file."""

from decimal import Decimal

import pytest
from pydantic import BaseModel

from replication.config.policy_file import PolicyFileError, _Document, parse_policy
from replication.domain.policy import Budget, GalleryScope, ReplicationPolicy
from replication.domain.regions import Region
from tests.support.builders import SUBSCRIPTION
from tests.support.documents import DOCS, PROJECT, Block, blocks, headings

DOCUMENT = DOCS / "policy.md"
EXAMPLES = blocks(DOCUMENT, "yaml")


def _keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _keys(inner, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


def _parse(example: Block) -> ReplicationPolicy:
    return parse_policy(example.text.encode())


def test_the_document_explains_exactly_the_keys_of_the_file() -> None:
    explained = [heading.strip("`") for heading in headings(DOCUMENT) if heading.startswith("`")]
    assert explained == _keys(_Document)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.headings[-1].strip("`"))
def test_every_example_parses(example: Block) -> None:
    _parse(example)


def test_the_first_example_is_what_holds_without_any_key() -> None:
    assert _parse(EXAMPLES[0]) == ReplicationPolicy()


def test_the_first_example_names_every_key() -> None:
    shipped = (PROJECT / "replication-policy.yaml").read_bytes()
    assert parse_policy(shipped) == _parse(EXAMPLES[0])
    for key in _keys(_Document):
        assert f"{key.rpartition('.')[2]}:" in EXAMPLES[0].text


def test_the_examples_say_what_the_text_says() -> None:
    scope, regions, new, repair, costs = [_parse(example) for example in EXAMPLES[1:]]
    assert scope.galleries == GalleryScope(
        attach=(
            "lab*",
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/*",
        ),
        detach=("labtest",),
    )
    assert regions.extra_regions == {Region("westeurope")}
    assert regions.denied_regions == {Region("westcentralus"), Region("northcentralus")}
    assert (new.replica_count, new.storage_account_type) == (3, "Standard_ZRS")
    assert costs.budgets == (
        Budget(name="labs", galleries=("lab*",), monthly=Decimal(250), each_gallery=True),
        Budget(name="everything", monthly=Decimal(2000)),
    )
    assert (repair.repair_failed_regions, repair.restore_removed_regions) == (False, True)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() -> None:
    wrong = EXAMPLES[0].text.replace("replica_count", "replicas_count").encode()
    line = next(
        number
        for number, text in enumerate(wrong.decode().splitlines(), start=1)
        if "replicas_count" in text
    )
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(wrong)
    (problem,) = refused.value.problems
    assert problem.startswith(f"line {line}: ")
    assert "did you mean 'replica_count'?" in problem
