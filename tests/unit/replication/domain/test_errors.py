import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

from replication.domain import errors
from replication.domain.errors import GalleryReplicatorError

PACKAGES = ("replication", "costs", "api", "bootstrap", "dashboard", "cli", "handlers")


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    assert drawn() == {found.__name__: parent_of(found) for found in every_error()}


def test_every_error_of_the_product_is_in_the_tree() -> None:
    outside = [
        f"{module.__name__}.{name}"
        for module in modules()
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not issubclass(value, GalleryReplicatorError)
    ]
    assert outside == []


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            yield importlib.import_module(found.name)


def drawn() -> dict[str, str | None]:
    parents: dict[str, str | None] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if not line.startswith(("GalleryReplicatorError", "│", "├", "└", "    ")):
            continue
        name = re.search(r"[A-Z]\w+", line)
        assert name, line
        depth = name.start() // 4
        above[depth:] = [name.group()]
        parents[name.group()] = above[depth - 1] if depth else None
    return parents


def every_error() -> list[type[GalleryReplicatorError]]:
    list(modules())
    found, open_ones = [], [GalleryReplicatorError]
    while open_ones:
        error = open_ones.pop()
        found.append(error)
        open_ones += error.__subclasses__()
    return [error for error in found if error.__module__.split(".")[0] in PACKAGES]


def parent_of(error: type[GalleryReplicatorError]) -> str | None:
    return None if error is GalleryReplicatorError else error.__bases__[0].__name__
