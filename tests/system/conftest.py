"""The real app on real storage, as processes."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.localcloud.hosts import (
    DEADLINE_S,
    ready_line,
    start_localcloud,
)
from tests.support.localcloud.instances import FAST, Instance, StartApp, StartPart


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartPart]:
    """Start parts of the local cloud; all are stopped at the end."""
    with ExitStack() as stack:
        count = 0

        def start_part(*arguments: str, **settings: str) -> dict[str, Any]:
            nonlocal count
            count += 1
            log = tmp_path / f"{count}-{arguments[0]}.log"
            errors = stack.enter_context(log.open("w", encoding="utf-8"))
            process = stack.enter_context(
                start_localcloud(*arguments, settings=settings, stderr=errors)
            )

            def stop() -> None:
                process.terminate()
                process.wait(DEADLINE_S)

            stack.callback(stop)
            return {**ready_line(process), "log": log, "process": process.pid}

        yield start_part


@pytest.fixture
def storage(start: StartPart) -> str:
    return str(start("storage", "--port-base", "0")["storage"])


@pytest.fixture
def start_app(start: StartPart, storage: str, tmp_path: Path) -> StartApp:
    """Start instances of the app on one storage."""

    def start_instance(*, arm_url: str, **settings: str) -> Instance:
        ready = start(
            *("functions", "--port", "0", "--state", str(tmp_path / "state")),
            **{
                **FAST,
                "AzureWebJobsStorage": storage,
                "AZURE_RESOURCE_MANAGER_URL": arm_url,
                **settings,
            },
        )
        return Instance(url=ready["functions"], log=ready["log"], process=ready["process"])

    return start_instance
