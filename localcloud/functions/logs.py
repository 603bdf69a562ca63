"""Logging of the host process: everything on standard error, as host.json wants each category.

The real host files what a function logs under `Function.NAME.User`, whatever its logger's name, so
a key of host.json that names a logger of the app or of a library matches nothing.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping

from azure_functions_runtime import invocation_id_cv

from localcloud.functions.config import HostConfig

DEFAULT = "default"
_HOST = "localcloud"
_LIBRARY = ("azure.functions", "azure_functions")
_YES = ("1", "true", "yes")

FunctionOf = Callable[[str], str | None]


def level_of(category: str, levels: Mapping[str, int]) -> int:
    """Return the level of the longest key that begins the category, letter case ignored."""
    folded = category.lower()
    keys = [key for key in levels if folded.startswith(key.lower())]
    return levels[max(keys, key=len, default=DEFAULT)]


class _Filing(logging.Filter):
    """Gives each line its category and drops what host.json does not want to see of it."""

    def __init__(self, levels: Mapping[str, int], function_of: FunctionOf) -> None:
        super().__init__()
        self._levels = levels
        self._function_of = function_of

    def filter(self, record: logging.LogRecord) -> bool:
        record.category = category = self._category(record.name)
        return record.levelno >= level_of(category, self._levels)

    def _category(self, logger: str) -> str:
        if logger.startswith(_HOST):
            return "Host"
        # Known in the function's own thread alone, as in the real worker.
        function = self._function_of(invocation_id_cv.get() or "")
        if function is None or logger.startswith(_LIBRARY):
            return "Worker"
        return f"Function.{function}.User"


class _Formatter(logging.Formatter):
    """Leaves the app's JSON lines as they are and stamps all others."""

    def __init__(self) -> None:
        super().__init__("%(message)s")
        stamp = "%(asctime)s.%(msecs)03dZ %(levelname)s"
        self._host = logging.Formatter(f"{stamp} %(message)s", "%H:%M:%S")
        self._worker = logging.Formatter(f"{stamp} %(category)s: %(message)s", "%H:%M:%S")
        self._host.converter = self._worker.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith(_HOST):
            return self._host.format(record)
        is_app = record.getMessage().startswith("{")
        return super().format(record) if is_app else self._worker.format(record)


def configure_logging(config: HostConfig, function_of: FunctionOf) -> None:
    """Send all loggers to standard error; `function_of` names the function of an invocation id."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    handler.addFilter(_Filing(config.log_levels, function_of))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # As in the worker, whatever host.json says: debug lines only where this setting asks for them.
    debug = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in _YES
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    # The worker's own lines of its index and of a failed call, which the host tells by itself.
    logging.getLogger("azure.functions").setLevel(logging.WARNING)
