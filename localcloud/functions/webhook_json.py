"""JSON as the Event Grid webhook reads it: in the encoding that is told, and of no endless depth.

As recorded of the vendor's extension. What only a lax reader takes is refused.
"""

import codecs
import json
import math
from email.message import Message
from typing import Any

MAX_DEPTH = 64
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_json(body: bytes, content_type: str) -> Any:
    """Return the document of a body; raise ValueError for what cannot be read."""
    try:
        document = json.loads(
            _text(body, content_type), parse_float=_number, parse_constant=_constant, strict=False
        )
    except (LookupError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return _readable(document, MAX_DEPTH)


def _text(body: bytes, content_type: str) -> str:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    header = Message()
    header["Content-Type"] = content_type
    return body.decode(header.get_content_charset() or "utf-8", "replace")


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else _constant(f"{'-' * (number < 0)}Infinity")


def _constant(word: str) -> str:
    return word


def _readable(part: Any, levels: int) -> Any:
    """Return a part without half characters; raise ValueError where it goes too deep."""
    if isinstance(part, str):
        return part.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(part, dict | list) and levels == 0:
        raise ValueError(f"there are more than {MAX_DEPTH} levels")
    if isinstance(part, dict):
        return {
            _readable(name, levels): _readable(value, levels - 1) for name, value in part.items()
        }
    if isinstance(part, list):
        return [_readable(value, levels - 1) for value in part]
    return part
