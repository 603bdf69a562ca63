"""Read the policy file: YAML, checked whole, every mistake with its line."""

import difflib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from replication.domain.errors import GalleryReplicatorError
from replication.domain.policy import Budget, GalleryScope, ReplicationPolicy
from replication.domain.regions import Region

MAX_BYTES = 256 * 1024
MAX_REPLICA_COUNT = 100
# A file of nothing but mistakes shows the first of them.
MAX_PROBLEMS = 50
_MAX_SHOWN = 80
# A plain text that claims to be one of these would be read as an empty one.
_CONTAINER_TAGS = {f"tag:yaml.org,2002:{word}" for word in ("map", "seq", "set", "omap", "pairs")}


class PolicyFileError(GalleryReplicatorError):
    """A policy file that cannot be used; `problems` holds one sentence for each mistake."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))


def load_policy(path: Path) -> ReplicationPolicy:
    """Read the file; raises PolicyFileError that names every mistake with its line."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error  # a path with a NUL in it
        raise PolicyFileError(
            str(path), [f"cannot be read ({why}); set REPLICATION_POLICY to its path"]
        ) from error
    return parse_policy(content, name=str(path))


def parse_policy(content: bytes, *, name: str = "policy") -> ReplicationPolicy:
    """Read the policy from the text of its file; raises PolicyFileError."""
    if len(content) > MAX_BYTES:
        raise PolicyFileError(name, [f"is larger than {MAX_BYTES // 1024} KiB"])
    try:
        root = yaml.compose(content.decode("utf-8"), Loader=yaml.SafeLoader)
        values = {} if root is None else _values(root, set())
    except _BadNodeError as error:
        raise PolicyFileError(name, [str(error)]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyFileError(name, [f"line {line}: {error.problem}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise PolicyFileError(name, [f"is not YAML in UTF-8: {_clip(str(error))}"]) from error
    if not isinstance(values, dict):
        raise PolicyFileError(name, ["line 1: is not a mapping of keys to values"])
    try:
        document = _Document.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        problems = [_sentence(root, problem) for problem in found[:MAX_PROBLEMS]]
        if len(found) > MAX_PROBLEMS:
            problems.append(f"and {len(found) - MAX_PROBLEMS} more mistakes")
        raise PolicyFileError(name, problems) from error
    return document.to_policy()


def _region(value: object) -> Region:
    return Region.parse(value)


_RegionName = Annotated[Region, BeforeValidator(_region)]
_Pattern = Annotated[str, Field(min_length=1, max_length=1024)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class _Galleries(_Section):
    attach: list[_Pattern] = ["*"]
    detach: list[_Pattern] = []


class _Regions(_Section):
    extra: list[_RegionName] = []
    denied: list[_RegionName] = []


class _NewRegions(_Section):
    replica_count: Annotated[int, Field(ge=1, le=MAX_REPLICA_COUNT)] = 1
    storage_account_type: Literal[
        "Standard_LRS", "Standard_ZRS", "Premium_LRS", "PremiumV2_LRS"
    ] = "Standard_LRS"


class _Repair(_Section):
    remove_and_add_back: bool = True
    restore_removed_regions: bool = False


_TagName = Annotated[str, Field(min_length=1, max_length=512)]


class _OwnerTags(_Section):
    lab: _TagName = "lab"
    cost_center: _TagName = "costCenter"


def _amount(value: object) -> object:
    """Take a number of the file as it is written, not as a binary fraction near it."""
    return Decimal(str(value)) if isinstance(value, int | float) else value


class _Budget(_Section):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    galleries: list[_Pattern] = ["*"]
    monthly: Annotated[
        Decimal,
        BeforeValidator(_amount),
        Field(ge=0, max_digits=15, decimal_places=4, allow_inf_nan=False),
    ]
    each_gallery: bool = False


def _once_each(budgets: list[_Budget]) -> list[_Budget]:
    names = [budget.name.casefold() for budget in budgets]
    twice = sorted({budget.name for budget in budgets if names.count(budget.name.casefold()) > 1})
    if twice:
        raise ValueError(f"the name {_clip(twice[0])!r} stands twice")
    return budgets


class _Costs(_Section):
    owner_tags: _OwnerTags = _OwnerTags()
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    budgets: Annotated[list[_Budget], AfterValidator(_once_each)] = []


def _version(value: object) -> object:
    if isinstance(value, bool | float):  # which equal 1 all the same
        raise ValueError(f"is {value}, not the number 1")  # noqa: TRY004 - pydantic's way
    return value


class _Document(_Section):
    version: Annotated[Literal[1], BeforeValidator(_version)] = 1
    galleries: _Galleries = _Galleries()
    regions: _Regions = _Regions()
    new_regions: _NewRegions = _NewRegions()
    repair: _Repair = _Repair()
    costs: _Costs = _Costs()

    def to_policy(self) -> ReplicationPolicy:
        return ReplicationPolicy(
            galleries=GalleryScope(
                attach=tuple(self.galleries.attach), detach=tuple(self.galleries.detach)
            ),
            extra_regions=frozenset(self.regions.extra),
            denied_regions=frozenset(self.regions.denied),
            replica_count=self.new_regions.replica_count,
            storage_account_type=self.new_regions.storage_account_type,
            repair_failed_regions=self.repair.remove_and_add_back,
            restore_removed_regions=self.repair.restore_removed_regions,
            lab_tag=self.costs.owner_tags.lab,
            cost_center_tag=self.costs.owner_tags.cost_center,
            currency=self.costs.currency,
            budgets=tuple(
                Budget(
                    name=budget.name,
                    galleries=tuple(budget.galleries),
                    monthly=budget.monthly,
                    each_gallery=budget.each_gallery,
                )
                for budget in self.costs.budgets
            ),
        )


class _BadNodeError(ValueError):
    pass


def _values(node: yaml.Node, seen: set[int]) -> Any:
    """Return the node's plain value.

    Refuses what YAML parsers let pass: duplicate keys, and aliases, with which a short file
    grows without bounds. `seen` holds the nodes so far.
    """
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise _BadNodeError(f"line {line}: is used again by an alias; write the value out")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _BadNodeError(f"line {line}: a key is not a plain text")
            key = str(key_node.value)
            if key in values:
                raise _BadNodeError(
                    f"line {key_node.start_mark.line + 1}: {_clip(key)!r} stands twice"
                )
            values[key] = _values(value_node, seen)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_values(entry, seen) for entry in node.value]
    if node.tag in _CONTAINER_TAGS:
        raise _BadNodeError(f"line {line}: {_clip(node.value)!r} is no value of {node.tag}")
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, LookupError, AttributeError, OverflowError) as error:
        shown = _clip(node.value)
        raise _BadNodeError(f"line {line}: {shown!r} is no value of {node.tag}") from error


def _sentence(root: yaml.Node | None, problem: Any) -> str:
    location = tuple(problem["loc"])
    line = _line(root, location)
    where = _clip(".".join(str(part) for part in location))
    if problem["type"] != "extra_forbidden":
        return f"line {line}: {where}: {problem['msg']}"
    known = _known_keys(location[:-1])
    near = difflib.get_close_matches(_clip(str(location[-1])), known, n=1, cutoff=0.0)
    hint = f"did you mean {near[0]!r}?" if near else "it takes no keys"
    return f"line {line}: unknown key {where!r}; {hint} (known: {', '.join(known)})"


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _known_keys(path: Sequence[object]) -> list[str]:
    section: type[BaseModel] = _Document
    for part in path:
        annotation = section.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        section = annotation
    return list(section.model_fields)


def _line(node: yaml.Node | None, path: Sequence[object]) -> int:
    """Return the line of the deepest node on the path; for a key, the key's own line."""
    if node is None:
        return 1
    line = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == part), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
