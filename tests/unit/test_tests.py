"""The rules of the tests' own house."""

import re

from tests.support.documents import PROJECT

# A line that imports from a module whose name says that pytest runs it.
_RUN_BY_PYTEST = re.compile(r"^\s*(?:from|import) tests\b.*\b(?:conftest|test_\w+)\b", re.MULTILINE)


def test_what_pytest_runs_is_no_library() -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {match[0].strip()}"
        for folder in ("tests", "tools", "bench")
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for match in _RUN_BY_PYTEST.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
