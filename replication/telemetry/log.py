"""Log: one structured line for every outcome."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

# The levels, so that nobody else needs the library.
INFO, WARNING, ERROR, CRITICAL = logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL

_LOGGER = logging.getLogger("gallery_replicator")
_FIELDS: ContextVar[Mapping[str, object]] = ContextVar(
    "gallery_replicator_log_fields", default=MappingProxyType({})
)


def log_outcome(
    event: str, *, level: int = logging.INFO, error: BaseException | None = None, **fields: object
) -> None:
    """Log one JSON object: what happened, and flat fields about it. Never anything personal."""
    if not _LOGGER.isEnabledFor(level):
        return
    line = json.dumps({"event": event, **_FIELDS.get(), **fields}, default=str, ensure_ascii=True)
    _LOGGER.log(level, line, exc_info=error)


@contextmanager
def log_fields(**fields: object) -> Iterator[None]:
    """Put fields into every line that is logged meanwhile, by this thread or task."""
    token = _FIELDS.set({**_FIELDS.get(), **fields})
    try:
        yield
    finally:
        _FIELDS.reset(token)
