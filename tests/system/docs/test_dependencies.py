"""Why there is each dependency stands in a decision record."""

import re
import tomllib

from tests.support.documents import DOCS, PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
# Tools of the developers, which nothing of ours runs with; Babel is named all the same.
LEFT_OUT = {"dev"}


def test_a_decision_says_what_each_package_is_for() -> None:
    asked = list(PYPROJECT["project"]["dependencies"])
    for group, packages in PYPROJECT["dependency-groups"].items():
        asked += [] if group in LEFT_OUT else packages
    names = {re.split(r"[<>=]", one)[0] for one in asked}
    texts = [path.read_text(encoding="utf-8") for path in sorted((DOCS / "adr").glob("*.md"))]
    assert [one for one in sorted(names) if not any(f"`{one}`" in text for text in texts)] == []
