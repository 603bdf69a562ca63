"""One structured line for every outcome."""

import json
import logging

_LOGGER = logging.getLogger("gallery_replicator")


def log_outcome(
    event: str, *, level: int = logging.INFO, error: BaseException | None = None, **fields: object
) -> None:
    """Log one JSON object: what happened, and flat fields about it. Never anything personal."""
    line = json.dumps({"event": event, **fields}, default=str, ensure_ascii=True)
    _LOGGER.log(level, line, exc_info=error)
