"""The house stays one to live in: small modules, packages to be taken in at a glance, few hands."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from bootstrap.app import build_app
from costs.ports import CostPorts
from tests.support.costs.blobs import MemoryBlobs
from tests.support.documents import PROJECT
from tests.support.fakes import build_world

PACKAGES = ("api", "bootstrap", "cli", "costs", "dashboard", "handlers", "replication")
MODULES = [path for name in PACKAGES for path in (PROJECT / name).rglob("*.py")]
# What is handed over as a whole: the wired app, its outside, and values that are only read.
BAGS = ("bootstrap.", "replication.domain.", "replication.config.")


def _name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    long = {_name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_no_package_has_more_than_sixteen_modules_at_one_level() -> None:
    folders = {path.parent for path in MODULES}
    counts = {
        _name(folder): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > 16} == {}


def _parts(value: object) -> Iterator[object]:
    """Yield a service and everything that it is made of, down to what is not ours."""
    if isinstance(value, tuple):
        for part in value:
            yield from _parts(part)
    elif dataclasses.is_dataclass(value) and type(value).__module__.partition(".")[0] in PACKAGES:
        yield value
        for field in dataclasses.fields(value):
            yield from _parts(getattr(value, field.name))


def test_no_service_takes_more_than_eight_collaborators() -> None:
    world = build_world().app
    ports = dataclasses.replace(world.ports, costs=CostPorts(blobs=MemoryBlobs()))
    app = build_app(world.settings, world.policy, ports)
    kinds = {type(part) for part in (*_parts(app), *_parts(app.open_costs()))}
    services = [kind for kind in kinds if not kind.__module__.startswith(BAGS)]
    assert len(services) > 20
    taken = {
        kind.__name__: [field.name for field in dataclasses.fields(kind) if field.init]
        for kind in services
        if dataclasses.is_dataclass(kind)
    }
    assert {
        name: fields
        for name, fields in taken.items()
        if len([field for field in fields if not field.startswith("_")]) > 8
    } == {}
