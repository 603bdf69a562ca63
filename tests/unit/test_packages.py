"""Each package says in its first lines what lives there."""

import ast

from tests.support.documents import PROJECT

# The tests say it in their names.
WITHOUT = ("node_modules", "tests")


def test_every_package_says_what_lives_there() -> None:
    packages = [
        path
        for top in PROJECT.glob("*/__init__.py")
        for path in top.parent.rglob("__init__.py")
        if not set(WITHOUT) & set(path.parts)
    ]
    assert len(packages) > 40
    silent = [
        str(path.parent.relative_to(PROJECT))
        for path in packages
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
