"""The W3C trace context that a message and a record carry: which trace a replication belongs to."""

import re
from dataclasses import dataclass
from typing import Self

from replication.domain.errors import MalformedError

# Of a version that is not known yet, more may follow behind another hyphen.
_PARSED = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<span_id>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-[ -~]*)?",
    re.ASCII,
)
_MAX_LENGTH = 256
_SHOWN = 60
# Whether the trace is sampled, and whether its id is random; other bits may not be handed on.
_KNOWN_FLAGS = 0b11


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A place in a trace, in lower-case hex digits."""

    trace_id: str
    span_id: str
    flags: int = 1

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read a `traceparent` as the W3C writes it; raises MalformedError."""
        found = None
        if isinstance(text, str) and len(text) <= _MAX_LENGTH:
            found = _PARSED.fullmatch(text)
        if (
            found is None
            or found["version"] == "ff"
            or (found["version"] == "00" and found["more"])
            or not int(found["trace_id"], 16)
            or not int(found["span_id"], 16)
        ):
            raise MalformedError(f"{repr(text)[:_SHOWN]} is no traceparent of the W3C")
        return cls(
            trace_id=found["trace_id"],
            span_id=found["span_id"],
            flags=int(found["flags"], 16) & _KNOWN_FLAGS,
        )

    @classmethod
    def read(cls, text: object) -> Self | None:
        """Read a `traceparent`, None for anything that is none: a trace never costs a job."""
        try:
            return cls.parse(text)
        except MalformedError:
            return None

    def __str__(self) -> str:
        """Return the text that `parse` reads, of the version that everyone knows."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"
