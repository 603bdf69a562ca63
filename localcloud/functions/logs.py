"""Logging of the host process: everything on standard error, the app's lines untouched."""

import logging
import sys
import time

from localcloud.functions.config import HostConfig

_HOST = "localcloud"


class _Formatter(logging.Formatter):
    """Leaves the app's messages as they are and stamps the host's own."""

    def __init__(self) -> None:
        super().__init__("%(message)s")
        self._stamped = logging.Formatter(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%H:%M:%S"
        )
        self._stamped.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        is_app = not record.name.startswith(_HOST) and record.getMessage().startswith("{")
        return super().format(record) if is_app else self._stamped.format(record)


def configure_logging(config: HostConfig) -> None:
    """Send the root logger to standard error at the level of host.json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level)
    # The library reports its index, and azure-core every request, at a level meant for apps.
    logging.getLogger("azure.functions").setLevel(max(config.log_level, logging.WARNING))
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
