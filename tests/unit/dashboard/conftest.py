"""The pages answer on a developer's machine."""

import pytest

from tests.support.http.serving import develop


@pytest.fixture(autouse=True)
def _development(monkeypatch: pytest.MonkeyPatch) -> None:
    develop(monkeypatch)
