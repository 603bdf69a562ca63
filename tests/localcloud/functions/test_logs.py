"""Which category a line is filed under, and which lines host.json keeps."""

import logging
from collections.abc import Iterator

import pytest
from azure_functions_runtime import invocation_id_cv

from localcloud.functions.config import HostConfig
from localcloud.functions.logs import configure_logging, level_of


@pytest.fixture(autouse=True)
def invocation() -> Iterator[None]:
    """Run an invocation `7` of the function `work` in this thread."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    token = invocation_id_cv.set("7")
    yield
    invocation_id_cv.reset(token)
    root.handlers[:] = handlers
    root.setLevel(level)


def configure(**levels: int) -> None:
    config = HostConfig(log_levels={"default": logging.INFO, **levels})
    configure_logging(config, {"7": "work"}.get)


def test_the_longest_key_that_begins_a_category_decides() -> None:
    levels = {"default": 1, "Function": 2, "function.WORK": 3}
    assert [level_of(one, levels) for one in ("Host", "Function.x.User", "Function.work.User")] == [
        *(1, 2, 3)
    ]


def test_a_line_of_a_library_is_filed_under_the_function_that_logged_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The app quietens it, and may have been opened in this process before.
    azure = logging.getLogger("azure")
    monkeypatch.setattr(azure, "level", azure.level)
    azure.setLevel(logging.NOTSET)
    configure(**{"azure.core.pipeline": logging.ERROR})
    logging.getLogger("azure.core.pipeline.policies").info("Request URL: https://x")
    assert capsys.readouterr().err.endswith("INFO Function.work.User: Request URL: https://x\n")


def test_a_line_outside_of_a_call_is_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    invocation_id_cv.set(None)
    logging.getLogger("app").warning("at import")
    assert capsys.readouterr().err.endswith("WARNING Worker: at import\n")


def test_lines_of_one_function_can_be_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure(**{"Function.work.User": logging.ERROR})
    logging.getLogger("app").warning("dropped")
    logging.getLogger("localcloud.functions").info("the host's own")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("INFO the host's own")


@pytest.mark.parametrize(("setting", "lines"), [("", []), ("1", ["{}"])])
def test_the_worker_passes_debug_lines_on_only_where_a_setting_asks_for_them(
    setting: str,
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHON_ENABLE_DEBUG_LOGGING", setting)
    configure(default=logging.DEBUG)
    logging.getLogger("app").debug("{}")
    assert capsys.readouterr().err.splitlines() == lines
